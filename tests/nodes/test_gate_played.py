"""What the gate makes of claims, of what comes twice, late or from nobody, and of a server that is away; all played."""

import msgspec
import pytest
from natya_builders import a_tick

from natya.actors.external.streams import ServerDownError
from natya.actors.nodes import Gate, PlaySettings, gate, meeting
from natya.actors.nodes.link_end import LinkEnd, frame_of
from natya.actors.nodes.server import Came
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase, jobs
from natya.config.sections.nodes import NodesSettings
from natya.config.sections.redis import RedisSettings
from natya.config.sections.strategy import StrategySettings
from natya.domain.nodes.fence import Fence
from natya.domain.time import SECOND_NS
from natya.messages.codec import decode, encode
from natya.messages.journal import Append, Appended, AppendRefused, JournalPage, JournalRecord, ReadJournal
from natya.messages.nodes import (
    ClaimAccepted,
    ClaimRefused,
    ClaimStrategy,
    DeputyBegan,
    NodeFrame,
    NothingSaid,
    Said,
    StrategyAdmitted,
    Told,
)
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping

SETTINGS = PlaySettings(
    server=RedisSettings.default(),
    limits=NodesSettings.default(play="p", name="mumbai"),
    strategies=(StrategySettings(name="march", strategy="march:March", host="node"),),
    retry_s=0.2,
    again_s=0.5,
)


class PlayedServer:
    """In the place of `PlayServer`: what comes is put there by the test, and what is sent stays."""

    def __init__(self):
        self.trouble, self.life = "", ""
        self.inbox, self.posted, self.batches = [], [], []
        self.broker, self.announced = "", 0
        self.is_closed = False

    def expect_up(self):
        if self.trouble:
            raise ServerDownError(self.trouble)

    def take(self, *, with_ticks):
        assert not with_ticks
        self.expect_up()
        frames, self.inbox = self.inbox, []
        return Came(frames, [])

    def post(self, frames):
        self.expect_up()
        self.posted += frames

    def spread(self, batch):
        self.expect_up()
        self.batches.append(batch)

    def announce(self):
        self.expect_up()
        self.announced += 1
        before, self.broker = self.broker, self.life
        return before

    def close(self):
        self.is_closed = True


class Down:
    trouble = "down"


class Late(msgspec.Struct, frozen=True):
    """To the journal itself: what it was asked a second ago is durable."""

    asker: object


class PlayedJournal(RuntimeActor):
    """Answers as the test wants."""

    @handles(ReadJournal)
    def read(self, request, sender):
        world = self.settings
        world.reads.append(request.after_sequence)
        if world.is_away and not world.answers:
            return
        if world.is_away:
            self.send(sender, Unavailable(actor="journal", reason="down", retry_after_s=0))
            return
        found = [each for each in world.records if each.sequence > request.after_sequence]
        page = tuple(found[: request.records_max])
        self.send(sender, JournalPage(records=page, last_sequence=len(world.records)))

    @handles(Append)
    def append(self, request, sender):
        world = self.settings
        (fact,) = request.facts
        world.appended.append((fact.strategy, fact.fence, fact.holder))
        if world.appends == "refused":
            self.send(sender, AppendRefused(reason="the disk is full"))
        elif world.appends == "late":
            self.after(1.0, Late(sender))
        elif world.appends == "durable":
            self.append_late(Late(sender), None)

    @handles(Late)
    def append_late(self, late, _sender):
        self.send(late.asker, Appended(first_sequence=1, last_sequence=1))


class PlayedDeputy(RuntimeActor):
    """Begins with whoever claims, and keeps what is said."""

    @handles(ClaimStrategy)
    def begin(self, claim, _sender):
        self.settings.begun.append(claim.fence)
        self.send("nodes", ClaimAccepted(strategy=claim.strategy, fence=claim.fence, kind=self.settings.kind))

    @handles(Said)
    def hear(self, said, _sender):
        self.settings.heard.append((said.fence, said.number))


class World:
    def __init__(self, system, server):
        self.system, self.server = system, server
        self.records, self.reads, self.appended, self.begun, self.heard = [], [], [], [], []
        self.is_away, self.answers, self.appends, self.kind = False, True, "durable", "march:March"

    def start(self, settings=SETTINGS):
        self.system.start("journal", PlayedJournal, self)
        self.system.start("march", PlayedDeputy, self)
        self.system.start("nodes", Gate, settings)
        self.run_for(0.05)
        return self

    def run_for(self, seconds):
        self.system.base.run_for(seconds)

    def node(self, life, *, number=1):
        return Node(self, life, number)

    @property
    def counts(self):
        return self.system.request("nodes", Ping()).statistics


class Node:
    """Another node, with one link to the gate."""

    def __init__(self, world, life, number):
        self.world, self.life = world, life
        self.link = LinkEnd(own=life, peer=world.server.life, number=number, waiting_max=99, again_ns=SECOND_NS // 2)
        self.is_over = False

    def send(self):
        """Have what it has to say come to the gate; return the frames."""
        frames = []
        while (frame := self.link.due(self.world.system.base.clock.monotonic_ns())) is not None:
            frames.append(frame)
        self.world.server.inbox += frames
        return frames

    def exchange(self, *messages, seconds=0.05):
        """Say this, and return what the gate says."""
        for message in messages:
            assert self.link.say(message)
        self.send()
        self.world.run_for(seconds)
        return self.receive()

    def receive(self):
        server, told = self.world.server, []
        mine = [frame_of(written) for life, written in server.posted if life == self.life]
        server.posted = [each for each in server.posted if each[0] != self.life]
        for frame in mine:
            if frame.is_over:
                self.is_over = True
            else:
                told += self.link.hear(frame, self.world.system.base.clock.monotonic_ns())
        return told

    def claim(self, fence, **how):
        return self.exchange(ClaimStrategy(strategy="march", fence=fence), **how)


def said(number, fence=1):
    return Said(strategy="march", fence=fence, actor="orders", message=encode(Ping()), number=number)


def admitted(*fences):
    return [
        JournalRecord(
            sequence=sequence, recorded_ns=sequence, correlation_id="",
            fact=StrategyAdmitted(strategy="march", fence=fence, holder=holder, occurred_ns=1),
        ) for sequence, (fence, holder) in enumerate(fences, 1)
    ]  # fmt: skip


ACCEPTED = [ClaimAccepted(strategy="march", fence=1)]


@pytest.fixture
def world(monkeypatch):
    server = PlayedServer()

    def served(_settings, life):
        server.life = life
        return server

    monkeypatch.setattr(meeting, "PlayServer", served)
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        yield World(system, server)
        assert server.is_closed or system.base.find("nodes").failures == 0


class TestAClaim:
    def test_is_begun_when_it_is_durable_and_not_before(self, world):
        world.appends = "unanswered"
        pune = world.start().node("pune-1")
        before = pune.claim(1)
        begun = list(world.begun)
        world.appends = "durable"

        assert (before, begun) == ([], [])
        assert pune.claim(1) == ACCEPTED
        assert world.appended == [("march", 1, "pune-1")] * 2
        assert world.counts.strategies == {"march": "pune-1"}

    def test_that_cannot_be_made_durable_is_refused_and_the_same_may_be_tried_again(self, world):
        world.appends = "refused"
        pune = world.start().node("pune-1")
        (refused,) = pune.claim(1)
        world.appends = "durable"

        assert isinstance(refused, ClaimRefused)
        assert "the disk is full" in refused.reason
        assert world.begun == []
        assert pune.claim(1) == ACCEPTED

    def test_that_is_made_once_more_begins_anew_without_another_fact(self, world):
        pune = world.start().node("pune-1")

        assert [pune.claim(1), pune.claim(1)] == [ACCEPTED, ACCEPTED]
        assert (world.begun, world.appended) == ([1, 1], [("march", 1, "pune-1")])

    @pytest.mark.parametrize("fence", [4, 5])
    def test_is_refused_where_the_journal_has_the_same_fence_or_a_newer_one(self, world, fence):
        world.records = admitted((3, "pune-0"), (5, "pune-0"))
        (refused,) = world.start().node("pune-1").claim(fence)

        assert (refused.fence, refused.above, refused.reason) == (fence, 5, "a newer fence was given")
        assert (world.appended, world.begun) == ([], [])

    @pytest.mark.parametrize("name", ["dip", "journal", "march"])
    def test_of_a_strategy_that_does_not_run_here_is_refused(self, world, name):
        """Neither one that the settings have not, an actor of natya's say, nor one of which there is no deputy."""
        pune = world.start().node("pune-1")
        if name == "march":
            world.system.stop("march")
        (refused,) = pune.exchange(ClaimStrategy(strategy=name, fence=1))

        assert refused.reason == "a strategy that runs here, with host 'node', is wanted"
        assert (world.appended, world.begun) == ([], [])

    def test_is_not_heard_before_all_fences_are_read_and_then_it_is(self, world, monkeypatch):
        monkeypatch.setattr(gate, "PAGE_RECORDS", 2)
        world.records = admitted((1, "a"), (2, "b"), (3, "c"))
        world.is_away = True
        pune = world.start().node("pune-1")
        early = pune.claim(3)
        world.is_away = False
        world.run_for(0.6)
        (refused,) = pune.exchange()

        assert (early, refused.above) == ([], 3)
        assert world.reads[-2:] == [0, 2]
        assert len(world.reads) >= 3
        assert pune.claim(4) == [ClaimAccepted(strategy="march", fence=4)]

    @pytest.mark.parametrize("answers", [True, False])
    def test_is_made_to_nobody_while_the_fences_are_not_read_and_why_is_told(self, world, monkeypatch, caplog, answers):
        monkeypatch.setattr(gate, "JOURNAL_TIMEOUT_S", 0.3)
        world.is_away, world.answers = True, answers
        world.start().run_for(3)
        announced = world.server.announced
        world.is_away = False
        world.run_for(1)

        assert (announced, world.server.announced) == (0, 1)
        told = {each.fields["found"] for each in caplog.records if each.message == "play.fences_not_read"}
        down = Unavailable(actor="journal", reason="down", retry_after_s=0)
        assert told == {str(down) if answers else "no answer in 0.3 s from journal to ReadJournal"}

    @pytest.mark.parametrize(("kind", "told"), [("march:March", ""), ("march:Steeper", "march:Steeper")])
    def test_names_the_class_only_where_it_is_not_that_of_the_settings(self, world, kind, told):
        """Each node may have another path to the latter."""
        world.kind = kind

        assert world.start().node("pune-1").claim(1) == [ClaimAccepted(strategy="march", fence=1, kind=told)]

    def test_ends_when_another_is_admitted(self, world):
        pune, nagpur = world.start().node("pune-1"), world.node("nagpur-1")
        pune.claim(1)
        nagpur.claim(2)
        (refused,) = pune.exchange(said(1))

        assert (refused.fence, refused.above, refused.reason) == (1, 2, "its claim is over")
        assert nagpur.exchange(said(2, fence=2)) == []
        assert world.heard == [(2, 2)]
        assert (world.counts.refused, world.counts.strategies) == (1, {"march": "nagpur-1"})

    def test_ends_when_another_is_admitted_whose_node_has_gone_meanwhile(self, world):
        pune = world.start().node("pune-1")
        pune.claim(1)
        fences, newer = world.system.base.find("nodes").instance._fences, Fence(2, "nagpur-1")
        assert fences.propose("march", newer)
        assert fences.admit("march", newer)
        (refused,) = pune.exchange(said(1))

        assert (refused.fence, refused.above, refused.reason) == (1, 2, "its claim is over")
        assert world.heard == []

    def test_that_is_durable_only_when_a_newer_one_is_begins_nothing(self, world):
        pune, nagpur = world.start().node("pune-1"), world.node("nagpur-1")
        world.appends = "late"
        pune.claim(1)
        world.appends = "durable"
        nagpur.claim(2)
        world.run_for(2)

        assert world.begun == [2]
        assert world.counts.strategies == {"march": "nagpur-1"}

    def test_that_is_durable_only_when_its_link_is_over_begins_nothing(self, world):
        pune = world.start().node("pune-1")
        world.appends = "late"
        pune.claim(1)
        world.node("pune-1", number=2).exchange(said(1))
        world.run_for(2)

        assert world.begun == []
        assert world.counts.strategies == {"march": ""}

    def test_ends_with_the_life_of_its_deputy(self, world):
        pune = world.start().node("pune-1")
        pune.claim(1)
        world.system.tell("nodes", DeputyBegan(strategy="march"))
        (refused,) = pune.exchange()
        (again,) = pune.exchange(said(1))

        assert (refused.fence, refused.reason) == (1, "its deputy was restarted, or has ended")
        assert again.reason == "its claim is over"
        assert world.heard == []
        assert pune.claim(1) == ACCEPTED


class TestWhatANodeSays:
    def test_is_heard_in_order_and_once_however_often_it_comes(self, world):
        pune = world.start().node("pune-1")
        pune.claim(1)
        for number in (1, 2, 3):
            pune.link.say(said(number))
        frames = pune.send()
        world.server.inbox += frames
        world.run_for(0.05)
        world.server.inbox += frames
        world.run_for(0.05)

        assert world.heard == [(1, 1), (1, 2), (1, 3)]
        assert (world.counts.received, world.counts.refused) == (4, 0)

    @pytest.mark.parametrize(("fence", "life"), [(2, "pune-1"), (1, "nagpur-1")], ids=["other fence", "other node"])
    def test_is_heard_of_the_holder_under_its_fence_alone(self, world, fence, life):
        pune = world.start().node("pune-1")
        pune.claim(1)
        speaker = pune if life == pune.life else world.node(life)
        (refused,) = speaker.exchange(said(1, fence=fence))

        assert (refused.reason, refused.fence) == ("its claim is over", fence)
        assert (world.heard, world.counts.refused) == ([], 1)

    def test_over_a_newer_link_ends_the_one_before_and_wants_a_new_claim(self, world):
        old = world.start().node("pune-1")
        old.claim(1)
        new = world.node("pune-1", number=2)
        (refused,) = new.exchange(said(1))
        assert world.counts.strategies == {"march": ""}
        old.exchange(said(2))

        assert refused.reason == "its claim is over"
        assert world.heard == []
        assert world.counts.links == 1
        assert new.claim(1) == ACCEPTED

    @pytest.mark.parametrize("has_older", [False, True])
    def test_over_a_link_that_the_gate_does_not_know_is_told_that_it_is_over(self, world, has_older):
        world.start()
        if has_older:
            world.node("pune-1").claim(1)
        pune = world.node("pune-1", number=2)
        pune.link.say(said(1))
        pune.link.due(0)  # it is lost
        pune.link.hear(NodeFrame(sender="mumbai", link=2, confirms=1), 0)
        pune.exchange(said(2))

        assert pune.is_over
        assert (world.heard, world.counts.links) == ([], int(has_older))

    def test_and_is_neither_a_claim_nor_of_a_strategy_says_nothing(self, world):
        pune = world.start().node("pune-1")
        pune.claim(1)

        assert pune.exchange(NothingSaid(), said(1)) == []
        assert world.heard == [(1, 1)]
        assert (world.counts.links, world.counts.refused) == (1, 0)

    def test_that_is_none_of_ours_ends_its_link(self, world, caplog):
        pune = world.start().node("pune-1")
        pune.claim(1)
        bad = NodeFrame(sender="pune-1", link=1, first=2, letters=(b"\\xff",))
        world.server.inbox += [b"no frame", encode(bad)]
        world.run_for(0.05)

        assert world.counts.links == 0
        assert {"play.no_frame", "play.letter_refused"} <= {each.message for each in caplog.records}

    @pytest.mark.parametrize(("seconds", "links"), [(2.5, 1), (3.5, 0)])
    def test_lets_it_be_known_until_it_says_nothing_for_long(self, world, monkeypatch, seconds, links):
        monkeypatch.setattr(gate, "GONE_NS", 3 * SECOND_NS)
        world.start().run_for(10)
        world.node("pune-1").claim(1)
        world.run_for(seconds)

        assert (world.counts.links, world.counts.strategies["march"]) == (links, "pune-1" if links else "")


class TestWhatANodeIsTold:
    @pytest.mark.parametrize(("fence", "is_told"), [(1, True), (2, False)])
    def test_is_of_the_claim_that_counts(self, world, fence, is_told):
        pune = world.start().node("pune-1")
        pune.claim(1)
        fact = Told(strategy="march", fence=fence, message=encode(Ping()), number=3)
        world.system.tell("nodes", fact)

        assert pune.exchange() == ([fact] if is_told else [])

    def test_is_nothing_while_nobody_runs_the_strategy(self, world):
        pune = world.start().node("pune-1")
        pune.exchange(NothingSaid())
        world.system.tell("nodes", Told(strategy="march", fence=1, message=encode(Ping())))

        assert pune.exchange() == []
        assert world.system.base.find("nodes").failures == 0

    def test_over_a_link_that_is_over_ends_no_other(self, world):
        world.start(msgspec.structs.replace(SETTINGS, waiting_max=2)).node("pune-1").claim(1)
        acting = world.system.base.find("nodes").instance
        old = acting._links["pune-1"]
        world.node("pune-1", number=2).exchange(NothingSaid())
        for _ in range(3):
            acting._say(old, Told(strategy="march", fence=1, message=b""))

        assert [link.number for link in acting._links.values()] == [2]

    def test_is_sent_again_until_it_is_confirmed_and_then_no_more(self, world):
        pune = world.start().node("pune-1")
        pune.claim(1)
        pune.exchange()
        fact = Told(strategy="march", fence=1, message=encode(Ping()))
        world.system.tell("nodes", fact)
        world.run_for(1.2)
        sent = len(world.server.posted)
        told = pune.receive()
        pune.exchange()
        world.run_for(3)

        assert 2 <= sent <= 4
        assert told == [fact]
        assert world.counts.sent == 2  # and the answer to the claim
        assert pune.receive() == []
        assert world.counts.repeats == sent - 1

    def test_that_waits_too_long_ends_the_link(self, world, caplog):
        pune = world.start(PlaySettings(**{name: getattr(SETTINGS, name) for name in SETTINGS.__struct_fields__}
                                        | {"waiting_max": 2})).node("pune-1")  # fmt: skip
        pune.claim(1)
        pune.exchange()
        for number in range(3):
            world.system.tell("nodes", Told(strategy="march", fence=1, message=b"", number=number))
        world.run_for(0.05)

        assert (world.counts.links, world.counts.strategies) == (0, {"march": ""})
        assert "play.node_too_slow" in {each.message for each in caplog.records}


class TestAServerThatIsAway:
    def test_is_trouble_until_it_is_back_and_loses_nothing(self, world):
        pune = world.start().node("pune-1")
        world.run_for(1.2)
        before = world.counts
        world.server.trouble = "Timeout: as the test says"
        world.run_for(1)
        away = world.counts
        pune.link.say(ClaimStrategy(strategy="march", fence=1))
        pune.send()
        world.run_for(1)
        world.server.trouble = ""
        world.run_for(1.5)

        assert (before.is_connected, before.reason) == (True, "")
        assert (away.is_connected, away.reason) == (False, "no way to the other nodes: Timeout: as the test says")
        assert pune.receive() == ACCEPTED
        assert (world.counts.is_connected, world.counts.reason) == (True, "")

    def test_hears_again_and_again_which_broker_node_there_is(self, world):
        world.start().run_for(4)

        assert world.server.broker == world.counts.node
        assert 3 <= world.server.announced <= 5

    def test_that_has_this_one_s_name_from_before_is_no_error(self, world, caplog):
        world.start().node("pune-1").claim(1)
        world.run_for(3)

        assert world.server.announced >= 2
        assert not [each for each in caplog.records if each.message == "play.another_broker_node"]

    @pytest.mark.parametrize("has_session", [False, True])
    def test_that_knows_of_another_broker_node_is_an_error_while_strategies_run(self, world, caplog, has_session):
        world.start()
        if has_session:
            world.node("pune-1").claim(1)
        world.server.broker = "another-1"
        world.run_for(gate.ANNOUNCE_NS / SECOND_NS + 0.5)

        told = [each for each in caplog.records if each.message == "play.another_broker_node"]
        assert [each.fields["found"] for each in told] == ["another-1"] * has_session


class TestTicks:
    def tell(self, world, *ticks):
        for tick in ticks:
            world.system.tell("nodes", tick)

    def spread(self, world):
        return [(each.first, decode(each.ticks).ticks) for each in world.server.batches]

    def test_are_spread_in_their_order_and_numbered(self, world):
        ticks = [a_tick(number) for number in range(1, 8)]
        world.start()
        for each in (ticks[:3], ticks[3:]):
            self.tell(world, *each)
            world.run_for(0.05)

        batches = self.spread(world)
        assert [tick for _, found in batches for tick in found] == ticks
        assert [first for first, _ in batches] == [1 + sum(len(f) for _, f in batches[:n]) for n in range(len(batches))]
        assert {each.sender for each in world.server.batches} == {world.counts.node}
        assert (world.counts.ticks, world.counts.ticks_lost) == (7, 0)

    def test_that_come_while_some_are_sent_leave_together_after_them(self, world, monkeypatch):
        monkeypatch.setattr(jobs, "LATENCY_NS_MAX", 200_000_000)
        world.start().run_for(1.0)
        for number in range(1, 5):
            self.tell(world, a_tick(number))
            world.run_for(0.000_01)
        world.run_for(1.0)

        assert [len(found) for _, found in self.spread(world)] == [1, 3]

    def test_are_all_of_them_where_as_many_wait_as_may(self, world, monkeypatch):
        monkeypatch.setattr(gate, "TICKS_WAITING_MAX", 3)
        world.start()
        world.system.base.find("nodes").instance._is_spreading = True  # the server is slow
        self.tell(world, a_tick(1), a_tick(2))
        world.run_for(0.05)
        world.system.base.find("nodes").instance._is_spreading = False
        self.tell(world, a_tick(3))
        world.run_for(0.05)

        assert [tick.sequence for _, found in self.spread(world) for tick in found] == [1, 2, 3]
        assert world.counts.ticks_lost == 0

    def test_are_the_newest_of_each_symbol_where_too_many_wait(self, world, monkeypatch):
        monkeypatch.setattr(gate, "TICKS_WAITING_MAX", 3)
        world.start()
        world.system.base.find("nodes").instance._is_spreading = True  # the server is slow
        self.tell(world, *(a_tick(number, "INFY" if number % 2 else "TCS") for number in range(1, 9)))
        world.run_for(0.05)
        world.system.base.find("nodes").instance._is_spreading = False
        self.tell(world, a_tick(9))
        world.run_for(0.05)

        assert [tick.sequence for _, found in self.spread(world) for tick in found] == [9, 8]
        assert (world.counts.ticks, world.counts.ticks_lost) == (2, 7)

    def test_that_are_lost_leave_a_gap_in_the_numbers(self, world):
        world.start()
        world.server.trouble = "down"
        self.tell(world, a_tick(1), a_tick(2))
        world.run_for(0.05)
        world.server.trouble = ""
        self.tell(world, a_tick(3))
        world.run_for(0.05)

        assert self.spread(world) == [(3, (a_tick(3),))]

    def test_that_alone_are_lost_are_trouble_too(self, world, caplog):
        world.start().run_for(1.2)
        world.server.spread = lambda _batch: PlayedServer.expect_up(Down)
        self.tell(world, a_tick(1))
        world.run_for(0.05)

        assert [each.fields["reason"] for each in caplog.records if each.message == "play.lost"] == ["down"]


class TestItsEnd:
    def test_waits_for_one_node_though_another_has_confirmed_all(self, world):
        pune = world.start().node("pune-1")
        pune.claim(1)
        pune.exchange()
        delhi = world.node("delhi-1")
        delhi.claim(1)  # refused, and that is not confirmed
        began_ns = world.system.base.clock.monotonic_ns()
        world.system.stop("nodes")

        assert world.system.base.clock.monotonic_ns() - began_ns >= meeting.DRAIN_NS

    @pytest.mark.parametrize("is_confirmed", [False, True])
    def test_waits_a_little_for_its_last_words_to_be_confirmed(self, world, is_confirmed):
        pune = world.start().node("pune-1")
        pune.claim(1)
        if is_confirmed:
            pune.exchange()
        began_ns = world.system.base.clock.monotonic_ns()
        world.system.stop("nodes")
        took_ns = world.system.base.clock.monotonic_ns() - began_ns

        assert (took_ns < SECOND_NS // 2) == is_confirmed
        assert took_ns < meeting.DRAIN_NS + SECOND_NS // 2
        assert world.server.is_closed
