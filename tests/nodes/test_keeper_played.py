"""What the keeper of a strategy node makes of leases, of the broker node's words and of ticks, on virtual time."""

import msgspec
import pytest
from natya_builders import a_tick
from thespian.actors import ActorExitRequest

from natya.actors.external.streams import ServerDownError
from natya.actors.nodes import Keeper, PlaySettings, hosted, incoming, meeting, node
from natya.actors.nodes.door import Door
from natya.actors.nodes.link_end import LinkEnd, frame_of
from natya.actors.nodes.server import Batch, Board, Came
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase, jobs
from natya.config.sections.nodes import NodesSettings
from natya.config.sections.redis import RedisSettings
from natya.config.sections.strategy import StrategySettings
from natya.domain.nodes.lease import Lease, Seen
from natya.domain.time import SECOND_NS
from natya.messages.codec import decode, encode
from natya.messages.events import DeliverRecord
from natya.messages.holdings import HoldingsRead, ReadHoldings
from natya.messages.journal import JournalRecord
from natya.messages.market import Tick, Ticks
from natya.messages.nodes import ClaimAccepted, ClaimRefused, ClaimStrategy, NodeFrame, NothingSaid, Said, Told
from natya.messages.orders import OrderAccepted
from natya.messages.strategies import (
    ReloadStrategy,
    StartStrategy,
    StopStrategy,
    StrategyChanged,
    StrategyNotChanged,
    SwapStrategy,
)
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping

LEASE_S = 2.0
SETTINGS = PlaySettings(
    server=RedisSettings.default(),
    limits=NodesSettings.default(play="p", name="pune", lease_s=LEASE_S),
    strategies=(StrategySettings(name="march", strategy="march:March", host="node", position_max=5),),
    retry_s=0.2,
    again_s=0.5,
)
STEEPER = SwapStrategy(name="march", strategy="march:Steeper")
HELD = HoldingsRead(strategy="march", shares={"INFY": 3}, filled={})


class PlayedServer:
    """In the place of `PlayServer`."""

    def __init__(self):
        self.trouble, self.life = "", ""
        self.broker, self.lease, self.data = "mumbai-1", None, "data-1"
        self.inbox, self.batches, self.posted = [], [], []

    def expect_up(self):
        if self.trouble:
            raise ServerDownError(self.trouble)

    def look(self, strategies):
        self.expect_up()
        return Board(self.broker, {name: Seen(self.lease, self.data) for name in strategies})

    def swap(self, strategy, seen, lease):
        self.expect_up()
        assert strategy == "march"
        if Seen(self.lease, self.data) != seen:
            return False
        self.lease = lease
        return True

    def take(self, *, with_ticks):
        assert with_ticks
        self.expect_up()
        came = Came(self.inbox, self.batches)
        self.inbox, self.batches = [], []
        return came

    def post(self, frames):
        self.expect_up()
        self.posted += frames

    def close(self):
        pass


class Say(msgspec.Struct, frozen=True):
    """To the strategy: ask orders what it holds."""


class PlayedStrategy(RuntimeActor):
    """Asks orders when it is told to; keeps what it hears."""

    @handles(Say)
    def say(self, _message, _sender):
        self.ask("orders", ReadHoldings(strategy="march"), timeout_s=9, then=self.keep)

    def keep(self, outcome):
        self.settings.answers.append(type(outcome.value or outcome.error).__name__)

    @handles(JournalRecord)
    def hear(self, record, _sender):
        self.settings.facts.append(record.fact.broker_order_id)

    @handles(OrderAccepted)
    def hear_apart(self, fact, _sender):
        self.settings.apart.append(fact.broker_order_id)


class Done(msgspec.Struct, frozen=True):
    """To the supervisor itself: tell what was done."""

    asker: object
    answer: object


class BeginAgain(msgspec.Struct, frozen=True):
    """To the supervisor itself: the old one has ended."""

    asker: object
    answer: object


class PlayedStrategies(RuntimeActor):
    """Starts, stops and swaps the strategy, each in a tenth of a second, unless the test says otherwise."""

    def on_start(self):
        self.is_busy = False

    @handles(SwapStrategy, ReloadStrategy)
    def swap(self, request, sender):
        """As the supervisor does: for a while there is none."""
        self.settings.changes.append((type(request).__name__, self.settings.system.base.clock.monotonic_ns()))
        self.is_busy = True
        self.send("march", ActorExitRequest())
        self.after(self.settings.swap_s, BeginAgain(sender, self.settings.swapped))

    @handles(BeginAgain)
    def begin_again(self, begin, _sender):
        self.is_busy = False
        self.start_child("march", PlayedStrategy, self.settings)
        self.send(begin.asker, begin.answer)

    @handles(StartStrategy)
    def start(self, request, sender):
        world = self.settings
        world.changes.append(("start", world.system.base.clock.monotonic_ns()))
        world.started.append(request)
        if world.cannot_start:
            self.send(sender, StrategyNotChanged(name="march", reason="no such module"))
            return
        self.start_child("march", PlayedStrategy, world)
        self.after(0.1, Done(sender, StrategyChanged(name="march", strategy="march:March")))

    @handles(StopStrategy)
    def stop(self, _request, sender):
        self.settings.changes.append(("stop", self.settings.system.base.clock.monotonic_ns()))
        if self.is_busy:
            self.send(sender, StrategyNotChanged(name="march", reason="it is being changed already", is_busy=True))
            return
        if self.settings.cannot_stop:
            self.send(sender, StrategyNotChanged(name="march", reason="it hangs"))
            return
        if "march" in self.directory:
            self.send("march", ActorExitRequest())
        self.after(0.1, Done(sender, StrategyChanged(name="march", strategy="")))

    @handles(Done)
    def tell(self, done, _sender):
        self.send(done.asker, done.answer)


class PlayedEvents(RuntimeActor):
    @handles(DeliverRecord)
    def deliver(self, request, _sender):
        self.send(request.subscriber, request.record)

    @handles(Ticks)
    def hear(self, ticks, _sender):
        self.settings.ticks += ticks.ticks


class World:
    """The keeper; the test is the server and the broker node."""

    def __init__(self, system, server):
        self.system, self.server = system, server
        self.changes, self.started, self.answers, self.facts, self.ticks = [], [], [], [], []
        self.apart = []
        self.swap_s, self.swapped = 0.1, StrategyChanged(name="march", strategy="march:Steeper")
        self.cannot_start = self.cannot_stop = False
        self.link, self.said = None, []

    def start(self):
        self.system.start("strategies", PlayedStrategies, self)
        self.system.start("events", PlayedEvents, self)
        self.system.start("orders", Door)
        self.system.start("nodes", Keeper, SETTINGS)
        self.link = self.broker("mumbai-1")
        return self

    def broker(self, life, *, number=1):
        return LinkEnd(own=life, peer=self.server.life, number=number, waiting_max=99, again_ns=SECOND_NS)

    def run_for(self, seconds):
        self.system.base.run_for(seconds)

    def exchange(self, *messages, seconds=0.3):
        """As the broker node: say this, and return what the node says."""
        now_ns = self.system.base.clock.monotonic_ns
        for message in messages:
            self.link.say(message)
        while (frame := self.link.due(now_ns())) is not None:
            self.server.inbox.append(frame)
        self.run_for(seconds)
        heard = []
        for written in [each for life, each in self.server.posted if life == self.link._own]:
            frame = frame_of(written)
            if frame.link == self.link.number:
                heard += self.link.hear(frame, now_ns())
        self.server.posted.clear()
        return [each for each in heard if not isinstance(each, NothingSaid)]

    def claim(self):
        """Run until the node claims; return the claim."""
        for _ in range(60):
            for message in self.exchange(seconds=0.1):
                if isinstance(message, ClaimStrategy):
                    return message
        raise AssertionError("no claim")

    def running(self):
        """Run until the strategy is there under a claim; return the fence."""
        claim = self.claim()
        self.exchange(ClaimAccepted(strategy="march", fence=claim.fence), seconds=0.4)
        assert "march" in self.system.base.names
        return claim.fence

    @property
    def counts(self):
        return self.system.request("nodes", Ping()).statistics


@pytest.fixture
def world(monkeypatch):
    server = PlayedServer()

    def served(_settings, life):
        server.life = life
        return server

    monkeypatch.setattr(meeting, "PlayServer", served)
    monkeypatch.setattr(jobs, "LATENCY_NS_MAX", 20_000_000)
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        yield World(system, server)
        assert system.base.find("nodes").failures == 0


def accepted(number):
    return OrderAccepted(client_order_id="a-1", broker_order_id=f"X-{number}", occurred_ns=number)


def fact(number):
    return encode(JournalRecord(sequence=number, recorded_ns=number, correlation_id="", fact=accepted(number)))


def reports(heard):
    """What the node says of its strategy, with the fence."""
    return [
        (each.fence, decode(each.message)) for each in heard if isinstance(each, Said) and each.actor == "strategies"
    ]


def test_its_counts_begin_without_a_link_and_add_up_over_those_that_are_over(world):
    world.server.broker = ""
    world.start().run_for(0.5)
    alone = world.counts
    assert (alone.links, alone.sent, alone.received, alone.repeats, alone.is_connected) == (0, 0, 0, 0, True)

    world.server.broker = "mumbai-1"
    world.running()
    first = world.counts
    world.server.broker = "mumbai-2"
    world.link = world.broker("mumbai-2")
    world.exchange(seconds=1.0)

    assert first.links == world.counts.links == 1
    assert first.sent > 0
    assert world.counts.sent >= first.sent
    assert world.counts.received == first.received == 1


class TestALease:
    def test_that_nobody_has_is_taken_after_a_whole_lease_of_watching_and_then_claimed(self, world):
        world.start().exchange(seconds=LEASE_S - 0.1)
        early = world.server.lease
        claim = world.claim()

        assert early is None
        assert (world.server.lease.holder, world.server.lease.fence) == (world.server.life, claim.fence)
        assert world.changes == []

    def test_that_another_renews_is_left_to_it(self, world):
        world.start()
        for beat in range(9):
            world.server.lease = Lease(fence=3, holder="nagpur-1", beat=beat)
            assert world.exchange(seconds=0.5) == []

        assert world.server.lease.holder == "nagpur-1"
        assert world.counts.strategies == {"march": "elsewhere"}

    def test_that_another_renews_no_more_is_taken_with_a_greater_fence(self, world):
        world.server.lease = Lease(fence=3, holder="nagpur-1", beat=9)

        assert world.start().claim().fence > 3

    def test_is_renewed_while_its_claim_is_refused_again_and_again(self, world):
        """The journal of the broker node is away, say: nobody else would be admitted either."""
        claim = world.start().claim()
        before, refusals = world.server.lease.beat, 0
        for _ in range(round(3 * LEASE_S / 0.05)):
            refused = ClaimRefused(strategy="march", fence=claim.fence, above=0, reason="it could not be made durable")
            heard = world.exchange(*[refused] * (refusals == 0), seconds=0.05)
            refusals = 0 if any(isinstance(each, ClaimStrategy) for each in heard) else 1

        assert world.server.lease.beat - before >= 10
        assert (world.server.lease.fence, world.server.lease.holder) == (claim.fence, world.server.life)

    def test_is_looked_at_no_more_while_a_look_is_on_its_way(self, world):
        """A server that hangs would find them all when it is back, each with what was so when it was asked."""
        world.start().run_for(0.1)
        keeper = world.system.base.find("nodes").instance
        keeper._is_looking, before_ns = True, keeper._looked_ns
        world.run_for(3 * LEASE_S)

        assert keeper._looked_ns == before_ns

    def test_is_renewed_while_the_strategy_runs(self, world):
        world.start().running()
        before = world.server.lease.beat
        world.exchange(seconds=3 * LEASE_S)

        assert world.server.lease.beat - before >= 11
        assert [what for what, _ in world.changes] == ["start"]
        assert world.counts.strategies == {"march": "running"}


class TestAStrategy:
    def test_is_started_when_its_claim_is_accepted_without_the_limits_of_the_gate(self, world):
        world.start().running()
        (started,) = world.started
        settings = msgspec.json.decode(started.settings, type=StrategySettings)

        assert (started.name, settings.host, settings.position_max) == ("march", "loop", None)

    @pytest.mark.parametrize(
        ("sender", "link"), [("mumbai-0", 1), ("mumbai-1", 2), (None, 0)], ids=["other life", "other link", "no frame"]
    )
    def test_is_not_started_by_a_frame_of_another_link_and_by_its_own_behind_it(self, world, sender, link):
        claim = world.start().claim()
        accepted = ClaimAccepted(strategy="march", fence=claim.fence)
        foreign = NodeFrame(sender=sender or "", link=link, first=1, letters=(encode(accepted),))
        world.server.inbox.append(b"no frame" if sender is None else encode(foreign))
        world.run_for(0.3)
        assert world.changes == []
        world.server.inbox.append(b"no frame" if sender is None else encode(foreign))
        world.exchange(accepted, seconds=0.4)

        assert [what for what, _ in world.changes] == ["start"]

    def test_is_not_started_before_there_is_a_link(self, world):
        world.server.broker = ""
        world.start()
        world.exchange(ClaimAccepted(strategy="march", fence=1))

        assert (world.changes, world.counts.received) == ([], 0)

    def test_hears_nothing_of_one_that_is_none_of_this_play(self, world):
        claim = world.start().claim()
        world.exchange(*(Told(strategy=name, fence=claim.fence, message=fact(1)) for name in ("waltz", "")))

        assert world.counts.received == 2
        assert world.counts.strategies == {"march": "claiming"}

    def test_is_claimed_again_a_while_after_a_refusal_and_not_by_a_node_that_stops(self, world):
        claim = world.start().claim()
        refused = ClaimRefused(strategy="march", fence=claim.fence, above=0, reason="it could not be made durable")
        assert world.exchange(refused, seconds=LEASE_S / 5 - 0.1) == []
        (again,) = world.exchange(seconds=0.3)
        assert again == claim
        world.system.base.find("nodes").instance.is_drained()

        assert world.exchange(refused, seconds=LEASE_S / 2) == []

    def test_is_not_claimed_under_a_fence_that_was_refused(self, world):
        claim = world.start().claim()
        world.server.swap = lambda *_: False  # another is faster: no renewal has a greater one
        refused = ClaimRefused(strategy="march", fence=claim.fence, above=7, reason="a newer fence was given")

        assert world.exchange(refused, seconds=0.5 * LEASE_S) == []

    def test_is_not_started_by_an_answer_to_another_claim(self, world):
        claim = world.start().claim()
        world.exchange(ClaimAccepted(strategy="march", fence=claim.fence + 1))

        assert world.changes == []

    def test_that_somebody_else_has_started_here_says_nothing_before_its_claim_is_accepted(self, world):
        claim = world.start().claim()
        world.system.tell("strategies", StartStrategy(name="march", settings=""))
        world.run_for(0.05)
        world.system.tell("march", Say())
        heard = world.exchange(seconds=0.05)

        assert world.answers == ["Unavailable"]
        assert [each for each in heard if isinstance(each, Said)] == []
        assert world.counts.strategies == {"march": "claiming"}
        assert claim.fence > 0

    def test_that_is_claimed_is_not_taken_back_by_a_late_word_of_its_stop(self, world):
        claim = world.start().claim()
        world.system.tell("nodes", StrategyChanged(name="march", strategy=""))
        world.exchange(ClaimAccepted(strategy="march", fence=claim.fence), seconds=0.4)

        assert world.counts.strategies == {"march": "running"}

    def test_that_is_to_stop_is_not_there_while_it_is_being_changed_and_has_not_stopped(self, world):
        fence = world.start().running()
        world.cannot_stop = True
        world.exchange(ClaimRefused(strategy="march", fence=fence, above=0, reason="its deputy has ended"), seconds=0.1)
        world.system.tell("march", ActorExitRequest())
        world.run_for(0.1)
        found = []
        for is_busy in (True, False):
            world.system.tell("nodes", StrategyNotChanged(name="march", reason="as the test says", is_busy=is_busy))
            found.append(world.counts.strategies["march"])

        assert "march" not in world.system.base.names
        assert found == ["stopping", "elsewhere"]

    def test_that_is_none_of_this_play_is_told_that_nobody_speaks_for_it(self, world):
        world.start().running()
        answer = world.system.request("orders", ReadHoldings(strategy="waltz"))

        assert (type(answer), answer.actor, answer.retry_after_s) == (Unavailable, "orders", node.RETRY_AFTER_S)
        assert answer.reason == "this node does not speak for it, or does not reach the broker node"

    def test_asks_by_the_door_and_is_answered(self, world):
        fence = world.start().running()
        world.system.tell("march", Say())
        (said,) = world.exchange()
        world.exchange(Told(strategy="march", fence=fence, message=encode(HELD), number=said.number))

        assert (said.strategy, said.fence, said.actor) == ("march", fence, "orders")
        assert decode(said.message) == ReadHoldings(strategy="march")
        assert world.answers == ["HoldingsRead"]

    def test_hears_facts_in_order_those_too_that_came_before_it_was_there(self, world):
        claim = world.start().claim()
        early = [Told(strategy="march", fence=claim.fence, message=fact(number)) for number in (1, 2)]
        world.exchange(ClaimAccepted(strategy="march", fence=claim.fence), *early, seconds=0.5)
        world.exchange(Told(strategy="march", fence=claim.fence, message=fact(3)))
        world.exchange(Told(strategy="march", fence=claim.fence + 1, message=fact(4)))

        assert world.facts == ["X-1", "X-2", "X-3"]

    @pytest.mark.parametrize(("count", "changes"), [(2, ["start"]), (3, ["start", "stop"])])
    def test_may_have_as_many_facts_wait_as_may_and_loses_its_claim_with_one_more(
        self, world, monkeypatch, count, changes
    ):
        monkeypatch.setattr(hosted, "FACTS_MAX", 2)
        claim = world.start().claim()
        told = [Told(strategy="march", fence=claim.fence, message=fact(number)) for number in range(1, count + 1)]
        world.exchange(ClaimAccepted(strategy="march", fence=claim.fence), *told)

        assert [what for what, _ in world.changes] == changes

    def test_hears_what_is_told_to_it_alone(self, world):
        fence = world.start().running()
        world.exchange(Told(strategy="march", fence=fence, message=encode(accepted(7))))

        assert (world.facts, world.apart) == ([], ["X-7"])

    def test_is_stopped_when_its_lease_is_not_renewed_and_says_nothing_after_it(self, world):
        world.start().running()
        world.server.trouble = "hangs"
        began_ns = world.system.base.clock.monotonic_ns()
        world.run_for(LEASE_S)
        (_, (what, at_ns), *_) = world.changes
        world.system.tell("strategies", StartStrategy(name="march", settings=""))  # whoever lets it go on
        world.run_for(0.2)
        world.system.tell("march", Say())
        world.run_for(0.2)
        world.server.trouble = ""
        heard = world.exchange(seconds=0.2)

        assert what == "stop"
        assert at_ns - began_ns < 0.6 * LEASE_S * SECOND_NS
        assert world.answers == ["Unavailable"]
        assert not [each for each in heard if isinstance(each, Said)]

    def test_that_does_not_stop_says_its_last_words_and_nothing_after_its_lease(self, world, monkeypatch):
        world.start().running()
        world.cannot_stop = True
        world.server.trouble = "hangs"
        world.run_for(0.6 * LEASE_S)
        world.system.tell("march", Say())
        world.run_for(0.05)
        last_words = list(world.answers)
        monkeypatch.setattr(meeting, "TURN_S", 60.0)  # nobody looks in between
        world.run_for(0.6 * LEASE_S)
        world.system.tell("march", Say())
        world.run_for(0.05)

        assert last_words == []
        assert world.answers == ["Unavailable"]

    @pytest.mark.parametrize(("of_a_lease", "answers"), [(0.7, []), (0.9, ["Unavailable"])])
    def test_whose_lease_ends_waits_for_no_answer_any_more(self, world, of_a_lease, answers):
        """Its stop would wait for one as long as a question may take."""
        world.start().running()
        world.cannot_stop = True
        world.server.trouble = "hangs"
        world.system.tell("march", Say())
        world.run_for(of_a_lease * LEASE_S)

        assert world.answers == answers

    def test_whose_broker_node_is_another_life_waits_for_no_answer_of_the_one_before(self, world):
        world.start().running()
        world.cannot_stop = True
        world.system.tell("march", Say())
        world.exchange(seconds=0.1)
        world.server.broker = "mumbai-2"
        world.run_for(0.6 * LEASE_S)

        assert world.answers == ["Unavailable"]

    def test_whose_claim_is_accepted_twice_begins_once(self, world):
        fence = world.start().running()
        world.exchange(ClaimAccepted(strategy="march", fence=fence))

        assert [what for what, _ in world.changes] == ["start"]

    def test_whose_claim_is_outbid_says_nothing_more_though_it_does_not_stop(self, world):
        fence = world.start().running()
        world.cannot_stop = True
        refused = ClaimRefused(strategy="march", fence=fence, above=fence + 5, reason="another has it")
        before = world.exchange(refused, seconds=0.1)
        world.system.tell("march", Say())
        heard = world.exchange(seconds=0.05)

        assert [each for each in (*before, *heard) if isinstance(each, Said) and each.actor == "orders"] == []
        assert world.answers == ["Unavailable"]

    def test_that_does_not_stop_is_told_to_again_and_again(self, world):
        world.start().running()
        world.cannot_stop = True
        world.server.trouble = "hangs"
        world.run_for(2 * LEASE_S)
        stops = [what for what, _ in world.changes].count("stop")
        during = world.counts.strategies
        world.cannot_stop = False
        world.run_for(1.0)

        assert 3 <= stops <= 7
        assert during == {"march": "stopping"}
        assert world.counts.strategies == {"march": "elsewhere"}
        assert "march" not in world.system.base.names

    @pytest.mark.parametrize("seconds", [0.6 * LEASE_S, LEASE_S], ids=["its lease is over", "it is forgotten"])
    def test_whose_claim_is_not_answered_in_time_does_not_begin(self, world, seconds):
        claim = world.start().claim()
        world.server.trouble = "hangs"
        world.run_for(seconds)
        world.server.trouble = ""
        world.exchange(ClaimAccepted(strategy="march", fence=claim.fence))
        assert world.changes == []
        assert world.running() > 0

    def test_of_whose_questions_too_many_wait_hears_at_once_that_the_oldest_has_no_answer(self, world, monkeypatch):
        monkeypatch.setattr(node, "ASKERS_MAX", 2)
        fence = world.start().running()
        for _ in range(3):
            world.system.tell("march", Say())
        questions = world.exchange()
        told = [Told(strategy="march", fence=fence, message=encode(HELD), number=each.number) for each in questions]
        world.exchange(*told)

        assert len({each.number for each in questions}) == 3
        assert world.answers == ["Unavailable", "HoldingsRead", "HoldingsRead"]

    def test_runs_again_when_the_server_is_back(self, world):
        world.start().running()
        world.server.trouble = "hangs"
        world.run_for(LEASE_S)
        away = world.counts
        world.server.trouble = ""
        world.running()

        assert (away.is_connected, away.reason) == (False, "no way to the other nodes: hangs")
        assert [what for what, _ in world.changes] == ["start", "stop", "start"]

    @pytest.mark.parametrize("why", ["refused", "over", "unreadable", "another broker node", "another's lease"])
    def test_is_stopped_when_its_claim_has_ended(self, world, why):
        fence = world.start().running()
        match why:
            case "refused":
                world.exchange(ClaimRefused(strategy="march", fence=fence, above=7, reason="a newer fence was given"))
            case "over":
                world.server.inbox.append(encode(NodeFrame(sender="mumbai-1", link=1, is_over=True)))
            case "unreadable":
                unreadable = NodeFrame(sender="mumbai-1", link=1, first=2, letters=(b"\xff",))
                world.server.inbox += [encode(unreadable), encode(unreadable)]
            case "another broker node":
                world.server.broker = "mumbai-2"
            case _:
                world.server.lease = Lease(fence=fence + 1, holder="nagpur-1", beat=1)
        world.exchange(seconds=0.8)
        world.run_for(0.2)

        assert [what for what, _ in world.changes][:2] == ["start", "stop"]
        assert "march" not in world.system.base.names

    def test_is_claimed_again_with_a_greater_fence_after_a_refusal(self, world):
        first = world.start().claim()
        world.exchange(ClaimRefused(strategy="march", fence=first.fence, above=7, reason="a newer fence was given"))

        assert world.claim().fence == 8

    def test_that_cannot_begin_is_left_to_others_for_some_leases(self, world):
        world.cannot_start = True
        claim = world.start().claim()
        heard = world.exchange(ClaimAccepted(strategy="march", fence=claim.fence), seconds=0.5)
        told = world.counts.strategies["march"]
        count = len(world.started)
        beat = world.server.lease.beat
        world.exchange(seconds=(node.REST_LEASES - 0.5) * LEASE_S)

        assert reports(heard) == [(claim.fence, StrategyNotChanged(name="march", reason="no such module"))]
        assert "it could not begin here: no such module" in told
        assert (count, len(world.started), world.server.lease.beat) == (1, 1, beat)
        world.cannot_start = False
        assert world.running() > claim.fence


class TestAChange:
    """Of a strategy that runs here, asked of the broker node."""

    def told(self, world, fence, request=STEEPER, **how):
        return world.exchange(Told(strategy="march", fence=fence, message=encode(request)), **how)

    @pytest.mark.parametrize("request_of", [STEEPER, ReloadStrategy(name="march")])
    def test_is_done_by_the_supervisor_here_and_what_came_of_it_is_told(self, world, request_of):
        fence = world.start().running()
        heard = self.told(world, fence, request_of)

        assert [what for what, _ in world.changes] == ["start", type(request_of).__name__]
        assert reports(heard) == [(fence, world.swapped)]
        assert world.counts.strategies == {"march": "running"}

    def test_that_is_refused_lets_the_one_of_before_run_on_under_its_claim(self, world):
        fence = world.start().running()
        world.swapped = StrategyNotChanged(name="march", reason="stillborn")

        assert reports(self.told(world, fence)) == [(fence, world.swapped)]
        world.exchange(seconds=2 * LEASE_S)
        assert world.counts.strategies == {"march": "running"}
        assert [what for what, _ in world.changes] == ["start", "SwapStrategy"]

    def test_of_one_that_is_claimed_and_does_not_run_yet_is_not_done(self, world):
        claim = world.start().claim()

        assert self.told(world, claim.fence) == []
        assert world.changes == []
        assert world.counts.strategies == {"march": "claiming"}

    def test_of_another_claim_is_not_done(self, world):
        fence = world.start().running()

        assert self.told(world, fence + 1) == []
        assert [what for what, _ in world.changes] == ["start"]

    def test_of_one_that_is_being_changed_is_refused(self, world):
        fence = world.start().running()
        world.swap_s = 0.5
        self.told(world, fence, seconds=0.1)
        (first, second) = reports([*self.told(world, fence, seconds=0.1), *world.exchange(seconds=0.6)])

        assert (first[1].is_busy, second) == (True, (fence, world.swapped))
        assert [what for what, _ in world.changes] == ["start", "SwapStrategy"]

    def test_loses_no_fact_that_comes_while_there_is_none(self, world):
        fence = world.start().running()
        world.swap_s = 0.5
        self.told(world, fence, seconds=0.1)
        world.exchange(Told(strategy="march", fence=fence, message=fact(1)), seconds=0.1)
        between = list(world.facts)
        world.exchange(Told(strategy="march", fence=fence, message=fact(2)), seconds=0.6)
        world.exchange(Told(strategy="march", fence=fence, message=fact(3)), seconds=0.1)

        assert (between, world.facts) == ([], ["X-1", "X-2", "X-3"])

    @pytest.mark.parametrize("swap_s", [0.2 * LEASE_S, 1.5 * LEASE_S])
    def test_in_which_the_lease_is_lost_is_followed_by_a_stop_and_by_no_word(self, world, swap_s):
        """While there is none, for the swap, it has not been stopped."""
        fence = world.start().running()
        world.swap_s, world.cannot_stop = swap_s, True
        self.told(world, fence, seconds=0.05)
        world.server.trouble = "hangs"
        world.run_for(swap_s - 0.1)
        during = world.counts.strategies
        world.run_for(LEASE_S)
        world.system.tell("march", Say())
        world.run_for(0.05)
        world.cannot_stop = False
        world.run_for(1.0)
        world.server.trouble = ""
        heard = world.exchange(seconds=0.2)

        assert during == {"march": "running" if swap_s < 0.5 * LEASE_S else "stopping"}
        assert [what for what, _ in world.changes][:3] == ["start", "SwapStrategy", "stop"]
        assert "march" not in world.system.base.names
        assert world.answers == ["Unavailable"]
        assert not [each for each in heard if isinstance(each, Said) and each.actor != "strategies"]

    def test_that_never_ends_is_not_taken_for_a_stop(self, world, monkeypatch):
        monkeypatch.setattr(node, "CHANGE_NS", SECOND_NS)
        fence = world.start().running()
        world.swap_s = 5 * LEASE_S
        self.told(world, fence, seconds=0.05)
        world.server.trouble = "hangs"
        world.run_for(4 * LEASE_S)
        during = world.counts.strategies
        assert [what for what, _ in world.changes][2:4] == ["stop", "stop"], "it is asked for all the same"
        world.run_for(2 * LEASE_S)

        assert during == {"march": "stopping"}
        assert "march" not in world.system.base.names
        assert world.counts.strategies == {"march": "elsewhere"}

    def test_of_before_is_that_of_every_later_claim(self, world):
        claim = world.start().claim()
        world.exchange(ClaimAccepted(strategy="march", fence=claim.fence, kind="march:Steeper"), seconds=0.4)
        world.exchange(ClaimRefused(strategy="march", fence=claim.fence, above=0, reason="its deputy has ended"))
        again = world.claim()
        world.exchange(ClaimAccepted(strategy="march", fence=again.fence), seconds=0.4)

        kinds = [msgspec.json.decode(each.settings, type=StrategySettings).strategy for each in world.started]
        assert kinds == ["march:Steeper", "march:March"]


class TestTheCounts:
    def test_are_of_all_links_since_the_start(self, world):
        world.start().running()
        before = world.counts
        world.server.broker = "mumbai-2"
        world.run_for(2 * LEASE_S)
        world.link = world.broker("mumbai-2", number=2)
        between = world.counts
        world.running()
        after = world.counts

        assert (before.received, between.received, after.received) == (1, 1, 2)
        assert before.sent < between.sent <= after.sent
        assert before.repeats < between.repeats < after.repeats


class TestTicks:
    def batch(self, first, *ticks, sender="mumbai-1"):
        return Batch(sender, first, encode(Ticks(ticks=ticks)))

    def come(self, world, *batches):
        world.server.batches += batches
        world.run_for(0.1)

    def test_come_once_in_order_and_what_is_missing_is_counted(self, world):
        ticks = [a_tick(number) for number in range(1, 10)]
        world.start()
        self.come(world, self.batch(11, *ticks[:2]), self.batch(13, ticks[2]))
        self.come(world, self.batch(13, ticks[2]), self.batch(16, *ticks[3:5]))
        self.come(world, self.batch(1, ticks[5], sender="mumbai-2"), self.batch(2, ticks[6], sender="mumbai-2"))
        self.come(world, Batch("mumbai-2", 3, b"\\xff"), self.batch(4, ticks[7], sender="mumbai-2"))

        assert world.ticks == ticks[:8]
        assert (world.counts.ticks, world.counts.ticks_lost) == (8, 3)

    def test_are_nothing_else_that_has_a_wire_form(self, world):
        world.start()
        self.come(world, Batch("mumbai-1", 1, encode(Ping())), self.batch(2, a_tick(1)))

        assert world.ticks == [a_tick(1)]

    @pytest.mark.parametrize("count", [4, 5])
    def test_are_the_newest_of_each_symbol_where_too_many_come_at_once(self, world, monkeypatch, count):
        monkeypatch.setattr(incoming, "TICKS_AT_ONCE", 4)
        ticks = [a_tick(number, "INFY" if number % 2 else "TCS") for number in range(1, count + 1)]
        world.start()
        self.come(world, self.batch(1, *ticks))

        assert {type(each) for each in world.ticks} == {Tick}
        assert sorted(tick.sequence for tick in world.ticks) == ([1, 2, 3, 4] if count == 4 else [4, 5])
        assert world.counts.ticks_lost == (0 if count == 4 else 3)
