"""`self.state`: how it is written and read, and what is handed to a strategy that was away."""

import re
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from natya_builders import a_candle, a_tick, filled
from natya_examples import QUARTER

from natya import StrategyActor, load_settings
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.actors.strategy import keeping
from natya.actors.strategy.errors import StateTooLargeError, StateUnreadableError
from natya.actors.strategy.inspection import faults_of
from natya.actors.strategy.state import HANDED_MAX, Keeper, StateForm
from natya.actors.supervision import ChildSpec, Supervisor, SupervisorSettings
from natya.config.sections.strategy import StrategySettings
from natya.messages.events import Subscribe, Subscribed
from natya.messages.holdings import HoldingsRead, ReadHoldings
from natya.messages.journal import JournalPage, JournalRecord, ReadJournal
from natya.messages.market import Candle, Tick
from natya.messages.orders import CancelOrder, ModifyOrder, OrderAccepted, OrderRefused, SquaringOffEnded, SubmitOrder
from natya.messages.strategy_state import STATE_BYTES_MAX, ReadState, SaveState, StateRead, StateRefused
from natya.messages.supervision import Failed, Unavailable


class Leg(msgspec.Struct):
    shares: int = 0
    prices: list[float] = []


class Kept(msgspec.Struct):
    count: int = 0
    legs: dict[str, Leg] = {}
    seen: set[str] = set()


class ShorterLeg(msgspec.Struct):
    shares: int = 0


class Fewer(msgspec.Struct):
    count: int = 0


class Nothing(msgspec.Struct):
    pass


class Shorter(msgspec.Struct):
    count: int = 0
    legs: dict[str, ShorterLeg] = {}
    seen: set[str] = set()


class Textual(msgspec.Struct):
    count: str = ""
    legs: dict[str, Leg] = {}
    seen: set[str] = set()


class More(msgspec.Struct, kw_only=True):
    added: float = 1.5
    count: int = 0
    legs: dict[str, Leg] = {}
    seen: set[str] = set()


class Two(msgspec.Struct, array_like=True):
    first: int = 0
    second: int = 0


class TwoPlaces(msgspec.Struct):
    spots: list[Two] = []


FULL = Kept(count=3, legs={"TCS": Leg(shares=5, prices=[1.5])}, seen={"a", "b"})
LEGS = st.builds(Leg, shares=st.integers(-(2**40), 2**40), prices=st.lists(st.floats(allow_nan=False), max_size=3))


class TestAState:
    @settings(max_examples=QUARTER, deadline=None)
    @given(
        state=st.builds(
            Kept,
            count=st.integers(-(2**62), 2**62),
            legs=st.dictionaries(st.text(max_size=5), LEGS, max_size=3),
            seen=st.sets(st.text(max_size=5), max_size=3),
        )
    )
    def test_is_read_as_it_was_written(self, state):
        form = StateForm(Kept)

        assert form.decode(form.encode(state, name="mine"), name="mine") == state

    def test_has_the_default_of_a_field_that_was_not_there_yet(self):
        read = StateForm(More).decode(StateForm(Kept).encode(FULL, name="mine"), name="mine")

        assert (read.count, read.legs, read.seen, read.added) == (3, FULL.legs, FULL.seen, 1.5)

    @pytest.mark.parametrize(
        ("kind", "told"),
        [
            (Fewer, "fields are count: no field for legs"),
            (Shorter, "no field for legs.TCS.prices, found \\[1.5\\]"),
            (Textual, "Expected `str`, got `int`"),
            (Nothing, "fields are none: no field for count"),
        ],
    )
    def test_that_does_not_fit_any_more_is_refused_with_what_was_found(self, kind, told):
        with pytest.raises(StateUnreadableError, match=f"the saved state of mine .*{told}"):
            StateForm(kind).decode(StateForm(Kept).encode(FULL, name="mine"), name="mine")

    @pytest.mark.parametrize("damaged", [b"", b"\xc1", b"\x90", b"\x81\xa5count\xa1x"])
    def test_that_is_damaged_is_refused(self, damaged):
        with pytest.raises(StateUnreadableError, match="the saved state of mine"):
            StateForm(Kept).decode(damaged, name="mine")

    def test_beyond_its_size_is_refused(self):
        with pytest.raises(StateTooLargeError, match="at most 65,536 bytes is wanted of mine, found 65,5"):
            StateForm(Kept).encode(Kept(seen={"x" * STATE_BYTES_MAX}), name="mine")

    @pytest.mark.parametrize("more", [0, 1])
    def test_may_be_just_of_its_size(self, more):
        form = StateForm(Kept)
        besides = len(form.encode(Kept(seen={"x" * 60_000}), name="mine")) - 60_000
        largest = Kept(seen={"x" * (STATE_BYTES_MAX - besides + more)})

        if more:
            with pytest.raises(StateTooLargeError):
                form.encode(largest, name="mine")
        else:
            assert len(form.encode(largest, name="mine")) == STATE_BYTES_MAX

    def test_of_another_class_is_refused(self):
        with pytest.raises(TypeError, match=r"self\.state of mine is to be a Kept, found None"):
            StateForm(Kept).encode(None, name="mine")


class TestWhatIsSaved:
    @example([("save", 0), ("hand", 0), ("tick", 0), ("order", 0)])
    @example([("save", 0), ("hand", 1), ("tick", 0), ("hand", 0), ("tick", 0)])
    @given(
        st.lists(
            st.tuples(st.sampled_from(["hand", "change", "order", "tick", "save"]), st.integers(0, 1)), max_size=30
        )
    )
    def test_is_what_changed_the_first_of_a_life_and_facts_before_an_order_leaves_or_when_there_are_many(self, events):
        keeper, encoded, sequence = Keeper(StateForm(Fewer), name="mine"), b"0", 3
        keeper.take_over(StateRead(strategy="mine", sequence=sequence, life=4))
        saves, unsaved = [], 0
        for what, much in events:
            if what == "hand":
                for _ in range(HANDED_MAX - 1 if much else 1):
                    sequence, unsaved = sequence + 1, unsaved + 1
                    keeper.handed(sequence)
            elif what == "change":
                encoded += b"."
            elif what == "save":
                keeper.saved(encoded)
                saves.append(encoded)
                unsaved = 0
            leaves = what == "order"
            many = unsaved > 0 and (leaves or unsaved >= HANDED_MAX)

            assert keeper.is_due(encoded, orders_leave=leaves) == (not saves or saves[-1] != encoded or many)
            assert (keeper.covers, keeper.number, keeper.life) == (sequence, len(saves), 4)


class TestAStateByPlace:
    def test_that_has_more_values_than_its_class_is_refused_and_with_fewer_the_others_are_defaults(self):
        read = StateForm(TwoPlaces)

        with pytest.raises(StateUnreadableError, match=r"2 of 3 values of spots\.0 have a field"):
            read.decode(msgspec.msgpack.encode({"spots": [[1, 2, 3]]}), name="mine")
        assert read.decode(msgspec.msgpack.encode({"spots": [[1]]}), name="mine").spots == [Two(1, 0)]


class Needy(msgspec.Struct):
    count: int


class Placed(msgspec.Struct, array_like=True):
    count: int = 0


class Foreign(msgspec.Struct):
    place: SimpleNamespace = SimpleNamespace()


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (dict, r"a class State\(msgspec.Struct\) is wanted, found <class 'dict'>"),
        (Needy(count=1), r"a class State\(msgspec.Struct\) is wanted, found Needy\(count=1\)"),
        (Needy, "a default for every field is wanted.*found none for count"),
        (Placed, "array_like"),
        (Foreign, "fields that msgspec can write and read back are wanted"),
    ],
)
def test_a_class_that_cannot_be_a_state_is_found_before_it_runs(state, told):
    class Wrong(StrategyActor):
        State = state

    (fault,) = faults_of(Wrong, StrategyActor)
    assert re.search(told, fault)


class Counter(StrategyActor):
    """Counts its fills, and answers each with an order; a tick of price 13 raises when it has counted it."""

    class State(msgspec.Struct):
        fills: int = 0
        ticks: int = 0
        refused: list[str] = []

    def on_begin(self):
        self.log("begun", state=self.state)

    def on_tick(self, tick):
        self.state.ticks += 1
        if tick.quantity > 1:
            self.buy(tick.symbol, tick.quantity)
        if tick.price == 13:
            raise ValueError("13")

    def on_fill(self, fill):
        self.state.fills += 1
        self.sell(fill.symbol, fill.quantity, fill.price)
        if fill.price == 13:
            raise ValueError("13")

    def on_order(self, fact):
        if isinstance(fact, OrderRefused):
            self.state.refused.append(fact.rule)


class PlayedEvents(RuntimeActor):
    @handles(Subscribe)
    def subscribe(self, request, sender):
        self.settings.subscribed = request
        for late in self.settings.before_it_begins:
            self.send(request.subscriber, late)
        self.send(sender, Subscribed(subscriber=request.subscriber))


class PlayedJournal(RuntimeActor):
    @handles(ReadJournal)
    def read(self, request, sender):
        found = [
            record
            for record in self.settings.records
            if record is not None
            and record.sequence > request.after_sequence
            and (not request.types or type(record.fact).__name__ in request.types)
            and request.key in {"", record.fact.client_order_id}
        ]
        page = tuple(found[: request.records_max])
        self.send(sender, JournalPage(records=page, last_sequence=len(self.settings.records)))


class PlayedOrders(RuntimeActor):
    @handles(ReadHoldings)
    def tell_holdings(self, request, sender):
        self.settings.life += 1
        answer = HoldingsRead(
            strategy=request.strategy, shares={}, filled=self.settings.filled, life=self.settings.life
        )
        self.send(sender, answer)

    @handles(ReadState)
    def tell_state(self, request, sender):
        saved = self.settings.saved
        answer = StateRead(strategy=request.strategy, sequence=7, saved=saved, unsent=self.settings.unsent)
        self.send(sender, answer)

    @handles(SaveState, SubmitOrder, ModifyOrder, CancelOrder, SquaringOffEnded)
    def hear(self, request, _sender):
        self.settings.heard.append(request)
        if isinstance(request, SaveState):
            self.settings.saved, self.settings.unsent = request, ()


class Stage:
    """A strategy with a state, between actors that the test plays, on virtual time."""

    def __init__(self, system):
        self.system = system
        self.world = SimpleNamespace(
            records=[], heard=[], saved=None, unsent=(), filled={}, life=0, subscribed=None, before_it_begins=()
        )
        system.start("events", PlayedEvents, self.world)
        system.start("journal", PlayedJournal, self.world)
        system.start("orders", PlayedOrders, self.world)

    def open(self, strategy=Counter):
        self.system.start("mine", strategy, StrategySettings(name="mine", strategy=""))
        self.rest()
        return self

    def rest(self):
        self.system.base.run_for(0.01)

    def tell(self, *messages):
        for message in messages:
            self.system.tell("mine", message)
        self.rest()

    def journal(self, *facts):
        """Make facts durable, and return their records."""
        first = len(self.world.records) + 1
        made = [
            JournalRecord(sequence=sequence, recorded_ns=1, correlation_id=fact.client_order_id, fact=fact)
            for sequence, fact in enumerate(facts, first)
        ]
        self.world.records += made
        return made

    @property
    def state(self):
        return msgspec.msgpack.decode(self.world.saved.state, type=Counter.State)

    @property
    def orders(self):
        return [each for each in self.world.heard if isinstance(each, SubmitOrder)]

    def begin_anew(self):
        """End the actor, and start another of its name: of its own attributes nothing is left."""
        self.system.stop("mine")
        self.open()


@pytest.fixture
def stage():
    with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
        yield Stage(system)


def fill_of(order, number=1, price=100.0):
    return filled(
        order.client_order_id,
        f"T-{number}",
        1,
        price,
        strategy="mine",
        symbol=order.symbol,
        side=order.side,
        cumulative_quantity=number,
    )


TERMS = {"strategy": "mine", "symbol": "INFY", "side": "BUY", "quantity": 1}
ORDER = SubmitOrder(client_order_id="mine-1-1", strategy="mine", symbol="INFY", side="BUY", quantity=3)


def saved(state, *, covers, number=4):
    return SaveState(strategy="mine", number=number, covers=covers, state=msgspec.msgpack.encode(state))


class TestAStrategyWithAState:
    def test_begins_with_the_defaults_and_has_them_saved_as_of_what_orders_knows(self, stage):
        stage.open()

        assert stage.world.subscribed.sequenced
        assert (stage.state, stage.world.saved.covers, stage.world.saved.number) == (Counter.State(), 7, 1)

    def test_begins_whatever_was_answered_to_the_life_before_it(self, stage):
        late = [Unavailable(actor="orders", reason="breaker open", retry_after_s=5.0)] * 3
        stage.world.before_it_begins = [*late, Failed(actor="events", message_type="", error="Error", reason="")]
        stage.open().tell(a_tick(quantity=10))

        assert stage.state.ticks == 1

    def test_has_its_state_saved_before_the_order_that_is_known_in_it(self, stage):
        stage.open().tell(a_tick(quantity=10))

        first, second, order = stage.world.heard
        assert [type(each) for each in (first, second, order)] == [SaveState, SaveState, SubmitOrder]
        assert stage.state.ticks == 1
        assert second.submitted == (order,)

    def test_has_what_any_handler_asks_of_orders_leave_behind_the_state_of_that_handler(self, stage):
        class Candled(Counter):
            def on_candle(self, candle):
                self.state.ticks += 100
                self.after(0.001, self.ring)
                self.buy(candle.symbol, 1)
                self.cancel("mine-1-1")

            def ring(self):
                self.state.ticks += 1_000
                self.buy("INFY", 2)

        stage.open(Candled).tell(a_candle())

        _, candled, first, cancel, rung, second = stage.world.heard
        assert (candled.submitted, rung.submitted) == ((first,), (second,))
        assert cancel == CancelOrder(client_order_id="mine-1-1")
        ticks = [msgspec.msgpack.decode(each.state, type=Counter.State).ticks for each in (candled, rung)]
        assert ticks == [100, 1_100]

    def test_has_a_record_s_own_answer_saved_once_with_how_far_it_has_heard(self, stage):
        stage.open().tell(a_tick(quantity=10))
        (order,) = stage.orders
        stage.world.records += [None] * 7
        (record,) = stage.journal(fill_of(order))
        before = len(stage.world.heard)
        stage.tell(record)

        state, answer = stage.world.heard[before:]
        assert (state.submitted, state.covers) == ((answer,), record.sequence)

    def test_names_an_order_in_a_state_that_has_not_changed(self, stage):
        class Buys(Counter):
            def on_tick(self, tick):
                self.buy(tick.symbol, tick.quantity)

        stage.open(Buys).tell(a_tick(quantity=10), a_tick(quantity=20))

        *_, before, first, state, second = stage.world.heard
        assert (before.submitted, state.submitted) == ((first,), (second,))
        assert before.state == state.state

    def test_has_an_order_of_its_stop_named_in_the_state_before_the_handler_that_raised(self, stage):
        class Closes(Counter):
            def on_stop(self):
                self.sell("INFY", 3)

        stage.open(Closes).tell(a_tick(quantity=10), a_tick(price=13.0, quantity=10))

        named = [order for each in stage.world.heard if isinstance(each, SaveState) for order in each.submitted]
        assert [order.quantity for order in stage.orders] == [10, 3]
        assert named == stage.orders
        assert stage.state.ticks == 1

    def test_saves_nothing_for_a_fact_that_changes_nothing_until_there_are_many(self, stage):
        stage.open().tell(a_tick(quantity=10))
        (order,) = stage.orders
        accepted = OrderAccepted(client_order_id=order.client_order_id, broker_order_id="B", occurred_ns=1)
        before = len(stage.world.heard)

        stage.world.records += [None] * 7  # what orders knows of
        records = stage.journal(*[accepted] * HANDED_MAX)
        stage.tell(*records[:-1])
        few = len(stage.world.heard)
        stage.tell(records[-1])

        assert few == before
        assert stage.world.heard[-1].covers == records[-1].sequence

    def test_hears_each_record_once(self, stage):
        stage.open().tell(a_tick(quantity=10))
        (order,) = stage.orders
        stage.world.records += [None] * 7
        refused = OrderRefused(client_order_id="mine-1-2", rule="risk", reason="none", occurred_ns=1, **TERMS)
        fill, refusal = stage.journal(fill_of(order), refused)

        stage.tell(fill, fill, refusal, fill, refusal)

        assert (stage.state.fills, stage.state.refused) == (1, ["risk"])
        assert stage.world.saved.covers == refusal.sequence

    def test_is_handed_what_its_state_does_not_cover_and_answers_it_once(self, stage):
        order = SubmitOrder(client_order_id="mine-1-1", strategy="mine", symbol="INFY", side="BUY", quantity=3)
        covered, *missed = stage.journal(*(fill_of(order, number) for number in (1, 2, 3)))
        stage.world.saved = saved(Counter.State(fills=1), covers=covered.sequence)

        stage.open()
        stage.tell(*missed)  # by the router, too

        assert stage.state.fills == 3
        assert [order.quantity for order in stage.orders] == [1, 1]
        covered_now = [state.covers for state in stage.world.heard if isinstance(state, SaveState)]
        assert covered_now[-2:] == [record.sequence for record in missed], "else each would come to the next life again"

    def test_is_handed_a_trade_once_that_was_told_twice(self, stage):
        order = SubmitOrder(client_order_id="mine-1-1", strategy="mine", symbol="INFY", side="BUY", quantity=3)
        fill = fill_of(order)
        covered, again = stage.journal(fill, fill)
        stage.world.saved = saved(Counter.State(fills=1), covers=covered.sequence)

        stage.open()

        assert again.sequence > covered.sequence
        assert stage.state.fills == 1

    @pytest.mark.parametrize("count", range(1, 6))
    def test_is_handed_what_it_missed_page_by_page(self, stage, monkeypatch, count):
        monkeypatch.setattr(keeping, "PAGE_RECORDS", 2)
        names = [f"mine-1-{number}" for number in range(1, count + 1)]
        stage.journal(
            *(OrderRefused(client_order_id=name, rule=name, reason="none", occurred_ns=1, **TERMS) for name in names)
        )
        stage.world.saved = saved(Counter.State(), covers=0)

        stage.open()

        assert stage.state.refused == names

    def test_is_handed_each_trade_of_each_order_once_whatever_their_numbers(self, stage):
        orders = [
            SubmitOrder(client_order_id=f"mine-1-{number}", strategy="mine", symbol="INFY", side="BUY", quantity=3)
            for number in (1, 2)
        ]
        first, second, of_another = fill_of(orders[0]), fill_of(orders[0], 2), fill_of(orders[1])
        stage.journal(first, second, first, of_another, second, of_another)
        stage.world.saved = saved(Counter.State(), covers=0)

        stage.open()

        assert stage.state.fills == 3
        assert len(stage.orders) == 3

    def test_is_told_of_an_order_that_its_state_names_and_that_never_came(self, stage):
        order = SubmitOrder(client_order_id="mine-1-1", strategy="mine", symbol="INFY", side="BUY", quantity=3)
        stage.world.saved, stage.world.unsent = saved(Counter.State(), covers=0), (order,)

        stage.open()
        stage.begin_anew()

        assert stage.state.refused == ["restart"]

    def test_is_told_of_it_once_though_its_state_says_nothing_of_that(self, stage):
        told = []

        class Unmoved(Counter):
            def on_order(self, fact):
                told.append(fact.rule)

        stage.world.saved, stage.world.unsent = saved(Counter.State(), covers=0), (ORDER,)
        for _life in range(2):
            stage.open(Unmoved)
            stage.system.stop("mine")

        assert told == ["restart"]

    def test_saves_at_its_stop_what_ticks_have_changed(self, stage):
        stage.open()
        stage.tell(a_tick(), a_tick())
        before = stage.state.ticks
        stage.begin_anew()

        assert before < 2
        assert stage.state.ticks == 2

    def test_saves_what_ticks_have_changed_once_a_second(self, stage):
        stage.open()
        second = 1_000_000_000
        stage.tell(*(a_tick(exchange_ns=second * number // 2) for number in range(1, 6)))

        assert [each for each in stage.world.heard if isinstance(each, SaveState)][-1] is stage.world.saved
        assert stage.state.ticks == 5
        assert len(stage.world.heard) == 1 + 3


def supervised(stage, strategy, **policy):
    """Open it under a supervisor, whose policy is that of the preset but for what is given."""
    policy = msgspec.structs.replace(load_settings("paper", environment={}).supervision, **policy)
    spec = ChildSpec("mine", strategy, StrategySettings(name="mine", strategy=""), when_exhausted="park")
    stage.system.start("top", Supervisor, SupervisorSettings(children=(spec,), policy=policy, journal=""))


class TestAHandlerThatRaises:
    def test_has_not_happened(self, stage):
        stage.open()
        stage.tell(a_tick(price=13.0, quantity=10))
        stage.rest()

        assert stage.orders == []
        assert stage.state.ticks == 0

    def test_has_its_fact_handed_over_again_as_long_as_it_raises(self, stage):
        stage.open().tell(a_tick(quantity=10))
        (order,) = stage.orders
        stage.world.records += [None] * 7
        stage.tell(*stage.journal(fill_of(order, price=13.0)))
        for _ in range(3):
            stage.rest()

        assert stage.world.life > 3
        assert stage.state.fills == 0
        assert stage.orders == [order]

    @pytest.mark.parametrize("fails_at", ["restart", "risk"])
    def test_is_told_again_of_an_order_that_never_came_whichever_fact_it_raises_at(self, stage, fails_at):
        told = []

        class Raising(Counter):
            def on_order(self, fact):
                told.append(fact.rule)
                if fact.rule == fails_at and told.count(fails_at) == 1:
                    raise ValueError("once")

        stage.journal(OrderRefused(client_order_id="mine-1-2", rule="risk", reason="none", occurred_ns=1, **TERMS))
        stage.world.saved, stage.world.unsent = saved(Counter.State(), covers=0), (ORDER,)
        supervised(stage, Raising)
        stage.system.base.run_for(2)

        assert sorted(told) == sorted(["restart", "risk", fails_at])

    def test_leaves_no_half_done_state_at_a_stop_while_it_waits_for_its_restart(self, stage):
        supervised(stage, Counter, fail_max=1, reset_timeout_s=60.0)
        stage.tell(a_tick(quantity=10))
        (order,) = stage.orders
        stage.world.records += [None] * 7
        stage.tell(*stage.journal(fill_of(order, price=13.0)))
        lives = stage.world.life
        stage.system.stop("top")
        stage.rest()

        assert lives == 1
        assert stage.state.fills == 0
        assert stage.orders == [order]


class TestAStateThatIsRefused:
    def test_is_read_anew(self, stage):
        stage.open()
        stage.world.saved = saved(Counter.State(fills=9), covers=8, number=5)
        stage.tell(StateRefused(strategy="mine", number=2))
        stage.tell(a_tick(quantity=10))

        assert stage.state.fills == 9
        assert stage.world.saved.number == 7


class TestAHandlerOfAStrategyWithAState:
    """Looked after when it has returned: in a simulated market where it has asked something of orders alone."""

    def handled(self, kind, *, raises=None, **state):
        def handler(_actor, _message, _sender):
            if raises is not None:
                raise raises

        handler._handles_types = (kind,)
        did = []
        actor = SimpleNamespace(
            **{"_outbox": [], "_looks": False, "_look_at_ns": keeping.NEVER_NS} | state,
            _settle=lambda: did.append("settled"), _fail=lambda: did.append("failed"),
        )  # fmt: skip
        settling = keeping._settling(handler)
        message = a_tick(exchange_ns=1_000) if kind is Tick else None
        if raises is None:
            settling(actor, message, None)
        else:
            with pytest.raises(type(raises)):
                settling(actor, message, None)
        return did, actor._look_at_ns

    @pytest.mark.parametrize(
        ("kind", "state", "did"),
        [
            (Candle, {}, []),
            (Candle, {"_outbox": ["an order"]}, ["settled"]),
            (Candle, {"_looks": True}, ["settled"]),
            (JournalRecord, {"_outbox": ["an order"], "_looks": True}, []),
            (keeping.SaveAgain, {"_outbox": ["an order"], "_looks": True}, []),
            (Tick, {}, []),
            (Tick, {"_outbox": ["an order"]}, ["settled"]),
            (Tick, {"_looks": True, "_look_at_ns": 1_001}, []),
            (Tick, {"_looks": True, "_look_at_ns": 1_000}, ["settled"]),
        ],
    )
    def test_is_settled_where_it_has_to_be(self, kind, state, did):
        assert self.handled(kind, **state)[0] == did

    @pytest.mark.parametrize(("looks", "at_ns"), [(True, 1_000 + keeping.LOOK_NS), (False, keeping.NEVER_NS)])
    def test_of_a_tick_says_when_it_is_looked_at_next(self, looks, at_ns):
        assert self.handled(Tick, _outbox=["an order"], _looks=looks)[1] == at_ns

    @pytest.mark.parametrize("kind", [Candle, Tick, JournalRecord])
    def test_that_raises_is_given_up_and_not_settled(self, kind):
        assert self.handled(kind, raises=ValueError("x"), _outbox=["an order"], _looks=True)[0] == ["failed"]


class TestAStateThatIsNotTaken:
    def test_is_saved_again_a_second_later_though_nothing_has_changed(self, stage):
        stage.open()
        before = stage.world.saved
        stage.tell(Failed(actor="orders", message_type="SaveState", error="OSError", reason="the disk is full"))
        stage.system.base.run_for(keeping.SAVE_AGAIN_S)

        assert stage.world.saved == msgspec.structs.replace(before, number=before.number + 1)


class TestAFailureThatIsHeard:
    def heard(self, answer, **state):
        did = []
        actor = SimpleNamespace(
            **{"_keeper": "a keeper", "_saving_again": None} | state,
            on_unhandled=lambda *what: did.append(what), log=lambda *what, **how: did.append((what, how)),
        )  # fmt: skip
        keeping.Keeping.hear_failure(actor, answer, "sender")
        return did

    @pytest.mark.parametrize("state", [{"_keeper": None}, {}])
    def test_of_another_than_orders_or_without_a_state_is_as_for_every_actor(self, state):
        answer = Failed(actor="orders" if state else "events", message_type="", error="Error", reason="")

        assert self.heard(answer, **state) == [(answer, "sender")]

    def test_of_orders_is_told_once_while_it_is_saved_again(self):
        answer = Unavailable(actor="orders", reason="breaker open", retry_after_s=5.0)

        assert self.heard(answer, _saving_again="a timer") == []

    @pytest.mark.parametrize("begins", [True, False])
    def test_is_saved_again_as_soon_as_it_has_begun(self, begins):
        did = []
        actor = SimpleNamespace(_saving_again="a timer", _begins=lambda: begins, _settle=lambda **how: did.append(how))
        keeping.Keeping.save_again(actor, keeping.SaveAgain(), None)

        assert (did, actor._saving_again) == ([{"is_due": True}] * begins, None)
