"""The gate of the broker node, at a real server; the test is the other nodes."""

import time

import pytest
from natya_events import Over
from natya_processes import await_that
from natya_redis import Server

from natya.actors.nodes import Gate, PlaySettings
from natya.actors.nodes.link_end import LinkEnd, frame_of
from natya.actors.nodes.server import PlayServer
from natya.actors.strategy import StrategyActor
from natya.actors.strategy.deputy import deputy_of
from natya.config.sections.nodes import NodesSettings
from natya.config.sections.redis import RedisSettings
from natya.config.sections.strategy import StrategySettings
from natya.domain.nodes.lease import Lease
from natya.messages.codec import decode, encode
from natya.messages.journal import JournalPage, ReadJournal
from natya.messages.nodes import ClaimAccepted, ClaimRefused, ClaimStrategy, Said, Told
from natya.messages.supervision import Failed
from natya.messages.system import Ping

MARCH = StrategySettings(name="march", strategy="march:March", host="node")


@pytest.fixture
def server(tmp_path):
    server = Server(tmp_path / "server").start()
    yield server
    server.kill()


@pytest.fixture
def play(server):
    return PlaySettings(
        server=RedisSettings.default(host="127.0.0.1", port=server.port),
        limits=NodesSettings.default(play="p", name="mumbai"),
        strategies=(MARCH,),
        again_s=0.1,
    )


@pytest.fixture
def stage(tmp_path, play):
    with Over(tmp_path / "journal") as stage:
        stage.start("nodes", Gate, play)
        stage.start("march", deputy_of(StrategyActor), MARCH)
        yield stage


class OtherNode:
    """One life of a strategy node."""

    def __init__(self, play, life, *, link=1):
        self.server = PlayServer(play, life)
        broker = await_that(lambda: self.server.look(()).broker)
        self.link = LinkEnd(own=life, peer=broker, number=link, waiting_max=99, again_ns=100_000_000)
        self.heard = []

    def say(self, message):
        self.link.say(message)

    def hear(self, kind):
        """Exchange frames until a message of that type comes."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if frame := self.link.due(time.monotonic_ns()):
                self.server.post([(self.link.peer, frame)])
            for written in self.server.take(with_ticks=False).frames:
                self.heard += self.link.hear(frame_of(written), time.monotonic_ns())
            if found := next((each for each in self.heard if isinstance(each, kind)), None):
                self.heard.remove(found)
                return found
        raise AssertionError(f"{kind} wanted, found {self.heard}")

    def claim(self, fence):
        self.say(ClaimStrategy(strategy="march", fence=fence))
        return self.hear((ClaimAccepted, ClaimRefused))

    def ask(self, actor, message, *, fence):
        self.say(Said(strategy="march", fence=fence, actor=actor, message=encode(message), number=7))
        return self.hear((Told, ClaimRefused))


MARCH_OVER = ClaimStrategy(strategy="march", fence=9)


class TestAClaim:
    def test_is_accepted_when_it_is_a_fact_and_lets_its_node_speak(self, stage, play):
        pune = OtherNode(play, "pune-1")

        assert pune.claim(1) == ClaimAccepted(strategy="march", fence=1)
        assert [(each.fact.fence, each.fact.holder) for each in stage.records("StrategyAdmitted")] == [(1, "pune-1")]
        told = pune.ask("journal", ReadJournal(types=("StrategyAdmitted",)), fence=1)
        assert isinstance(decode(told.message), JournalPage)
        assert told.number == 7

    def test_of_another_with_the_same_or_an_older_fence_is_refused_and_one_with_a_newer_ends_the_first(
        self, stage, play
    ):
        pune, nagpur = OtherNode(play, "pune-1"), OtherNode(play, "nagpur-1")
        pune.claim(5)

        assert [nagpur.claim(fence).above for fence in (4, 5)] == [5, 5]
        assert isinstance(nagpur.claim(6), ClaimAccepted)
        refused = pune.ask("journal", ReadJournal(), fence=5)
        assert isinstance(refused, ClaimRefused)
        assert refused.above == 6
        assert stage.request("nodes", Ping()).statistics.refused == 1

    def test_of_an_older_fence_is_refused_after_a_restart_too(self, tmp_path, play):
        with Over(tmp_path / "kept") as stage:
            stage.start("nodes", Gate, play)
            stage.start("march", deputy_of(StrategyActor), MARCH)
            OtherNode(play, "pune-1").claim(5)
            before = stage.request("nodes", Ping()).statistics.node
            stage.end()
        with Over(tmp_path / "kept") as stage:
            stage.start("nodes", Gate, play)
            stage.start("march", deputy_of(StrategyActor), MARCH)
            nagpur = PlayServer(play, "nagpur-1")
            await_that(lambda: nagpur.look(()).broker not in {"", before})

            assert OtherNode(play, "nagpur-1").claim(4).above == 5
            assert isinstance(OtherNode(play, "pune-1", link=2).claim(5), ClaimAccepted)

    def test_does_not_let_a_node_say_what_no_strategy_may(self, stage, play):
        pune = OtherNode(play, "pune-1")
        pune.claim(1)
        told = [
            pune.ask(actor, message, fence=1) for actor, message in (("events", ReadJournal()), ("journal", MARCH_OVER))
        ]

        assert [type(decode(each.message)) for each in told] == [Failed, Failed]


class TestALease:
    def test_is_written_only_in_the_place_of_what_was_seen(self, play, server):
        pune, nagpur = PlayServer(play, "pune-1"), PlayServer(play, "nagpur-1")
        seen = pune.look(["march"]).leases["march"]
        lease = Lease(fence=1, holder="pune-1", beat=1)

        assert pune.swap("march", seen, lease)
        assert not nagpur.swap("march", seen, Lease(fence=1, holder="nagpur-1", beat=1))
        assert nagpur.look(["march"]).leases["march"].lease == lease

    def test_is_seen_at_another_life_of_a_server_that_was_emptied(self, play, server):
        pune = PlayServer(play, "pune-1")
        before = pune.look(["march"]).leases["march"]
        server.client().flushall()
        after = pune.look(["march"]).leases["march"]

        assert (before.lease, after.lease) == (None, None)
        assert before.server != after.server
        assert not pune.swap("march", before, Lease(fence=1, holder="pune-1", beat=1))
