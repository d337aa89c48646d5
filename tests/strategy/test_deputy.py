"""What a deputy makes of a change of the strategy that it speaks for, on virtual time; the test is its node."""

from types import SimpleNamespace

import msgspec
import pytest
from natya_swapped import Answering

from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.lifecycle import Restart
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.actors.strategy import deputy as room
from natya.actors.strategy.deputy import deputy_of
from natya.config.sections.strategy import StrategySettings
from natya.messages.codec import decode, encode
from natya.messages.events import Subscribe, Subscribed
from natya.messages.holdings import HoldingsRead, ReadHoldings
from natya.messages.journal import JournalRecord
from natya.messages.nodes import ClaimAccepted, ClaimStrategy, DeputyBegan, Said, Told
from natya.messages.orders import OrderAccepted, OrderFilled, SubmitOrder
from natya.messages.strategies import ReloadStrategy, StrategyChanged, StrategyNotChanged, SwapStrategy
from natya.messages.supervision import Failed, Unavailable
from natya.messages.system import Ping, StrategyStatistics

MARCH = StrategySettings(name="march", strategy="march:March", host="node")
STEEPER = SwapStrategy(name="march", strategy="march:Steeper")
FILL = {
    "trade_id": "T-1",
    "symbol": "INFY",
    "side": "SELL",
    "quantity": 5,
    "price": 100.0,
    "cumulative_quantity": 5,
    "occurred_ns": 1,
}
DONE = StrategyChanged(name="march", strategy="march:Steeper", modules=("march",), handed_over=3)
NOT_DONE = StrategyNotChanged(name="march", reason="stillborn")


class PlayedEvents(RuntimeActor):
    @handles(Subscribe)
    def subscribe(self, request, sender):
        self.send(sender, Subscribed(subscriber=request.subscriber))


class PlayedNodes(RuntimeActor):
    """Keeps what the deputy says."""

    @handles(DeputyBegan, ClaimAccepted, Told)
    def hear(self, message, _sender):
        self.settings.heard.append(message)


class Want(msgspec.Struct, frozen=True):
    """To the supervisor: have the deputy asked for this."""

    request: object


class PlayedStrategies(RuntimeActor):
    """In the place of the deputy's supervisor."""

    @handles(Want)
    def ask_for(self, want, _sender):
        self.ask("march", want.request, timeout_s=99, then=lambda outcome: self.settings.answers.append(outcome.value))


class World:
    def __init__(self, system):
        self.system, self.heard, self.answers = system, [], []
        system.start("events", PlayedEvents)
        system.start("nodes", PlayedNodes, self)
        system.start("strategies", PlayedStrategies, self)
        system.start("march", deputy_of(Answering), MARCH)
        self.rest()

    def rest(self, seconds=0.05):
        """Return what the deputy has said until then."""
        self.system.base.run_for(seconds)
        heard, self.heard = self.heard, []
        return heard

    def tell(self, message):
        self.system.tell("march", message)
        return self.rest()

    def claim(self, fence):
        """Return the class that the new holder begins with."""
        (*_, accepted) = self.tell(ClaimStrategy(strategy="march", fence=fence))
        assert accepted.fence == fence
        return accepted.kind

    def want(self, request):
        """Return what the node is told to do."""
        self.system.tell("strategies", Want(request))
        return [decode(each.message) for each in self.rest() if isinstance(each, Told)]

    def report(self, answer, *, fence=1):
        return self.tell(Said(strategy="march", fence=fence, actor="strategies", message=encode(answer)))


@pytest.fixture
def world():
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        opened = World(system)
        deputy = system.base.find("march")
        yield opened
        assert deputy.failures == 0


class TestAChange:
    @pytest.mark.parametrize("request_of", [STEEPER, ReloadStrategy(name="march")])
    def test_is_passed_on_as_it_is_and_ends_with_the_node_s_word(self, world, request_of):
        world.claim(1)
        told = world.want(request_of)
        before = list(world.answers)
        world.report(DONE)

        assert (told, before, world.answers) == ([request_of], [], [DONE])

    def test_is_of_the_claims_after_it_too(self, world):
        world.claim(1)
        world.want(STEEPER)
        world.report(DONE)

        assert world.claim(2) == "march:Steeper"

    def test_that_was_not_done_leaves_all_as_it_was(self, world):
        world.claim(1)
        world.want(STEEPER)
        world.report(NOT_DONE)

        assert world.answers == [NOT_DONE]
        assert world.claim(2) == "march:March"

    def test_whose_claim_ends_before_the_answer_is_done_by_who_claims_next(self, world):
        """The one of before may not be able to read the state that the new one has left already."""
        world.claim(1)
        world.want(STEEPER)
        kind = world.claim(2)
        world.report(NOT_DONE, fence=1)

        assert (kind, world.answers) == ("march:Steeper", [StrategyChanged(name="march", strategy="march:Steeper")])
        assert world.claim(3) == "march:Steeper"

    def test_while_no_node_runs_it_is_done_by_who_claims_next(self, world):
        assert world.want(STEEPER) == []
        assert world.answers == [StrategyChanged(name="march", strategy="march:Steeper")]
        assert world.claim(1) == "march:Steeper"

    def test_while_another_is_under_way_is_refused(self, world):
        world.claim(1)
        world.want(STEEPER)
        told = world.want(SwapStrategy(name="march", strategy="march:Flatter"))
        (refused,) = world.answers
        world.report(DONE)

        assert (told, refused.is_busy, world.answers[1:]) == ([], True, [DONE])
        assert world.claim(2) == "march:Steeper"

    @pytest.mark.parametrize(("seconds", "said"), [(-1, []), (1, [DeputyBegan(strategy="march")])])
    def test_that_is_not_answered_ends_the_claim(self, world, seconds, said):
        world.claim(1)
        world.want(STEEPER)

        assert world.rest(room.CHANGE_S + seconds) == said
        assert len(world.answers) == len(said)
        assert world.claim(2) == "march:Steeper"

    @pytest.mark.parametrize("answers", [True, False])
    def test_is_waited_for_as_long_as_the_one_before_it(self, world, answers):
        world.claim(1)
        world.want(STEEPER)
        world.rest(30)
        world.report(DONE)
        world.want(SwapStrategy(name="march", strategy="march:Flatter"))
        if answers:
            world.report(NOT_DONE)
        said = [world.rest(seconds) for seconds in (30, 30)]

        assert said == [[], [] if answers else [DeputyBegan(strategy="march")]]
        assert world.claim(2) == "march:Steeper" if answers else "march:Flatter"

    def test_outlives_a_restart_of_its_deputy_which_ends_the_claim(self, world):
        world.claim(1)
        world.want(STEEPER)
        world.system.base.find("march").control(Restart(), world.system.base.outside)
        said = world.rest()
        kind = world.claim(1)

        assert DeputyBegan(strategy="march") in said
        assert (kind, world.answers) == ("march:Steeper", [StrategyChanged(name="march", strategy="march:Steeper")])

    def test_after_one_that_could_not_begin_where_it_was_claimed_waits_for_nobody(self, world):
        world.claim(1)
        world.report(StrategyNotChanged(name="march", reason="no such module"))

        assert world.want(STEEPER) == []
        assert [type(each) for each in world.answers] == [StrategyChanged]


class TestWhatTheStrategyIsTold:
    @pytest.mark.parametrize(
        ("client_order_id", "strategy", "is_told"),
        [("march-1-1", "march", True), ("flat-3kq", "march", True), ("flat-3kq", "april", False)],
    )
    def test_is_each_trade_of_its_shares_whoever_ordered_it(self, world, client_order_id, strategy, is_told):
        world.claim(1)
        fill = OrderFilled(**FILL | {"client_order_id": client_order_id, "strategy": strategy})
        record = JournalRecord(sequence=7, recorded_ns=1, correlation_id=client_order_id, fact=fill)

        assert [(each.number, decode(each.message)) for each in world.tell(record)] == [(0, record)] * is_told

    def test_is_of_orders_of_its_own_alone_otherwise(self, world):
        world.claim(1)
        fact = OrderAccepted(client_order_id="flat-3kq", broker_order_id="B-1", occurred_ns=1)

        assert world.tell(JournalRecord(sequence=7, recorded_ns=1, correlation_id="flat-3kq", fact=fact)) == []


class TestTheEnd:
    def test_of_a_deputy_ends_the_claim(self, world):
        world.claim(1)
        world.system.stop("march")

        assert world.rest() == [DeputyBegan(strategy="march")]


ORDER = SubmitOrder(client_order_id="march-1-1", strategy="march", symbol="INFY", side="BUY", quantity=5)
HOLDINGS = HoldingsRead(strategy="march", shares={}, filled={})


class Local(msgspec.Struct, frozen=True):
    """Of no wire."""


class PlayedOrders(RuntimeActor):
    """Keeps what it is sent; answers what the test puts there, when it says so."""

    @handles(SubmitOrder)
    def hear(self, message, _sender):
        self.settings.ordered.append((message, self.correlation_id))

    @handles(ReadHoldings)
    def read(self, _message, sender):
        self.settings.asker = sender
        if self.settings.answer is not None:
            self.send(sender, self.settings.answer)


class TestWhatTheStrategySays:
    @pytest.fixture
    def orders(self, world):
        played = SimpleNamespace(ordered=[], asker=None, answer=None)
        world.system.start("orders", PlayedOrders, played)
        world.claim(1)
        return played

    def say(self, world, message, *, actor="orders", fence=1, number=0):
        """Return what the node is told of it."""
        encoded = message if isinstance(message, bytes) else encode(message)
        said = Said(strategy="march", fence=fence, actor=actor, message=encoded, number=number)
        return [(each.fence, each.number, decode(each.message)) for each in world.tell(said) if isinstance(each, Told)]

    def test_is_said_here_as_a_part_of_its_order_s_conversation_and_counted(self, world, orders):
        assert self.say(world, ORDER) == []
        assert orders.ordered == [(ORDER, "march-1-1")]
        counted = world.system.request("march", Ping()).statistics
        assert counted == StrategyStatistics(
            strategy="march", ticks=0, orders=1, fills=0, tick_to_strategy_us_p50=0.0, tick_to_strategy_us_p99=0.0
        )

    def test_is_left_unsaid_by_whom_the_claim_is_no_more(self, world, orders):
        world.claim(2)

        assert self.say(world, ORDER) == []
        assert orders.ordered == []

    def test_is_answered_under_its_number(self, world, orders):
        orders.answer = HOLDINGS

        assert self.say(world, ReadHoldings(strategy="march"), number=7) == [(1, 7, HOLDINGS)]

    def test_is_answered_to_no_later_claim(self, world, orders):
        self.say(world, ReadHoldings(strategy="march"), number=7)
        world.claim(2)
        world.system.tell(orders.asker, HOLDINGS)

        assert world.rest() == []

    @pytest.mark.parametrize(
        ("answer", "seconds", "reason"),
        [(Local(), 0.0, "Local has no wire form"), (None, 61.0, "no answer in 60 s from orders to ReadHoldings")],
        ids=["of no wire", "none"],
    )
    def test_has_no_answer_where_there_is_none_that_can_be_told(self, world, orders, answer, seconds, reason):
        orders.answer = answer
        said = self.say(world, ReadHoldings(strategy="march"), number=7)
        said += [(each.fence, each.number, decode(each.message)) for each in world.rest(seconds)]

        ((fence, number, told),) = said
        assert (fence, number, type(told), told.actor, told.retry_after_s) == (1, 7, Unavailable, "orders", 1.0)
        assert told.reason == reason

    @pytest.mark.parametrize(
        ("message", "actor", "kind"),
        [
            (ORDER, "database files", "SubmitOrder"),
            (OrderFilled(**FILL, client_order_id="march-1-1", strategy="march"), "orders", "OrderFilled"),
            (StrategyChanged(name="march", strategy="x:Y"), "orders", "StrategyChanged"),
            (ORDER, "strategies", "SubmitOrder"),
        ],
        ids=["to nobody that strategies speak to", "a fact", "a change, to another", "an order, to the supervisor"],
    )
    def test_is_refused_where_it_is_not_for_a_strategy_to_say(self, world, orders, message, actor, kind):
        refused = Failed(
            actor=actor, message_type=kind, error="MessageRefusedError", reason="it is not for a strategy to say"
        )

        assert self.say(world, message, actor=actor, number=3) == [(1, 3, refused)]
        assert orders.ordered == []

    def test_is_refused_where_nobody_can_read_it(self, world, orders):
        ((_, number, refused),) = self.say(world, b"\xc1", number=4)

        assert (number, type(refused), refused.actor, refused.message_type) == (4, Failed, "orders", "")
        assert refused.reason


class TestWhatIsAnsweredToTheStrategyItself:
    def test_is_told_while_it_is_claimed(self, world):
        assert world.tell(HOLDINGS) == []
        world.claim(1)

        assert [decode(each.message) for each in world.tell(HOLDINGS)] == [HOLDINGS]

    def test_is_of_a_wire_form_or_nobody_there_can_be_told(self, world):
        world.claim(1)

        assert world.tell(Local()) == []

    def test_is_a_subscription_only_where_somebody_claims_it(self, world):
        assert world.tell(Subscribed(subscriber="march")) == []
        world.claim(1)
        assert world.tell(Subscribed(subscriber="march")) == []

    def test_counts_the_trades_of_its_own_orders_alone(self, world):
        world.claim(1)
        for client_order_id in ("march-1-1", "flat-3kq"):
            fill = OrderFilled(**FILL | {"client_order_id": client_order_id, "strategy": "march"})
            world.tell(JournalRecord(sequence=7, recorded_ns=1, correlation_id="x", fact=fill))

        assert world.system.request("march", Ping()).statistics.fills == 1
