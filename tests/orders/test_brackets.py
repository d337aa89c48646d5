"""Brackets in orders: exits are sent once, for what is held, again after a restart, and count once as exposure."""

from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from natya_builders import BUILDERS

from natya.actors.orders.book.ledger import Ledger
from natya.actors.orders.parts.bracketing.keeping import Bracketing
from natya.actors.orders.parts.bracketing.squaring_off import SquaringOff
from natya.actors.orders.parts.bracketing.standing import is_exit
from natya.actors.orders.parts.due import DayDue, SquaringOffDue
from natya.actors.orders.settings import OrdersActorSettings
from natya.actors.runtime import RuntimeActor, handles
from natya.config.sections.orders import OrdersSettings
from natya.domain.brackets.exits import JUMPED_OVER, REACHED, SQUARED_OFF
from natya.domain.brackets.resting import SALES_MAX
from natya.domain.closing import AGREED, as_told
from natya.domain.orders import Order
from natya.domain.time import IST
from natya.messages.broker import FindOrder, OrderPlaced, OrderReplaced, PlaceOrder, ReplaceOrder, WithdrawOrder
from natya.messages.holdings import ReadHoldings
from natya.messages.kill_switch import HaltTrading
from natya.messages.orders import (
    CancellationIntended,
    CancellationRefused,
    CancelOrder,
    ModificationIntended,
    ModificationRefused,
    OrderIntended,
    OrderModified,
    OrderRefused,
    SquaringOffEnded,
)
from natya.messages.reconciliation import PositionMismatch
from natya.messages.risk_state import Resume, Resumed

PRICES = {"target_price": 110.0, "stop_loss_price": 95.0}


@pytest.fixture
def entry(make):
    """The entry of a bracket, as submitted, and as a fact."""
    return make.order(**PRICES)


@pytest.fixture
def held(make):
    """The facts of an entry whose shares are held."""
    return make.intent(**PRICES), make.accepted(), make.filled()


def placed(stage, name, number=""):
    """Wait for an exit to be placed, and let the broker have it."""
    request = stage.asked_next(PlaceOrder)
    assert request.client_order_id == name
    stage.tell(OrderPlaced(client_order_id=name, broker_order_id=number or f"B-{name}"))
    return request


def placed_since_the_start(stage, count):
    """Wait for so many orders; return their ids and quantities."""
    requests = []
    while len(requests) < count or stage.placed_at_start:
        requests.append(stage.asked_next(PlaceOrder))
    return {(each.client_order_id, each.quantity) for each in requests}


def orders_fails(stage, make):
    """Let the journal fail while something is on its way there: orders begins anew, in place."""
    stage.settle()
    reads, stage.disk.mode = stage.disk.reads, "fail"
    stage.submit(make.order("Z-1", strategy="other", symbol="TCS"))
    stage.wait_until(lambda: stage.disk.reads > reads)
    stage.disk.mode = "write"
    stage.wait_until(lambda: hasattr(stage.statistics, "risk_state"))


def both_placed(stage):
    return [placed(stage, name) for name in ("A-1S", "A-1T")]


def refused(stage):
    """Return the newest fact, which is a refusal."""
    stage.settle()
    assert isinstance(stage.disk.facts[-1], OrderRefused)
    return stage.disk.facts[-1]


def refusals(strategy):
    """Return which orders a strategy was told that they were refused, and by which rule."""
    told = []
    while not strategy.is_empty():
        told.append(strategy.receive())
    return [(each.client_order_id, each.rule) for each in told if isinstance(each, OrderRefused)]


def symbol_of(fields):
    return {"symbol": fields["symbol"]} if "symbol" in fields else {}


@pytest.fixture
def cancelled():
    """The exits that a keeper has cancelled."""
    return []


class Clockwork:
    """Timers that fire when a test says so."""

    def __init__(self):
        self.set = []

    def after(self, seconds, message):
        timer = SimpleNamespace(seconds=seconds, message=message, cancel=lambda: self.set.remove(timer))
        self.set.append(timer)
        return timer

    def fire(self, keeper):
        """Let the next one fire; return its seconds."""
        timer = min(self.set, key=lambda each: each.seconds)
        self.set.remove(timer)
        keeper.ask_again(timer.message.entry, timer.message.step)
        return timer.seconds


@pytest.fixture
def kept(held, cancelled):
    """The keeper of one bracket, whose entry is filled, with the facts that it writes durable at once."""
    ledger, written = Ledger(), []

    def write(facts, _message=None):
        written.extend(facts)
        for fact in facts:
            ledger.book.apply(fact)

    for fact in held:
        ledger.book.apply(fact)
    context = SimpleNamespace(
        ledger=ledger, is_read=True, now_ns=lambda: 1, write=write, log=lambda *_, **__: None, theirs=AGREED
    )
    context.after, context.settings = Clockwork().after, OrdersActorSettings.of(OrdersSettings.default())
    context.market_rules, context.is_compared, context.freeze_quantities = False, False, {}
    keeper = Bracketing(
        context,
        SimpleNamespace(why_halted=lambda: "", limit_by=lambda *_: None),
        SimpleNamespace(cancel=lambda name, *_by: cancelled.append(name)),
    )
    return keeper, ledger.book, written


def arm(kept, make, entry="A-1"):
    """Have both exits placed, the target when the broker has answered the stop."""
    keeper, book, _ = kept
    keeper.look_at_all()
    for name in (f"{entry}S", f"{entry}T"):
        book.apply(make.accepted(name, f"B-{name}"))
        keeper.look(name)


def looking(keeper):
    """Return what has a keeper look at the market each second, at the prices that it is called with."""
    context, now_s = keeper._context, [0]
    context.changed_there = frozenset()
    context.elapsed_ns = context.now_ns = lambda: now_s[0] * 10**9

    def look(*prices, from_s=1):
        for second, price in enumerate(prices, from_s):
            now_s[0] = second
            context.market = look.others | ({} if price is None else {"INFY": (price, (second - look.lag_s) * 10**9)})
            keeper.look_at_prices()

    look.context, look.now_s, look.keeper, look.others, look.lag_s = context, now_s, keeper, {}, 0
    return look


class TestAStopThatTheMarketJumpsOver:
    """Ten are held, with a stop at 95 at the broker; the market is looked at each second."""

    @pytest.fixture
    def looked(self, kept, make):
        arm(kept, make)
        return looking(kept[0])

    def test_is_cancelled_however_old_a_price_is_where_that_has_no_limit(self, looked, cancelled):
        looked.lag_s = 60
        looked(*[94.0] * 6)

        assert cancelled == ["A-1S"]

    def test_is_cancelled_when_that_has_lasted_five_seconds(self, looked, cancelled):
        looked(94.0, 93.9, 93.9, 94.0, 94.9)
        assert cancelled == []
        looked(93.0, from_s=6)

        assert cancelled == ["A-1S"]

    def test_of_no_bracket_is_told_and_left_alone_and_by_its_limit_where_it_has_one(
        self, looked, cancelled, kept, make
    ):
        keeper, book, _ = kept
        stops = {"P-1": (10, "STOP", None), "P-2": (4, "STOP_LIMIT", 94.5)}
        for name, (quantity, kind, limit) in stops.items():
            fields = {"side": "SELL", "order_type": kind, "trigger_price": 95.5, "limit_price": limit}
            book.apply(make.intent(name, quantity=quantity, **fields))
            book.apply(make.accepted(name, f"B-{name}"))
        looked(*[95.0] * 6)
        assert keeper.unprotected == ("stop P-1: 10 INFY held, and the market has jumped over its trigger of 95.50",)
        looked(*[94.2] * 6, from_s=7)
        assert keeper.unprotected[1] == "stop P-2: 4 INFY held, and the market has jumped over its limit of 94.50"
        assert "P-1" in keeper.warning()
        assert cancelled == ["A-1S"]

        looked(96.0, from_s=13)
        assert keeper.unprotected == ()

    def test_is_logged_once_while_that_lasts(self, looked, kept, make):
        keeper, book, _ = kept
        logged = []
        keeper._context.log = lambda event, **fields: logged.append((event, fields["client_order_id"]))
        book.apply(make.intent("P-1", side="SELL", order_type="STOP", trigger_price=95.0))
        book.apply(make.accepted("P-1", "B-P"))
        looked(*[94.0] * 9)
        assert logged.count(("stop.jumped_over", "P-1")) == 1
        looked(*[96.0] * 3, *[94.0] * 6, from_s=10)

        assert logged.count(("stop.jumped_over", "P-1")) == 2

    def test_of_an_entry_is_told_as_well_but_wakes_nobody(self, looked, kept, make):
        keeper, book, _ = kept
        book.apply(make.intent("P-1", order_type="STOP_LIMIT", trigger_price=100.0, limit_price=101.0))
        book.apply(make.accepted("P-1", "B-9"))
        looked(*[102.0] * 6)

        assert keeper.unprotected == ()
        assert "stop P-1: INFY: the market has jumped over its limit of 101.00" in keeper.warning()

    def test_is_cancelled_whatever_others_there_are_before_it(self, looked, cancelled, kept, make):
        keeper, book, _ = kept
        stop = {"side": "SELL", "order_type": "STOP"}
        for name, symbol, trigger in (("P-0", "TCS", 50.0), ("P-1", "INFY", 96.0), ("P-2", "INFY", 90.0)):
            book.apply(make.intent(name, symbol=symbol, trigger_price=trigger, **stop))
            book.apply(make.accepted(name, f"B-{name}"))
        for order in book.open_orders():  # those of the bracket come last
            if order.client_order_id.startswith("A-1"):
                book._account.open[order.client_order_id] = book._account.open.pop(order.client_order_id)
        looked.context.changed_there = frozenset({"P-1"})
        looked.context.settings = replace(looked.context.settings, price_age_max_s=3.0)
        looked.others = {"TCS": (40.0, 1 - 10**10)}
        looked(*[94.0] * 6)

        assert cancelled == ["A-1S"]
        assert keeper.unprotected == ()

    def test_is_not_one_of_a_bracket_by_its_name_alone(self, looked, cancelled, kept, make):
        keeper, book, _ = kept
        for fact in (
            *(make.intent("P-1"), make.filled("P-1", "T-9")),
            *(make.intent("P-1S", side="SELL", order_type="STOP", trigger_price=95.0), make.accepted("P-1S", "B-P")),
        ):
            book.apply(fact)
        looked(*[94.0] * 6)

        assert cancelled == ["A-1S"]
        assert keeper.unprotected == ("stop P-1S: 10 INFY held, and the market has jumped over its trigger of 95.00",)

    def test_stays_until_that_has_lasted_since_the_first_price_that_is_known(self, looked, cancelled):
        looked(*[None] * 10, *[94.0] * 5)
        assert cancelled == []
        looked(94.0, from_s=16)

        assert cancelled == ["A-1S"]

    def test_is_not_cancelled_again_while_that_is_asked_for(self, looked, cancelled, kept):
        request = CancellationIntended(client_order_id="A-1S", number=1, asked_by="asha", occurred_ns=1)
        kept[1].apply(request)
        looked(*[94.0] * 10)

        assert cancelled == []

    def test_stays_where_the_market_comes_back(self, looked, cancelled):
        looked(94.0, 94.0, 94.0, 94.0, 95.0, 94.0, 94.0, 94.0, 94.0, 94.0)

        assert cancelled == []

    def test_stays_where_no_later_price_says_so(self, looked, cancelled):
        looked(94.0)
        for looked.now_s[0] in range(2, 60):
            looked.keeper.look_at_prices()

        assert cancelled == []

    def test_stays_where_the_price_is_too_old(self, looked, cancelled):
        looked.context.settings = replace(looked.context.settings, price_age_max_s=3.0)
        looked(94.0, 94.0)
        for looked.now_s[0] in range(2, 60):
            looked.keeper.look_at_prices()

        assert cancelled == []

    def test_stays_where_somebody_has_changed_it_at_the_broker(self, looked, cancelled):
        looked.context.changed_there = frozenset({"A-1S"})
        looked(*[94.0] * 10)

        assert cancelled == []

    def test_stays_while_the_book_is_not_complete(self, looked, cancelled):
        looked.context.is_read = False
        looked(*[94.0] * 10)

        assert cancelled == []

    def test_stays_in_a_halt(self, looked, cancelled):
        looked.keeper._risk.why_halted = lambda: "a person"
        looked(*[94.0] * 10)

        assert cancelled == []


class TestATargetThatRestsNowhere:
    """Ten are held, with a stop at 95 at the broker, which has rejected the target at 110."""

    @pytest.fixture
    def looked(self, kept, make):
        keeper, book, _ = kept
        keeper.look_at_all()
        for fact in (make.accepted("A-1S", "B-S"), make.rejected("A-1T")):
            book.apply(fact)
            keeper.look(fact.client_order_id)
        return looking(keeper)

    def test_has_all_closed_at_the_market_where_two_prices_a_second_apart_are_at_it(self, looked, kept, make):
        keeper, book, written = kept
        logged = []
        keeper._context.log = lambda event, **_: logged.append(event)
        looked(109.9, 110.0)
        assert book.order("A-1S").cancelling is None
        keeper._reached._cancelling.cancel = lambda name, _sender, by: book.apply(
            CancellationIntended(client_order_id=name, number=1, asked_by=by, occurred_ns=1)
        )
        looked(110.0, from_s=3)
        assert book.order("A-1S").asked_to_cancel.asked_by == REACHED
        book.apply(make.cancelled("A-1S"))
        keeper.look("A-1S")

        closing = written[-1]
        assert (closing.client_order_id, closing.order_type, closing.quantity) == ("A-1X", "MARKET", 10)
        keeper.look("A-1X")
        assert keeper.warning() == ""
        assert logged == ["bracket.reached", "bracket.closed_at_market"]

    def test_is_asked_for_once(self, looked, cancelled, kept):
        looked(110.0, 111.0)
        assert cancelled == ["A-1S"]
        request = CancellationIntended(client_order_id="A-1S", number=1, asked_by=REACHED, occurred_ns=1)
        kept[1].apply(request)
        looked(*[111.0] * 5, from_s=3)

        assert cancelled == ["A-1S"]

    @pytest.mark.parametrize(
        ("prices", "lag_s"),
        [([109.9] * 5, 0), ([110.0, 109.9, 110.0], 0), ([110.0], 0), ([None] * 5, 0), ([110.0] * 5, 60)],
    )
    def test_stays_where_the_market_is_not_there_for_a_second_by_two_fresh_prices(
        self, looked, cancelled, prices, lag_s
    ):
        looked.context.settings = replace(looked.context.settings, price_age_max_s=3.0)
        looked.lag_s = lag_s
        looked(*prices)

        assert cancelled == []

    def test_stays_where_one_price_stands_still(self, looked, cancelled):
        looked(110.0)
        for looked.now_s[0] in range(2, 60):
            looked.keeper.look_at_prices()

        assert cancelled == []

    def test_stays_in_a_halt_and_while_the_book_is_not_complete(self, looked, cancelled):
        looked.keeper._risk.why_halted = lambda: "HALTED"
        looked(*[110.0] * 5)
        looked.keeper._risk.why_halted = lambda: ""
        looked.context.is_read = False
        looked(*[110.0] * 5, from_s=6)
        assert cancelled == []
        looked.context.is_read = True
        looked(*[110.0] * 2, from_s=11)

        assert cancelled == ["A-1S"]

    def test_stays_where_nothing_is_held_any_more(self, looked, cancelled, kept, make):
        for fact in (make.intent("P-1", side="SELL"), make.filled("P-1", "T-9", side="SELL")):
            kept[1].apply(fact)
        looked.keeper.look("P-1", (fact,))
        cancelled.clear()
        looked(*[110.0] * 5)

        assert cancelled == []

    def test_is_not_looked_at_where_it_rests(self, kept, make, cancelled):
        arm(kept, make)
        looking(kept[0])(*[110.0] * 5)

        assert cancelled == []


class TestABracket:
    def test_places_its_exits_when_the_entry_is_filled(self, stage, entry, make, caplog):
        stage.open()
        stage.place(entry)
        stage.tell(make.report(quantity=10, price=100.0))

        stop, target = both_placed(stage)
        assert (stop.side, stop.quantity, stop.order_type, stop.trigger_price) == ("SELL", 10, "STOP", 95.0)
        assert (target.side, target.quantity, target.order_type, target.limit_price) == ("SELL", 10, "LIMIT", 110.0)
        assert (stop.reduces, target.reduces) == (True, True)
        assert stage.heard() == []
        assert "bracket.closed_at_market" not in caplog.text

    def test_places_no_exit_whose_intent_is_not_durable(self, stage, entry, make):
        stage.open()
        stage.place(entry)
        stage.settle()
        stage.disk.mode = "refuse"
        stage.tell(make.report(quantity=10, price=100.0))

        assert PlaceOrder not in stage.heard()

    def test_asks_soon_again_for_exits_that_the_journal_has_refused(self, stage, held):
        stage.disk.mode = "refuse"
        stage.open(*held)
        stage.settle()
        early = stage.heard()
        stage.disk.mode = "write"

        assert PlaceOrder not in early
        both_placed(stage)

    def test_asks_soon_again_for_a_change_that_the_journal_has_refused(self, stage, held, make):
        stage.open(*held)
        both_placed(stage)
        trade = make.report(
            client_order_id="A-1T",
            execution_id="T-2",
            quantity=3,
            cumulative_quantity=3,
            price=110.0,
            broker_order_id="B-A-1T",
        )
        stage.disk.refuses = ModificationIntended
        stage.tell(trade)
        stage.settle()
        stage.disk.refuses = ()

        assert stage.asked_next(ReplaceOrder).quantity == 7

    def test_cancels_an_exit_when_the_other_is_filled(self, stage, held, make):
        stage.open(*held)
        both_placed(stage)
        stage.tell(
            make.report(client_order_id="A-1T", execution_id="T-2", quantity=10, price=110.0, broker_order_id="B-A-1T")
        )

        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1S"

    def test_makes_an_exit_smaller_by_what_the_other_has_traded(self, stage, held, make):
        stage.open(*held)
        both_placed(stage)
        stage.tell(
            make.report(
                client_order_id="A-1T",
                execution_id="T-2",
                quantity=3,
                cumulative_quantity=3,
                price=110.0,
                broker_order_id="B-A-1T",
            )
        )

        change = stage.asked_next(ReplaceOrder)
        assert (change.client_order_id, change.quantity, change.trigger_price) == ("A-1S", 7, 95.0)
        stage.tell(OrderReplaced(client_order_id="A-1S", number=1))
        assert ReplaceOrder not in stage.heard()

    def test_tells_that_both_its_exits_have_traded_and_of_how_many_shares(self, stage, held, make, caplog):
        stage.open(*held)
        both_placed(stage)
        for name, trade, quantity, price in (("A-1T", "T-2", 10, 110.0), ("A-1S", "T-3", 4, 95.0)):
            assert "bracket.overclosed" not in caplog.text
            stage.tell(
                make.report(
                    client_order_id=name,
                    execution_id=trade,
                    quantity=quantity,
                    price=price,
                    broker_order_id=f"B-{name}",
                    cumulative_quantity=quantity,
                )
            )
            stage.settle()

        told = [record.fields for record in caplog.records if record.message == "bracket.overclosed"]
        assert told == [{"client_order_id": "A-1", "shares": 4}]

    @pytest.mark.parametrize(
        ("name", "told", "is_told"),
        [
            ("A-1S", ["filled"], True),
            ("A-1S", ["accepted", "filled"], True),
            ("A-1S", ["accepted"], False),
            ("A-1R", ["given back"], False),
        ],
        ids=["a trade", "a trade among others", "no trade", "a trade that gives back"],
    )
    def test_tells_how_much_its_exits_have_traded_too_much_when_one_trades(self, kept, make, name, told, is_told):
        keeper, book, _ = kept
        sold = {"side": "SELL", "quantity": 10}
        for leg in "ST":
            book.apply(make.intent(f"A-1{leg}", **sold))
            book.apply(make.filled(f"A-1{leg}", f"T-{leg}", **sold))
        book.apply(make.intent("A-1R"))
        facts = {
            "accepted": make.accepted("A-1S", "B-S"),
            "filled": make.filled("A-1S", "T-S", **sold),
            "given back": make.filled("A-1R", "T-R", quantity=4),
        }
        book.apply(facts["given back"])
        logged = []
        keeper._context.log = lambda event, **fields: logged.append((event, fields.get("shares")))
        keeper.look(name, [facts[each] for each in told])

        assert (("bracket.overclosed", 6) in logged) == is_told

    def test_is_none_of_orders_that_only_have_such_names(self, kept, make, cancelled):
        keeper, book, written = kept
        for fact in (make.intent("P-1"), make.intent("P-1S", side="SELL"), make.accepted("P-1S", "B-P")):
            book.apply(fact)
        keeper.look("P-1S", (make.accepted("P-1S", "B-P"),))

        assert (cancelled, written) == ([], [])

    def test_changes_one_exit_while_the_other_waits_to_be_changed_again(self, make):
        market = Market(make)
        market.fill("A-1", 10)
        for _ in range(2):
            market.settle()
        market.fill("A-1T", 3)
        no = ModificationRefused(client_order_id="A-1S", number=1, rule="broker", reason="frozen", occurred_ns=4)
        market.tell(no)
        market.fill("A-1S", 2)

        assert (market.book.order("A-1S").pending, market.book.order("A-1T").pending.quantity) == (None, 8)

    def test_changes_an_exit_once_while_that_is_on_its_way_to_the_journal(self, make):
        market, sent = Market(make), []
        market.fill("A-1", 10)
        market.settle()

        def write(facts, order=None):
            sent.extend(facts)
            market.ledger.write(facts, order)

        market.keeper._context.write = write
        market.fill("A-1T", 3)
        market.fill("A-1T", 1)

        assert [(each.client_order_id, each.quantity) for each in sent] == [("A-1S", 7)]

    def test_is_closed_at_the_market_where_the_gate_has_refused_an_order_of_the_name_of_its_stop(self, kept, make):
        keeper, book, written = kept
        book.apply(make.refusal("A-1S"))
        keeper.look_at_all()

        assert [(each.client_order_id, each.order_type) for each in written] == [("A-1X", "MARKET")]

    def test_is_armed_again_after_a_restart_before_anything_is_accepted(self, stage, held):
        stage.open(*held)

        stage.settle()
        assert list(stage.disk.kinds("A-1S")) == [OrderIntended], "written before it was ready"
        assert [request.client_order_id for request in both_placed(stage)] == ["A-1S", "A-1T"]

    def test_that_was_armed_is_not_armed_twice(self, stage, held, make):
        exits = [
            fact
            for name in ("A-1S", "A-1T")
            for fact in (make.intent(name, side="SELL"), make.accepted(name, f"B-{name}"))
        ]
        stage.open(*held, *exits)

        assert PlaceOrder not in stage.heard()

    def test_is_let_alone_in_a_halt_and_armed_when_a_person_has_resumed(self, stage, entry, make):
        switch = stage.system.probe("kill-switch")
        stage.open()
        stage.place(entry)
        stage.tell(HaltTrading(cause="enough", person="asha"), switch)
        stage.settle()
        stage.tell(make.report(quantity=10, price=100.0))
        assert PlaceOrder not in stage.heard()
        assert isinstance(stage.system.request("orders", Resume(reason="seen", person="asha")), Resumed)

        assert [request.client_order_id for request in both_placed(stage)] == ["A-1S", "A-1T"]

    def test_is_closed_at_the_market_where_its_stop_is_rejected(self, stage, held, make, caplog):
        stage.open(*held)
        both_placed(stage)
        stage.tell(make.report("REJECTED", "A-1S", broker_order_id="B-A-1S"))
        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1T"
        stage.tell(make.report("CANCELLED", "A-1T", broker_order_id="B-A-1T"))

        request = placed(stage, "A-1X")
        assert (request.order_type, request.quantity, request.side) == ("MARKET", 10, "SELL")
        assert "bracket.closed_at_market" in caplog.text

    def test_counts_its_two_exits_as_one_order_that_closes(self, stage, held, make):
        stage.open(*held, position_max=10)
        both_placed(stage)
        stage.settle()
        stage.submit(make.order("B-1", side="SELL", quantity=10))

        assert stage.asked_next(PlaceOrder).client_order_id == "B-1", "flat with the exits, and 10 short at most"
        stage.settle()
        stage.submit(make.order("B-2", side="SELL", quantity=1))
        assert refused(stage).rule == "position_max"

    @pytest.mark.parametrize("state", ["NORMAL", "REDUCING"])
    def test_is_armed_though_orders_are_limited(self, stage, held, make, state):
        stage.open(*held, make.change(state), orders_in_flight_max=1, orders_a_minute_max=1)

        assert [request.client_order_id for request in both_placed(stage)] == ["A-1S", "A-1T"]


class TestABracketOverNight:
    """Ten of INFY are held on a Thursday with stop and target; both end with the day. The session is that of NSE."""

    THURSDAY, FRIDAY, MONDAY = (datetime(2026, 1, day, tzinfo=IST) for day in (8, 9, 12))

    @pytest.fixture
    def night(self, make, kept):
        keeper, book, written = kept
        context, now = keeper._context, [self.THURSDAY + timedelta(hours=14)]
        context.now_ns = context.elapsed_ns = lambda: int(now[0].timestamp()) * 10**9
        context.settings = replace(context.settings, product="CNC", session="NSE")
        context.market_rules = True
        clockwork = Clockwork()
        context.after = clockwork.after

        def ends(*names, state="expired"):
            for name in names:
                book.apply(getattr(make, state)(name))
                keeper.look(name, [getattr(make, state)(name)])

        def go(moment):
            now[0] = moment
            keeper.look_at_all()
            return [(fact.client_order_id, fact.quantity) for fact in written if isinstance(fact, OrderIntended)]

        arm(kept, make)
        return SimpleNamespace(
            keeper=keeper, book=book, context=context, written=written, ends=ends, go=go, now=now, clockwork=clockwork
        )

    def test_has_both_exits_again_when_the_next_session_has_begun(self, night, make):
        night.now[0] = self.THURSDAY + timedelta(hours=15, minutes=30)
        night.ends("A-1S", "A-1T")
        first = night.go(self.THURSDAY + timedelta(hours=20))
        assert night.go(self.FRIDAY + timedelta(hours=9, minutes=15, seconds=4)) == first
        assert night.keeper.unprotected == (), "nobody is woken"

        assert night.go(self.FRIDAY + timedelta(hours=9, minutes=15, seconds=5)) == [*first, ("A-1S1", 10)]
        night.book.apply(make.accepted("A-1S1", "B-3"))
        assert night.go(self.FRIDAY + timedelta(hours=9, minutes=16)) == [*first, ("A-1S1", 10), ("A-1T1", 10)]
        assert (night.written[-2].trigger_price, night.written[-1].limit_price) == (95.0, 110.0)

    def test_looks_each_minute_where_a_machine_may_sleep_over_it(self, night):
        night.context.market_rules = False
        night.now[0] = self.FRIDAY + timedelta(hours=15, minutes=30)
        night.ends("A-1S", "A-1T")

        assert [each.seconds for each in night.clockwork.set if isinstance(each.message, DayDue)] == [60.0]

    def test_waits_for_that_by_a_timer_also_over_a_weekend(self, night):
        night.now[0] = self.FRIDAY + timedelta(hours=15, minutes=30)
        night.ends("A-1S", "A-1T")
        (timer,) = [each for each in night.clockwork.set if isinstance(each.message, DayDue)]

        opens = night.now[0] + timedelta(seconds=timer.seconds)
        assert opens == self.MONDAY + timedelta(hours=9, minutes=15, seconds=5)

    def test_has_them_at_the_prices_that_they_were_changed_to(self, night):
        terms = {"client_order_id": "A-1S", "number": 1, "quantity": 10, "limit_price": None, "trigger_price": 99.0}
        for fact in (ModificationIntended, OrderModified):
            night.book.apply(fact(**terms, occurred_ns=1))
        night.ends("A-1S", "A-1T")
        night.go(self.FRIDAY + timedelta(hours=10))

        assert night.written[-1].trigger_price == 99.0

    def test_has_them_for_what_is_left(self, night, make):
        night.book.apply(make.filled("A-1T", trade_id="T-2", quantity=4, side="SELL"))
        night.ends("A-1S", "A-1T")

        assert night.go(self.FRIDAY + timedelta(hours=10))[-1] == ("A-1S1", 6)

    def test_has_them_each_day_and_no_id_twice(self, night, make):
        for day, suffix in ((self.FRIDAY, ""), (self.MONDAY, "1")):
            night.ends(f"A-1S{suffix}", f"A-1T{suffix}")
            night.go(day + timedelta(hours=10))
            next_one = str(int(suffix or 0) + 1)
            for leg in "ST":
                night.book.apply(make.accepted(f"A-1{leg}{next_one}", f"B-{leg}{next_one}"))
                night.go(day + timedelta(hours=11))

        ids = [fact.client_order_id for fact in night.written if isinstance(fact, OrderIntended)]
        assert ids == ["A-1S", "A-1T", "A-1S1", "A-1T1", "A-1S2", "A-1T2"]
        assert night.keeper.unprotected == ()

    def test_is_of_the_book_until_nothing_is_held_any_more(self, night, make):
        night.ends("A-1S", "A-1T")
        assert [each.client_order_id for each in night.book.brackets] == ["A-1"]
        night.book.apply(make.intent("B-1", side="SELL"))
        night.book.apply(make.filled("B-1", trade_id="T-9", side="SELL"))

        assert night.book.brackets == ()
        assert len(night.go(self.FRIDAY + timedelta(hours=10))) == 2

    @pytest.mark.parametrize("product", ["INTRADAY", "CNC"])
    def test_has_none_of_what_the_broker_closes_in_the_evening_and_that_is_told(self, night, product):
        night.context.settings = replace(night.context.settings, product=product)
        night.ends("A-1S", "A-1T")

        placed = night.go(self.FRIDAY + timedelta(hours=10))
        assert (len(placed) == 2) == (product == "INTRADAY")
        assert ("their stop is gone" in night.keeper.warning()) == (product == "INTRADAY")

    @pytest.mark.parametrize(("product", "default"), [("CNC", "INTRADAY"), ("INTRADAY", "CNC")])
    def test_has_some_by_the_product_that_its_entry_names_whatever_others_have(self, night, make, product, default):
        night.context.settings = replace(night.context.settings, product=default)
        for fact in (make.intent("C-1", product=product, **PRICES), make.filled("C-1", "T-5")):
            night.book.apply(fact)
        night.keeper.look("C-1")
        night.book.apply(make.accepted("C-1S", "B-C-1S"))
        night.ends("C-1S")

        placed = night.go(self.FRIDAY + timedelta(hours=10))
        assert (("C-1S1", 10) in placed) == (product == "CNC")

    def test_is_closed_at_the_market_on_the_next_where_the_day_before_was_over_first(self, night, make):
        """The market was locked: neither the order at the market traded, nor anything else."""
        night.book.apply(CancellationIntended(client_order_id="A-1S", number=1, asked_by=JUMPED_OVER, occurred_ns=1))
        night.ends("A-1S", "A-1T", state="cancelled")
        assert night.written[-1].client_order_id == "A-1X"
        night.book.apply(make.accepted("A-1X", "B-X"))
        night.now[0] = self.THURSDAY + timedelta(hours=15, minutes=30)
        night.ends("A-1X")

        told = "10 INFY held, and the order that was to close them at the market has ended; another follows"
        assert told in night.keeper.warning()
        assert [each.seconds for each in night.clockwork.set if isinstance(each.message, DayDue)]
        first = night.go(self.FRIDAY + timedelta(hours=9, minutes=15, seconds=4))
        assert night.go(self.FRIDAY + timedelta(hours=9, minutes=15, seconds=5)) == [*first, ("A-1Y", 10)]
        night.book.apply(make.accepted("A-1Y", "B-Y"))
        night.go(self.FRIDAY + timedelta(hours=10))
        assert "another follows" not in night.keeper.warning()

    def test_waits_for_no_session_where_no_exit_does(self, night):
        night.now[0] = self.THURSDAY + timedelta(hours=20)
        night.keeper.look_at_all()

        assert night.clockwork.set == []

    def test_has_none_of_what_the_broker_has_no_more(self, night):
        night.ends("A-1S", "A-1T")
        gone = PositionMismatch(symbol="INFY", ours=10, theirs=0, is_ours=True, since_ns=1, occurred_ns=1)
        night.context.theirs = as_told((gone,))

        assert len(night.go(self.FRIDAY + timedelta(hours=10))) == 2
        assert "10 INFY held, and their stop is gone" in night.keeper.warning()

    def test_has_none_before_the_brokers_positions_are_compared_and_waits_for_that_a_minute_at_most(self, night):
        night.context.settings = replace(night.context.settings, is_compared=True)
        night.ends("A-1S", "A-1T")
        opens = self.FRIDAY + timedelta(hours=9, minutes=15)
        assert len(night.go(opens + timedelta(seconds=59))) == 2

        assert len(night.go(opens + timedelta(seconds=60))) == 3
        night.context.is_compared = True
        assert night.keeper._days.began_ns("INFY")

    def test_has_none_that_a_person_has_cancelled(self, night):
        night.book.apply(CancellationIntended(client_order_id="A-1S", number=1, asked_by="asha", occurred_ns=1))
        night.ends("A-1S", "A-1T")

        assert night.go(self.FRIDAY + timedelta(hours=10))[2:] == [("A-1T1", 10)]

    def test_is_closed_by_orders_that_the_exchange_takes_where_a_stop_would_be_too_great(self, night, make):
        night.context.freeze_quantities = {"INFY": 6}
        night.ends("A-1S", state="rejected")
        night.ends("A-1T", state="cancelled")
        night.go(self.THURSDAY + timedelta(hours=15))
        night.book.apply(make.filled("A-1X", trade_id="T-2", quantity=6, side="SELL"))

        assert night.go(self.THURSDAY + timedelta(hours=15))[2:] == [("A-1X", 6), ("A-1Y", 4)]

    def test_is_closed_by_nothing_while_the_exchange_takes_no_order(self, night):
        night.now[0] = self.THURSDAY + timedelta(hours=16)
        night.ends("A-1S", state="rejected")
        night.ends("A-1T", state="cancelled")
        assert len(night.go(self.THURSDAY + timedelta(hours=20))) == 2

        assert night.go(self.FRIDAY + timedelta(hours=9, minutes=16))[2:] == [("A-1X", 10)]


class TestAStopThatIsNotMadeGreater:
    """Four of ten came in, and had their exits; then six more."""

    @pytest.fixture
    def growing(self, kept, make):
        keeper, book, written = kept
        for fact in (make.intent("C-1", quantity=20, **PRICES), make.filled("C-1", "T-5", quantity=4)):
            book.apply(fact)
        arm(kept, make, "C-1")
        more = make.filled("C-1", "T-6", quantity=6, cumulative_quantity=10)
        book.apply(more)
        keeper.look("C-1", (more,))
        return keeper, book, written

    @staticmethod
    def told(keeper):
        return [each for each in keeper.unprotected if each.startswith("bracket C-1")]

    def test_since_the_broker_refuses_it_is_told_until_it_is(self, growing):
        keeper, book, written = growing
        assert [(each.client_order_id, each.quantity) for each in written[-2:]] == [("C-1S", 10), ("C-1T", 10)]
        assert self.told(keeper) == [], "it is on its way"
        no = ModificationRefused(client_order_id="C-1S", number=1, rule="broker", reason="funds", occurred_ns=1)
        book.apply(no)
        keeper.look("C-1S", (no,))
        assert self.told(keeper) == ["bracket C-1: 10 INFY held, and their stop is for 4 of them"]

        change = {"client_order_id": "C-1S", "number": 2, "quantity": 10, "limit_price": None, "trigger_price": 95.0}
        for fact in (ModificationIntended(**change, occurred_ns=2), yes := OrderModified(**change, occurred_ns=2)):
            book.apply(fact)
        keeper.look("C-1S", (yes,))
        assert self.told(keeper) == []

    def test_since_it_was_so_often_is_told_while_its_entry_fills(self, growing, make):
        keeper, book, _ = growing
        for number in range(1, 11):
            terms = {
                "number": number,
                "quantity": 10,
                "limit_price": None,
                "trigger_price": 95.0,
                "occurred_ns": number,
            }
            book.apply(OrderModified(client_order_id="C-1S", **terms))
        more = make.filled("C-1", "T-7", quantity=5, cumulative_quantity=15)
        book.apply(more)
        keeper.look("C-1", (more,))

        assert self.told(keeper) == ["bracket C-1: 15 INFY held, and their stop is for 10 of them"]


class TestAnExitThatSomebodyChangesAtTheBroker:
    @pytest.fixture
    def changed(self, kept, make):
        arm(kept, make)
        keeper, book, written = kept

        def change(**terms):
            fact = OrderModified(client_order_id="A-1S", number=1, limit_price=None, occurred_ns=1, **terms)
            book.apply(fact)
            keeper.look("A-1S", (fact,))
            return written[2:]

        return change

    def test_is_for_all_that_is_held_again(self, changed):
        (fact,) = changed(quantity=4, trigger_price=95.0)

        assert (fact.client_order_id, fact.number, fact.quantity) == ("A-1S", 2, 10)

    def test_keeps_the_price_that_it_was_given_there(self, changed, kept):
        assert changed(quantity=10, trigger_price=90.0) == []
        assert kept[1].order("A-1S").trigger_price == 90.0


class TestABracketThatIsOver:
    def test_is_looked_at_no_more_and_nothing_is_remembered_of_it(self, make, kept):
        keeper, book, written = kept
        keeper.look_at_all()
        assert [fact.client_order_id for fact in written] == ["A-1S"], "the target waits for the stop"
        arm(kept, make)
        assert [fact.client_order_id for fact in written] == ["A-1S", "A-1T"]
        assert [each.client_order_id for each in book.brackets] == ["A-1"]
        book.apply(make.filled("A-1T", trade_id="T-2", quantity=10, side="SELL"))
        keeper.look("A-1T")
        assert [each.client_order_id for each in book.brackets] == ["A-1"], "the stop may still trade"
        book.apply(make.cancelled("A-1S"))
        keeper.look("A-1S")

        assert book.brackets == ()
        assert keeper._repeating._tries == {}
        assert len(written) == 2

    @pytest.fixture
    def over(self, make, held):
        """All facts of a bracket whose target has traded."""
        exits = [make.intent(f"A-1{leg}", side="SELL") for leg in "ST"]
        return *held, *exits, make.filled("A-1T", trade_id="T-2", side="SELL"), make.cancelled("A-1S")

    def test_is_not_looked_at_by_a_start_either(self, make, over):
        read_back = Ledger().book
        for number, fact in enumerate(over):
            assert len(read_back.brackets) == (number > 0)
            read_back.apply(fact)

        assert read_back.brackets == ()

    @pytest.mark.parametrize("late", ["A-1", "A-1S"], ids=["of the entry", "of the exit that was cancelled"])
    def test_is_looked_at_again_after_a_trade_that_comes_late(self, make, over, late):
        book = Ledger().book
        book.apply(make.intent("A-1", quantity=20, **PRICES))
        for fact in (*over[1:], make.cancelled("A-1")):
            book.apply(fact)
        assert book.brackets == ()
        book.apply(make.filled(late, trade_id="T-3", quantity=5, side="BUY" if late == "A-1" else "SELL"))

        assert [each.client_order_id for each in book.brackets] == ["A-1"]

    def test_is_not_over_where_its_stop_was_refused(self, make, held):
        book = Ledger().book
        for fact in (*held, make.refusal("A-1S")):
            book.apply(fact)

        assert [each.client_order_id for each in book.brackets] == ["A-1"]

    def test_is_so_without_an_exit_where_the_entry_never_traded(self, make, kept):
        keeper, book, written = kept
        book.apply(make.intent("B-1", **PRICES))
        book.apply(make.cancelled("B-1"))
        keeper.look("B-1")

        assert [each.client_order_id for each in book.brackets] == ["A-1"]
        assert written == []


class TestABracketWhoseSharesOthersClose:
    @pytest.fixture
    def flattened(self, make):
        """The facts of an order that closes what the strategy holds, by whoever wants that."""
        return make.intent("flat-1", side="SELL"), make.filled("flat-1", trade_id="T-9", side="SELL")

    def test_is_over_without_its_exits_if_it_had_none(self, make, kept, flattened):
        keeper, book, written = kept
        for fact in (*flattened, make.intent("B-1"), make.filled("B-1", trade_id="T-10")):
            book.apply(fact)
        keeper.look_at_all()

        assert (book.brackets, written) == ((), [])

    def test_has_its_exits_cancelled(self, make, kept, flattened, cancelled):
        keeper, book, _written = kept
        arm(kept, make)
        for fact in flattened:
            book.apply(fact)
        keeper.look("flat-1", flattened)

        assert cancelled == ["A-1T", "A-1S"]

    @pytest.mark.parametrize(
        "other",
        [{"strategy": "other"}, {"symbol": "TCS"}, {"quantity": 9}, {"side": "BUY"}],
        ids=["another strategy's", "another symbol's", "not all of them", "more of them"],
    )
    def test_goes_on_after_any_other_trade(self, make, kept, cancelled, other):
        keeper, book, _written = kept
        keeper.look_at_all()
        fields = {"side": "SELL"} | other
        facts = make.intent("C-1", **fields), make.filled("C-1", trade_id="T-9", **({"quantity": 10} | fields))
        for fact in facts:
            book.apply(fact)
        keeper.look("C-1", facts)

        assert ([each.client_order_id for each in book.brackets], cancelled) == (["A-1"], [])

    def test_is_over_where_the_position_is_turned_round(self, make, kept, cancelled):
        keeper, book, _written = kept
        arm(kept, make)
        sale = {"side": "SELL", "quantity": 25}
        facts = make.intent("C-1", **sale), make.filled("C-1", trade_id="T-9", **sale)
        for fact in facts:
            book.apply(fact)
        keeper.look("C-1", facts)

        assert cancelled == ["A-1T", "A-1S"]

    @pytest.mark.parametrize("quantity", [10, 12])
    def test_is_over_for_the_book_by_the_trade_of_another_that_leaves_none_of_its_side(self, make, held, quantity):
        book = Ledger().book
        sale = {"side": "SELL", "quantity": quantity}
        for fact in (*held, make.intent("B-1", **sale)):
            book.apply(fact)
        assert len(book.brackets) == 1
        book.apply(make.filled("B-1", "T-9", **sale))

        assert book.brackets == ()


class TestABracketWhoseExitsHaveBothTraded:
    @pytest.fixture
    def both(self, make, held):
        """All facts of a bracket of ten, whose target has traded, and then six of its stop."""
        return [
            *held,
            *(make.intent(f"A-1{leg}", side="SELL") for leg in "ST"),
            make.filled("A-1T", trade_id="T-2", side="SELL"),
            make.filled("A-1S", trade_id="T-3", side="SELL", quantity=6),
            make.cancelled("A-1S"),
        ]

    def test_has_what_was_sold_too_much_given_back_by_a_start_once(self, stage, both, caplog):
        stage.open(*both)

        (request,) = stage.placed_at_start or [stage.asked_next(PlaceOrder)]
        assert (request.client_order_id, request.side, request.quantity, request.order_type) == (
            *("A-1R", "BUY"),
            *(6, "MARKET"),
        )
        assert request.reduces
        assert PlaceOrder not in stage.heard()
        told = [record.fields for record in caplog.records if record.message == "bracket.given_back"]
        assert told == [{"client_order_id": "A-1R", "shares": 6}]

    def test_is_let_alone_in_a_halt(self, stage, both, make):
        stage.open(*both, make.change("HALTED"))
        assert PlaceOrder not in [*map(type, stage.placed_at_start), *map(type, stage.heard())]

        assert isinstance(stage.system.request("orders", Resume(reason="seen", person="asha")), Resumed)
        assert stage.asked_next(PlaceOrder).client_order_id == "A-1R"

    def test_is_over_when_that_has_traded(self, both, make):
        book = Ledger().book
        for fact in both:
            book.apply(fact)
        assert (book.surplus("A-1"), [each.client_order_id for each in book.brackets]) == (6, ["A-1"])
        for fact in (make.intent("A-1R", quantity=6), make.filled("A-1R", trade_id="T-4", quantity=6)):
            book.apply(fact)

        assert (book.surplus("A-1"), book.brackets) == (0, ())

    @pytest.mark.parametrize(("bought", "left"), [(2, 4), (6, 0), (9, 0)])
    def test_has_less_to_give_back_by_what_its_strategy_buys_itself(self, both, make, bought, left):
        book = Ledger().book
        sold_later = make.intent("C-1", side="SELL"), make.filled("C-1", trade_id="T-5", side="SELL")
        for fact in (*both, make.intent("B-1"), make.filled("B-1", trade_id="T-4", quantity=bought), *sold_later):
            book.apply(fact)

        assert book.surplus("A-1") == left, "what is sold later was wanted"
        assert bool(book.brackets) == bool(left)


class TestABracketWhoseBrokerTakesNothingForAWhile:
    @pytest.fixture
    def bare(self, make):
        """Ten are held, and the stop and the first order at the market were rejected."""
        market = Market(make)
        market.fill("A-1", 10)
        for name in ("A-1S", "A-1X"):
            market.tell(make.rejected(name))
        return market

    def test_is_closed_by_orders_with_ever_longer_pauses_between_them(self, bare, make):
        pauses = []
        for suffix in "YZWVUNM":
            assert bare.book.order(f"A-1{suffix}") is None
            pauses.append(bare.clockwork.fire(bare.keeper))
            bare.tell(make.rejected(f"A-1{suffix}"))

        assert pauses == [5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 300.0]
        assert bare.clockwork.set == []

    def test_lets_only_orders_pass_that_reduce_until_it_is_closed(self, bare, make):
        assert bare.limited == "bracket A-1: no order closes 10 INFY, the broker took none"
        assert bare.keeper.warning() == bare.limited
        bare.clockwork.fire(bare.keeper)
        bare.tell(make.accepted("A-1Y", "B-A-1Y"))
        assert bare.limited == "", "an order is there"
        bare.fill("A-1Y", 10)

        assert (bare.limited, bare.keeper.warning(), bare.held) == ("", "", 0)
        assert [each.client_order_id for each in bare.book.brackets] == ["C-1"]

    def test_says_it_also_when_no_order_is_left_until_somebody_else_has_closed_it(self, bare, make):
        for suffix in "YZWVUNM":
            bare.clockwork.fire(bare.keeper)
            bare.tell(make.rejected(f"A-1{suffix}"))
        assert "no order closes 10 INFY" in bare.limited
        assert [each.client_order_id for each in bare.book.brackets] == ["A-1", "C-1"]
        bare.trade("SELL", 10)

        assert (bare.limited, bare.clockwork.set) == ("", [])
        assert [each.client_order_id for each in bare.book.brackets] == ["C-1"]

    def test_is_closed_at_once_by_a_start_or_when_a_person_has_resumed(self, bare):
        bare.keeper.look_at_all()
        assert bare.book.order("A-1Y") is None
        bare.keeper.begin_anew()

        assert bare.book.order("A-1Y").quantity == 10

    def test_is_told_no_more_when_others_have_closed_it_in_a_halt(self, bare):
        bare.keeper._risk.why_halted = lambda: "a person"
        bare.trade("SELL", 4)
        assert "no order closes 10 INFY" in bare.limited
        bare.trade("SELL", 6)

        assert (bare.limited, bare.keeper.warning()) == ("", "")
        assert bare.book.order("A-1Y") is None

    def test_is_logged_once_and_again_when_it_is_otherwise(self, bare, make):
        logged = []
        bare.keeper._context.log = lambda event, **fields: logged.append((event, fields.get("reason")))
        told = ("bracket.unguarded", "bracket A-1: no order closes 10 INFY, the broker took none")
        for _ in range(2):
            bare.keeper.look_at_all()
        assert logged == [], "it was logged when the second order was rejected"
        bare.clockwork.fire(bare.keeper)
        bare.tell(make.accepted("A-1Y", "B-A-1Y"))
        bare.tell(make.rejected("A-1Y"))

        assert [each for each in logged if each[0] == "bracket.unguarded"] == [told]

    def test_has_a_refused_change_asked_for_again_after_ever_longer_pauses(self, make):
        market = Market(make)
        market.fill("A-1", 10)
        market.settle()
        market.fill("A-1T", 4)
        pauses = []
        for number in (1, 2, 3):
            assert market.book.order("A-1S").pending.number == number
            refusal = ModificationRefused(
                client_order_id="A-1S", number=number, rule="broker", reason="frozen", occurred_ns=4
            )
            market.tell(refusal)
            assert market.book.order("A-1S").pending is None
            pauses.append(market.clockwork.fire(market.keeper))

        assert pauses == [5.0, 10.0, 20.0]

    @pytest.mark.parametrize("ends", ["it is known", "nothing is held"])
    def test_whose_stop_may_not_be_at_the_broker_says_so_until_it_is_known_or_nothing_is_held(self, make, ends):
        market = Market(make)
        market.write((make.intent("L-1", **PRICES), make.accepted("L-1", "B-L-1")))
        market.fill("L-1", 10)
        market.tell(make.uncertain("L-1S"))

        told = "bracket L-1: 10 INFY held, and it is not known whether the broker has their stop"
        assert (market.keeper.warning(), market.keeper.unprotected, market.limited) == (told, (told,), "")
        if ends == "it is known":
            market.tell(make.accepted("L-1S", "B-L-1S"))
        else:
            market.tell(make.accepted("L-1T", "B-L-1T"))
            market.fill("L-1T", 10)
        assert market.keeper.unprotected == ()

    @pytest.mark.parametrize("ends", ["cancelled", "expired"])
    def test_says_so_where_the_order_that_was_to_close_it_ended_at_the_broker(self, make, ends):
        market = Market(make)
        market.fill("A-1", 10)
        market.tell(make.rejected("A-1S"))
        market.tell(make.accepted("A-1X", "B-A-1X"))
        assert market.keeper.unprotected == ()
        market.fill("A-1X", 4)
        market.tell(getattr(make, ends)("A-1X"))

        assert market.book.order("A-1Y") is None
        told = "bracket A-1: 6 INFY held, and the order that was to close them at the market has ended"
        assert market.keeper.unprotected == (told,)
        assert "A-1" in {**market.book.bare_brackets, **market.book.open_brackets}
        market.trade("SELL", 6)
        assert market.keeper.unprotected == ()

    def test_names_no_more_shares_than_are_held_where_both_its_exits_are_gone(self, make):
        market = Market(make)
        market.write((make.intent("L-1", **PRICES), make.accepted("L-1", "B-L-1")))
        market.fill("L-1", 10)
        for name in ("L-1S", "L-1T"):
            market.tell(make.accepted(name, f"B-{name}"))
            market.tell(make.cancelled(name))
        market.trade("SELL", 4)

        assert market.keeper.unprotected == ("bracket L-1: 6 INFY held, and their stop is gone",)

    @pytest.mark.parametrize(
        ("besides", "follows"), [({}, ""), ({"stop_loss_price": 95.0}, ": all is closed when it is at 110.00")]
    )
    def test_has_no_target_since_the_broker_refused_it_says_so_also_where_its_stop_stands(self, make, besides, follows):
        market = Market(make)
        market.write((make.intent("L-1", target_price=110.0, **besides), make.accepted("L-1", "B-L-1")))
        market.fill("L-1", 10)
        if besides:
            market.tell(make.accepted("L-1S", "B-L-1S"))
        market.tell(make.rejected("L-1T"))

        told = f"bracket L-1: its target never came into the market{follows}"
        assert (market.keeper.warning(), market.keeper.unprotected, market.limited) == (told, (), "")
        market.trade("SELL", 10)
        assert market.keeper.warning() == ""


class Squares(RuntimeActor):
    """A strategy that has each order cancelled that it is told of, to square off; keeps what it is answered."""

    says = frozenset({CancelOrder})

    @handles(OrderPlaced)
    def cancel(self, of, _sender):
        self.send("orders", CancelOrder(client_order_id=of.client_order_id, squares_off=True))

    @handles(CancellationRefused)
    def keep(self, refused, _sender):
        self.settings.append(refused)


class TestAStrategyThatSquaresOff:
    def test_is_looked_at_by_one_timer_however_many_orders_it_has_cancelled(self, make):
        clockwork, now_s = Clockwork(), [0]
        squaring_off = SquaringOff(SimpleNamespace(elapsed_ns=lambda: now_s[0] * 10**9, after=clockwork.after))
        for name, symbol in (("A-1S", "INFY"), ("A-1T", "INFY"), ("B-1S", "TCS")):
            squaring_off.begin(make.order(name, symbol=symbol))
            now_s[0] += 10
        assert [each.seconds for each in clockwork.set] == [31.0]
        now_s[0] = 45

        assert squaring_off.too_slow() == (("crossover", "INFY"),)
        squaring_off.looked()
        assert [each.seconds for each in clockwork.set] == [6.0], "until the other one, which began 20 s later"
        now_s[0] = 51
        squaring_off.looked()
        assert (len(squaring_off.too_slow()), clockwork.set) == (2, [])

    def test_forgets_what_it_was_closing_when_it_begins_anew_and_no_other_does(self, make):
        context = SimpleNamespace(elapsed_ns=lambda: 0, after=Clockwork().after)
        squaring_off = SquaringOff(context)
        for strategy, symbol in (("crossover", "INFY"), ("dip", "INFY"), ("crossover", "TCS")):
            squaring_off.begin(Order.from_intent(make.intent(strategy=strategy, symbol=symbol)))

        assert squaring_off.forget("crossover") == (("crossover", "INFY"), ("crossover", "TCS"))
        assert squaring_off.handover() == ({("dip", "INFY"): 0}, {}, [])

    @pytest.mark.parametrize(("lasts_s", "is_too_slow"), [(29, False), (30, True), (31, True)])
    def test_is_too_slow_from_thirty_seconds_on(self, make, lasts_s, is_too_slow):
        clockwork, now_s = Clockwork(), [100]
        context = SimpleNamespace(elapsed_ns=lambda: now_s[0] * 10**9, after=clockwork.after, ledger=Ledger())
        squaring_off, entry = SquaringOff(context), Order.from_intent(make.intent(**PRICES))
        squaring_off.begin(entry)
        now_s[0] += lasts_s
        squaring_off.looked()

        assert squaring_off.too_slow() == ((("crossover", "INFY"),) if is_too_slow else ())
        assert squaring_off.closes_itself(entry) is not is_too_slow
        assert [each.seconds for each in clockwork.set] == ([] if is_too_slow else [2.0])


class TestABracketWhoseStrategySquaresOff:
    """Its exits are cancelled first; the order by which the strategy closes what is held comes behind that."""

    ENDED = SquaringOffEnded(strategy="crossover", symbol="INFY", reason="the order was refused")

    @pytest.fixture
    def bare(self, stage, held, make):
        stage.open(*held)
        both_placed(stage)
        for name in ("A-1S", "A-1T"):
            stage.tell(CancelOrder(client_order_id=name, squares_off=True), stage.strategy)
            assert stage.asked_next(WithdrawOrder).client_order_id == name
            stage.tell(make.report("CANCELLED", name, broker_order_id=f"B-{name}"))
        assert PlaceOrder not in stage.heard(), "the strategy does it itself"
        return stage

    def test_and_cannot_is_closed_at_the_market(self, bare):
        bare.tell(self.ENDED, bare.strategy)

        request = placed(bare, "A-1X")
        assert (request.order_type, request.quantity, request.side) == ("MARKET", 10, "SELL")

    def test_is_closed_by_its_strategy_alone_if_that_can(self, bare, make):
        assert bare.statistics.unprotected == (), "it is about to be"
        bare.place(make.order("C-9", side="SELL"), "B-9")
        bare.tell(make.report(quantity=10, price=100.0, client_order_id="C-9", broker_order_id="B-9"))
        bare.settle()
        bare.tell(replace(self.ENDED, reason=""), bare.strategy)

        assert PlaceOrder not in bare.heard()
        assert bare.statistics.unprotected == ()

    def test_waits_for_the_end_of_what_its_strategy_has_at_the_market(self, bare, make):
        bare.place(make.order("C-9", side="SELL"), "B-9")
        bare.tell(self.ENDED, bare.strategy)
        assert PlaceOrder not in bare.heard()
        bare.tell(make.report("REJECTED", "C-9", broker_order_id="B-9"))

        assert placed(bare, "A-1X").quantity == 10

    def test_and_begins_anew_meanwhile_is_closed_at_the_market(self, bare):
        bare.tell(ReadHoldings(strategy="crossover"), bare.strategy)

        assert placed(bare, "A-1X").quantity == 10

    def test_for_too_long_is_closed_at_the_market(self, bare, monkeypatch):
        """It may wait for the end of an order that never came to us."""
        bare.tell(SquaringOffDue(), bare.system.base.find("orders"))
        assert PlaceOrder not in bare.heard()
        monkeypatch.setattr("natya.actors.orders.parts.bracketing.squaring_off.SQUARING_OFF_MAX_S", 0.0)
        bare.tell(SquaringOffDue(), bare.system.base.find("orders"))

        assert placed(bare, "A-1X").quantity == 10

    def test_and_orders_fails_meanwhile_is_left_to_the_strategy_as_before(self, bare, make, monkeypatch):
        orders_fails(bare, make)
        assert PlaceOrder not in bare.heard(), "the strategy does it itself"
        monkeypatch.setattr("natya.actors.orders.parts.bracketing.squaring_off.SQUARING_OFF_MAX_S", 0.0)
        bare.tell(SquaringOffDue(), bare.system.base.find("orders"))

        assert placed(bare, "A-1X").quantity == 10

    def test_and_could_not_stays_told_also_when_orders_has_failed(self, stage, make):
        stage.open(make.intent("H-1"), make.accepted("H-1"), make.filled("H-1"))
        stage.tell(self.ENDED, stage.strategy)
        stage.settle()
        told = ("crossover: 10 INFY held that it wanted closed: the order was refused",)
        assert stage.statistics.unprotected == told
        orders_fails(stage, make)

        assert stage.statistics.unprotected == told

    def test_without_a_bracket_is_told_also_where_orders_fails_before_anything_is_sold(self, stage, make, monkeypatch):
        """The request that would have gone on with it may be lost: the strategy waits, and nothing closes them."""
        stage.open(make.intent("H-1"), make.accepted("H-1"), make.filled("H-1"))
        stage.place(make.order("H-2"), "B-2")
        stage.tell(CancelOrder(client_order_id="H-2", squares_off=True), stage.strategy)
        stage.tell(make.report("CANCELLED", "H-2", broker_order_id="B-2"))
        orders_fails(stage, make)
        monkeypatch.setattr("natya.actors.orders.parts.bracketing.squaring_off.SQUARING_OFF_MAX_S", 0.0)
        stage.settle()

        assert stage.statistics.unprotected == (
            "crossover: 10 INFY held that it wanted closed: it has closed nothing for 0 s",
        )

    def test_of_which_one_has_waited_too_long_is_looked_at_by_a_timer_after_a_restart_too(self):
        clockwork = Clockwork()
        context = SimpleNamespace(elapsed_ns=lambda: 10 * 10**9, after=clockwork.after)
        squaring_off = SquaringOff(context)
        squaring_off.restore(({("crossover", "TCS"): 5 * 10**9, ("crossover", "INFY"): 0}, {}, []))

        assert [each.seconds for each in clockwork.set] == [21.0]

    def test_is_closed_at_the_market_by_a_start(self, stage, held, make):
        facts = [
            fact
            for name in ("A-1S", "A-1T")
            for fact in (
                make.intent(name, side="SELL"),
                make.accepted(name, f"B-{name}"),
                CancellationIntended(client_order_id=name, number=1, asked_by=SQUARED_OFF, occurred_ns=1),
                make.cancelled(name),
            )
        ]
        stage.open(*held, *facts)

        assert placed(stage, "A-1X").quantity == 10

    def test_is_not_sold_twice_where_that_does_not_know_it_yet(self, bare, make):
        bare.tell(self.ENDED, bare.strategy)
        placed(bare, "A-1X")
        bare.submit(make.order("C-9", side="SELL"))

        assert PlaceOrder not in bare.heard()
        assert refusals(bare.strategy) == [("C-9", "exits")]

    def test_is_not_sold_twice_while_that_it_was_sold_is_on_its_way_to_the_journal(self, bare, make):
        bare.tell(self.ENDED, bare.strategy)
        placed(bare, "A-1X")
        bare.settle()
        bare.disk.mode = "hold"
        bare.tell(make.report(client_order_id="A-1X", side="SELL", quantity=10, broker_order_id="B-A-1X"))
        bare.settle()
        bare.submit(make.order("C-9", side="SELL"))
        bare.settle()

        assert refusals(bare.strategy) == [("C-9", "exits")]

    def test_does_not_hinder_what_closes_no_more_than_the_rest_or_something_else(self, bare, make):
        for name, fields in (("H-1", {}), ("H-2", {"symbol": "TCS"}), ("H-3", {"strategy": "other"})):
            bare.place(make.order(name, **fields), f"B-{name}")
            bare.tell(make.report(client_order_id=name, quantity=10, broker_order_id=f"B-{name}", **symbol_of(fields)))
        bare.tell(self.ENDED, bare.strategy)
        assert placed(bare, "A-1X").quantity == 10
        sales = (("C-1", {}), ("C-2", {"symbol": "TCS"}), ("C-3", {"strategy": "other"}), ("C-4", {"side": "BUY"}))
        for name, fields in sales:
            bare.submit(make.order(name, **{"side": "SELL", "quantity": 10} | fields))
            assert bare.asked_next(PlaceOrder).client_order_id == name
        bare.submit(make.order("C-5", side="SELL", quantity=11))
        bare.settle()

        assert refusals(bare.strategy) == [("C-5", "exits")]

    def test_is_closed_where_that_has_cancelled_the_order_at_the_market_and_cannot_again(self, bare, make):
        bare.tell(self.ENDED, bare.strategy)
        placed(bare, "A-1X")
        bare.tell(CancelOrder(client_order_id="A-1X", squares_off=True), bare.strategy)
        assert bare.asked_next(WithdrawOrder).client_order_id == "A-1X"
        bare.tell(make.report("CANCELLED", "A-1X", broker_order_id="B-A-1X"))
        assert PlaceOrder not in bare.heard()
        bare.tell(self.ENDED, bare.strategy)

        assert placed(bare, "A-1Y").quantity == 10

    def test_is_squared_off_by_no_other_strategy_and_by_no_unknown_order(self, stage, held, make):
        refused = []
        stage.open(*held)
        both_placed(stage)
        stage.system.start("other", Squares, refused)
        for name in ("A-1S", "Z-1"):
            stage.system.tell("other", OrderPlaced(client_order_id=name, broker_order_id=""))
            stage.settle()
        stage.tell(make.report("REJECTED", "A-1S", broker_order_id="B-A-1S"))

        assert [(each.client_order_id, each.rule) for each in refused] == [("A-1S", "identity"), ("Z-1", "identity")]
        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1T"
        stage.tell(make.report("CANCELLED", "A-1T", broker_order_id="B-A-1T"))
        assert PlaceOrder in stage.heard(), "at once: nobody is squaring it off"

    def test_keeps_its_stop_in_a_halt_in_which_nothing_closes(self, stage, held):
        stage.open(*held)
        both_placed(stage)
        stage.tell(HaltTrading(cause="enough", person="asha"), stage.system.probe("kill-switch"))
        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1T"
        stage.tell(CancelOrder(client_order_id="A-1S", squares_off=True), stage.strategy)

        assert WithdrawOrder not in stage.heard()
        assert isinstance(stage.strategy.receive(), CancellationRefused)

    def test_is_told_of_what_had_no_bracket_until_it_is_closed(self, make):
        market = Market(make)
        market.trade("BUY", 4)
        market.keeper.end_squaring_off(replace(self.ENDED, reason=""))
        assert market.keeper.unprotected == (), "it has kept them itself"
        market.keeper.end_squaring_off(self.ENDED)
        told = "crossover: 4 INFY held that it wanted closed: the order was refused"
        assert market.keeper.unprotected == (told,)
        told_of_both = "other: 3 TCS held that it wanted closed: busy"
        for name, side in (("O-1", "BUY"), ("O-2", "SELL"), ("O-3", "SELL")):
            market.write((make.intent(name, symbol="TCS", side=side, quantity=3, strategy="other"),))
        market.write((make.filled("O-1", "T-O1", symbol="TCS", quantity=3, strategy="other"),))
        market.keeper.end_squaring_off(replace(self.ENDED, strategy="other", symbol="TCS", reason="busy"))
        assert market.keeper.unprotected == (told, told_of_both)
        market.keeper.end_squaring_off(self.ENDED)
        assert market.keeper.unprotected == (told_of_both, told)
        market.write((make.filled("O-2", "T-O2", symbol="TCS", side="SELL", quantity=3, strategy="other"),))
        assert market.keeper.unprotected == (told,)
        sale = make.intent("O-4", side="SELL", quantity=4), make.accepted("O-4", "B-O-4")
        market.write(sale)
        assert market.keeper.unprotected == (), "an order closes all of it"
        market.write((make.cancelled("O-4"),))
        assert market.keeper.unprotected == (told,)
        market.trade("SELL", 4)

        assert market.keeper.unprotected == ()
        market.keeper.end_squaring_off(self.ENDED)
        market.trade("BUY", 4)
        assert market.keeper.unprotected == (), "what it buys later it wants"


class TestAnIdOfAnExit:
    def test_is_none_of_an_entry_without_a_bracket(self, make):
        book = Ledger().book
        for fact in (make.intent("A-1"), make.intent("A-1S", side="SELL"), make.intent("C-1S", side="SELL")):
            book.apply(fact)

        assert book.exits(fact.strategy) == ()

    def test_is_that_of_an_exit_where_its_entry_has_a_bracket(self, make):
        ledger = Ledger()
        for fact in (make.intent("A-1"), make.intent("C-1", stop_loss_price=95.0)):
            ledger.book.apply(fact)

        assert [name for name in ("A-1S", "C-1S", "C-1X", "D-1S", "C-1") if is_exit(ledger, name)] == ["C-1S", "C-1X"]

    @pytest.mark.parametrize(
        ("number", "fields"),
        [("A-1X", {}), ("A-1S1", {"strategy": "other", "symbol": "TCS"}), ("A-1R", {"quantity": 10**9})],
    )
    def test_is_refused_to_others_and_no_fact_of_the_bracket(self, stage, held, make, number, fields):
        stage.open(*held)
        both_placed(stage)
        stage.settle()
        written = len(stage.disk.facts)
        stage.submit(make.order(number, **fields))
        sold = {"client_order_id": "A-1T", "broker_order_id": "B-A-1T", "side": "SELL"}
        stage.tell(make.report(**sold, execution_id="T-9", quantity=4, cumulative_quantity=4))

        assert stage.asked_next(ReplaceOrder).client_order_id == "A-1S"
        assert WithdrawOrder not in stage.heard()
        assert number not in {fact.client_order_id for fact in stage.disk.facts[written:]}
        refusal = stage.strategy.receive(timeout_s=5)
        assert (type(refusal), refusal.client_order_id) == (OrderRefused, number)

    def test_is_refused_to_others_before_its_entry_trades(self, stage, entry, make):
        stage.open()
        stage.place(entry)
        stage.submit(make.order("A-1S"))
        stage.tell(make.report(execution_id="T-1", quantity=10, price=100.0))

        assert [each.client_order_id for each in both_placed(stage)] == ["A-1S", "A-1T"]
        assert OrderRefused not in stage.disk.kinds()

    def test_that_was_used_leaves_none_for_a_bracket(self, stage, entry, make):
        stage.open()
        stage.place(make.order("A-1T"), "B-9")
        stage.submit(entry)

        assert refused(stage).rule == "duplicate"
        assert OrderIntended not in stage.disk.kinds()

    def test_has_a_place_in_25_characters(self, stage, make):
        stage.open()
        stage.submit(make.order("A" * 25, **PRICES))

        assert refused(stage).rule == "client_order_id"

    def test_may_be_cancelled_by_its_strategy_and_then_stays_away(self, stage, held, make):
        stage.open(*held)
        both_placed(stage)
        stage.tell(CancelOrder(client_order_id="A-1S"), stage.strategy)
        assert stage.asked_next(WithdrawOrder).client_order_id == "A-1S"
        stage.tell(make.report("CANCELLED", "A-1S", broker_order_id="B-A-1S"))

        assert PlaceOrder not in stage.heard()


class TestSharesThatComeWhenTheExitsAreGone:
    @pytest.fixture
    def gone(self, make):
        """An entry of which six shares came in, that was withdrawn with its exits; the six were sold."""
        return [
            *(make.intent(**PRICES), make.accepted(), make.filled(quantity=6)),
            *(make.intent("A-1S", side="SELL", quantity=6), make.accepted("A-1S", "B-S")),
            make.cancelled("A-1"),
            make.cancelled("A-1S"),
            *(make.intent("B-1", side="SELL", quantity=6), make.filled("B-1", "T-9", side="SELL", quantity=6)),
        ]

    def test_are_closed_at_the_market_and_that_is_told(self, stage, gone, make, caplog):
        stage.open(*gone)
        assert PlaceOrder not in stage.heard()
        stage.tell(make.report(execution_id="T-2", quantity=4, price=100.0))
        request = stage.asked_next(PlaceOrder)

        assert (request.client_order_id, request.order_type, request.side, request.quantity) == (
            *("A-1X", "MARKET", "SELL"),
            4,
        )
        assert "bracket.closed_at_market" in caplog.text

    def test_are_closed_after_a_restart_too_and_once(self, stage, gone, make):
        late = make.filled(trade_id="T-2", quantity=4, cumulative_quantity=10)
        stage.open(*gone, late)

        assert placed_since_the_start(stage, 1) == {("A-1X", 4)}
        assert PlaceOrder not in stage.heard()

    def test_are_none_where_the_strategy_buys_again(self, stage, gone, make):
        stage.open(*gone)
        stage.place(make.order("C-1", quantity=5))
        stage.tell(make.report(client_order_id="C-1", execution_id="T-3", quantity=5, broker_order_id="B-1"))

        assert PlaceOrder not in stage.heard()

    def test_are_none_while_an_exit_stands_that_grows_with_them(self, gone, make):
        ledger = Ledger()
        target = make.intent("A-1T", side="SELL", quantity=6), make.accepted("A-1T", "B-T")
        for fact in (*gone, *target, make.filled(trade_id="T-2", quantity=4, cumulative_quantity=10)):
            ledger.book.apply(fact)

        assert ledger.book.late("A-1") == 0

    def test_are_closed_once_by_the_book(self, gone, make):
        ledger = Ledger()
        for fact in (*gone, make.filled(trade_id="T-2", quantity=4, cumulative_quantity=10)):
            ledger.book.apply(fact)
        assert (ledger.book.late("A-1"), [each.client_order_id for each in ledger.book.brackets]) == (4, ["A-1"])
        for fact in (
            make.intent("A-1X", side="SELL", quantity=4),
            make.filled("A-1X", "T-4", side="SELL", quantity=4),
        ):
            ledger.book.apply(fact)

        assert (ledger.book.late("A-1"), ledger.book.brackets) == (0, ())

    def test_are_fewer_by_what_has_closed_some_of_them(self, gone, make):
        ledger = Ledger()
        for fact in (
            *(*gone, make.filled(trade_id="T-2", quantity=4, cumulative_quantity=10)),
            *(make.intent("A-1X", side="SELL", quantity=4), make.filled("A-1X", "T-4", side="SELL", quantity=3)),
        ):
            ledger.book.apply(fact)

        assert ledger.book.late("A-1") == 1

    def test_are_as_many_after_a_sale_of_shares_beside_them(self, gone, make):
        ledger = Ledger()
        for fact in (
            *(*gone, make.filled(trade_id="T-2", quantity=4, cumulative_quantity=10)),
            *(make.intent("C-1", quantity=5), make.filled("C-1", "T-5", quantity=5)),
            *(make.intent("D-1", side="SELL", quantity=2), make.filled("D-1", "T-6", side="SELL", quantity=2)),
        ):
            ledger.book.apply(fact)

        assert ledger.book.late("A-1") == 4


def test_exits_of_two_brackets_in_a_symbol_are_together_for_no_more_than_is_held(stage, make):
    """The strategy has sold six of ten by itself, whose exits stand; then ten more come in."""
    stage.open(
        *(make.intent(**PRICES), make.accepted(), make.filled()),
        *(make.intent("A-1S", side="SELL"), make.accepted("A-1S", "B-S")),
        *(make.intent("A-1T", side="SELL"), make.accepted("A-1T", "B-T")),
        *(make.intent("B-1", side="SELL", quantity=6), make.filled("B-1", "T-9", side="SELL", quantity=6)),
        *(make.intent("C-1", **PRICES), make.accepted("C-1", "B-C"), make.filled("C-1", "T-10")),
    )

    requests = [*stage.placed_at_start, *stage.changed_at_start]
    stage.placed_at_start.clear()
    while len(requests) < 3:
        if not isinstance(request := stage.broker.receive(timeout_s=5), FindOrder):
            requests.append(request)
    stage.tell(OrderPlaced(client_order_id="C-1S", broker_order_id="B-C-1S"))
    requests.append(stage.asked_next(PlaceOrder))
    assert {(type(each), each.client_order_id, each.quantity) for each in requests} == {
        (ReplaceOrder, "A-1S", 4),
        (ReplaceOrder, "A-1T", 4),
        (PlaceOrder, "C-1S", 4),
        (PlaceOrder, "C-1T", 4),
    }


class TestSharesThatTheExitsOfAnotherBracketWereFor:
    @pytest.fixture
    def two(self, kept, make, cancelled):
        """The strategy has sold six of ten by itself, whose exits stand; ten more have come in, with exits for four."""
        _, book, written = kept
        for fact in (
            *(make.intent("A-1S", side="SELL"), make.accepted("A-1S", "B-S")),
            *(make.intent("A-1T", side="SELL"), make.accepted("A-1T", "B-T")),
            *(make.intent("B-1", side="SELL", quantity=6), make.filled("B-1", "T-9", side="SELL", quantity=6)),
            *(make.intent("C-1", **PRICES), make.accepted("C-1", "B-C"), make.filled("C-1", "T-10")),
        ):
            book.apply(fact)
        arm(kept, make, "C-1")
        written.clear()
        return kept

    @pytest.mark.parametrize("ended", ["cancelled", "expired", "rejected"])
    def test_are_closed_by_its_own_when_those_end(self, two, make, ended):
        keeper, book, written = two
        for fact in (make.cancelled("A-1S"), getattr(make, ended)("A-1T")):
            assert written == []
            book.apply(fact)
            keeper.look(fact.client_order_id, (fact,))

        grown = {(each.client_order_id, each.quantity) for each in written if isinstance(each, ModificationIntended)}
        assert grown == {("C-1S", 10), ("C-1T", 10)}

    def test_are_not_looked_for_after_what_changes_nothing(self, two, make):
        keeper, book, written = two
        for name in ("A-1S", "A-1T"):
            book.apply(make.cancelled(name))
        keeper.look("A-1T", (make.accepted("A-1T", "B-T"),))

        assert written == []


class Market:
    """The facts of brackets and other orders of one strategy in one symbol, each durable at once."""

    def __init__(self, make):
        self.make, self.ledger, self.trades = make, Ledger(), 0
        self.book = self.ledger.book
        context = SimpleNamespace(ledger=self.ledger, is_read=True, now_ns=lambda: 1, write=self.write, theirs=AGREED)
        self.clockwork = Clockwork()
        context.after, context.settings = self.clockwork.after, OrdersActorSettings.of(OrdersSettings.default())
        context.freeze_quantities = {}
        context.log = lambda *_, **__: None
        cancelling = SimpleNamespace(cancel=lambda name, *_by: self.cancels.append(name))
        self.cancels = []
        risk = SimpleNamespace(why_halted=lambda: "", limit_by=lambda _by, reason: setattr(self, "limited", reason))
        self.keeper = Bracketing(context, risk, cancelling)
        for name in ("A-1", "C-1"):
            self.write((make.intent(name, **PRICES), make.accepted(name, f"B-{name}")))

    def write(self, facts, _message=None):
        for fact in facts:
            self.book.apply(fact)

    def tell(self, fact):
        self.write((fact,))
        self.keeper.look(fact.client_order_id, (fact,))

    def fill(self, name, quantity):
        order = self.book.order(name)
        quantity = min(quantity, order.quantity - order.filled)
        if quantity > 0 and order.is_open:
            self.trades += 1
            filled = {"side": order.side, "quantity": quantity, "cumulative_quantity": order.filled + quantity}
            fact = self.make.filled(name, f"T-{self.trades}", **filled)
            self.write((fact,))
            self.keeper.look(name, (fact,))

    def trade(self, side, quantity):
        """Another order of the strategy, filled."""
        name = f"P-{self.trades}"
        self.write((self.make.intent(name, side=side, quantity=quantity),))
        self.fill(name, quantity)

    def settle(self):
        """The broker does what it was asked for."""
        for order in self.book.open_orders():
            name = order.client_order_id
            if order.order_type == "MARKET" and name[-1] in "XYZRQP":
                self.fill(name, order.quantity)
                continue
            if not order.broker_order_id:
                self.write((self.make.accepted(name, f"B-{name}"),))
            if order.pending is not None:
                pending = order.pending
                fact = OrderModified(
                    client_order_id=name,
                    number=pending.number,
                    quantity=pending.quantity,
                    limit_price=pending.limit_price,
                    trigger_price=pending.trigger_price,
                    occurred_ns=4,
                )
                self.write((fact,))
            if name in self.cancels:
                self.cancels.remove(name)
                self.write((self.make.cancelled(name),))
            self.keeper.look(name)

    @property
    def held(self):
        return self.book.strategy_shares("crossover", "INFY")

    def claims(self):
        """What the exits of each bracket may still close."""
        legs = {entry: [self.book.order(f"{entry}{leg}") for leg in "STXYZ"] for entry in ("A-1", "C-1")}
        return sum(max((each.leaves for each in found if each is not None), default=0) for found in legs.values())


ACTS = st.one_of(
    st.tuples(st.just("fill"), st.sampled_from(["A-1", "C-1", "A-1S", "A-1T", "C-1S", "C-1T"]), st.integers(1, 10)),
    st.tuples(st.just("trade"), st.sampled_from(["BUY", "SELL", "SELL"]), st.integers(1, 12)),
    st.tuples(st.just("settle")),
)


@given(st.lists(ACTS, max_size=25))
def test_whoever_sells_exits_close_no_more_than_is_held_once_the_broker_has_done_what_it_was_asked(made):
    market = Market(BUILDERS)
    for act, *what in made:
        if act in {"settle", "trade"} or market.book.order(what[0]) is not None:
            getattr(market, act)(*what)
    for _ in range(30):
        market.settle()

    assert market.claims() <= max(market.held, 0)


@given(st.lists(ACTS.filter(lambda act: act[0] != "trade"), max_size=25))
def test_whichever_exits_trade_beside_each_other_nothing_is_held_of_the_other_side_at_the_end(made):
    market = Market(BUILDERS)
    for act, *what in made:
        if act == "settle" or market.book.order(what[0]) is not None:
            getattr(market, act)(*what)
    for _ in range(30):
        market.settle()

    assert market.held >= market.claims()
    assert all(not market.book.surplus(entry) for entry in ("A-1", "C-1"))


def test_a_sale_of_its_own_makes_the_exits_smaller_and_shares_bought_later_are_not_theirs(make):
    market = Market(make)
    market.fill("A-1", 10)
    for _ in range(2):
        market.settle()
    market.trade("SELL", 4)
    market.settle()
    assert [market.book.order(f"A-1{leg}").quantity for leg in "ST"] == [6, 6]
    market.trade("BUY", 4)
    market.settle()

    assert [market.book.order(f"A-1{leg}").quantity for leg in "ST"] == [6, 6]
    assert market.book.order("A-1S").modifications == 1


def test_shares_beside_a_bracket_are_sold_first_and_then_those_of_the_oldest(make):
    market = Market(make)
    market.trade("BUY", 5)
    for name in ("A-1", "C-1"):
        market.fill(name, 10)
    market.settle()
    market.trade("SELL", 5)
    market.settle()
    assert [market.book.order(f"{entry}S").quantity for entry in ("A-1", "C-1")] == [10, 10]
    market.trade("SELL", 3)
    market.settle()

    assert [market.book.order(f"{entry}S").quantity for entry in ("A-1", "C-1")] == [7, 10]


def test_exits_of_shares_that_were_all_sold_are_not_for_what_is_bought_later(make):
    market = Market(make)
    market.fill("A-1", 10)
    market.trade("SELL", 10)
    market.trade("BUY", 4)
    for _ in range(3):
        market.settle()

    exits = [market.book.order(f"A-1{leg}") for leg in "ST"]
    assert (market.book.sold("A-1"), [each for each in exits if each is not None and each.is_open]) == (10, [])


def test_an_entry_whose_shares_were_all_sold_ends_before_its_exits_do(make):
    market = Market(make)
    market.fill("A-1", 4)
    market.settle()
    market.trade("SELL", 4)
    assert market.cancels == ["A-1"]
    market.fill("A-1", 3)
    for _ in range(3):
        market.settle()

    assert [market.book.order(f"A-1{leg}").quantity for leg in "ST"] == [3, 3]
    assert market.book.order("A-1").state == "CANCELLED"


def test_so_many_sales_leave_an_exit_as_it_is_rather_than_without_changes(make):
    market = Market(make)
    market.write((make.intent("L-1", quantity=100, **PRICES), make.accepted("L-1", "B-L-1")))
    market.fill("L-1", 100)
    market.settle()
    for _ in range(20):
        market.trade("SELL", 1)
        market.settle()

    stop = market.book.order("L-1S")
    assert (stop.modifications, stop.quantity, market.held) == (SALES_MAX, 100 - SALES_MAX, 80)
    market.trade("SELL", 80)
    market.settle()
    assert not market.book.order("L-1S").is_open


class TestAnOrderOfAStrategyAtTheMarketThatExpired:
    """Ten are held, without a bracket; the order that was to sell six of them was open until its day was over."""

    @pytest.fixture
    def expired(self, make):
        return (
            *(make.intent("A-1"), make.accepted("A-1"), make.filled("A-1")),
            *(make.intent("A-2", side="SELL", quantity=6), make.accepted("A-2"), make.expired("A-2")),
        )

    def test_is_told_by_each_start_until_another_is_at_the_broker(self, stage, expired, make):
        stage.open(*expired)
        told = "crossover: 6 INFY held that it wanted closed: the order A-2 at the market has expired"
        stage.settle()
        assert stage.statistics.unprotected == (told,)

        stage.submit(make.order("A-3", side="SELL", quantity=10))
        stage.asked_next(PlaceOrder)
        stage.settle()
        assert stage.statistics.unprotected == ()
