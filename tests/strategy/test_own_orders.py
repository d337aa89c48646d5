"""What a strategy knows of its orders and positions, and how it squares off."""

import threading

import natya_builders as builders
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from natya.actors.runtime import conversation
from natya.actors.strategy import StrategyActor, trading
from natya.actors.strategy.closing import ROUNDS_MAX, Closing
from natya.actors.strategy.errors import ForeignThreadError, OrdersWithoutMarketError, ReplayedError
from natya.actors.strategy.holdings import Holdings
from natya.actors.strategy.order_handle import OrderHandle, OwnOrders
from natya.domain.positions import Positions
from natya.messages.holdings import HoldingsRead, OpenOrder
from natya.messages.orders import (
    CancellationIntended,
    CancellationRefused,
    CancellationUncertain,
    CancelOrder,
    ModificationIntended,
    ModifyOrder,
    OrderAccepted,
    OrderCancelled,
    OrderFilled,
    OrderModified,
    OrderRefused,
    SquaringOffEnded,
    SubmitOrder,
)
from natya.messages.system import Ping


class Asked(StrategyActor):
    """Does what a test says, and shows what came of it."""

    def on_begin(self):
        self.send("begun", self)

    def on_tick(self, tick):
        if tick.sequence > 1:
            self.parameters["do"](self, tick)


@pytest.fixture
def mine(stage):
    """The strategy itself, to be looked at while nothing is on its way."""
    begun = stage.system.probe("begun")

    def open_one(do=print):
        stage.open(Asked, do=do)
        return begun.receive()

    return open_one


def quiet(stage):
    return stage.system.request("mine", Ping())


def fact(kind, order, **fields):
    return kind(client_order_id=order.client_order_id, occurred_ns=1, **fields)


def accepted(order):
    return fact(OrderAccepted, order, broker_order_id="B-1")


def cancelled(order):
    return fact(OrderCancelled, order, reason="asked")


class TestOrdersAtOneMoment:
    @pytest.fixture
    def stage(self, simulated_stage):
        return simulated_stage

    def test_are_limited_and_those_of_different_moments_are_not(self, stage, mine, monkeypatch):
        monkeypatch.setattr(trading, "ORDERS_A_MOMENT_MAX", 2)
        refused = []

        def buy_three(self, tick):
            for _ in range(3):
                try:
                    self.buy(tick.symbol, 1)
                except OrdersWithoutMarketError as refusal:
                    refused.append(str(refusal))

        mine(buy_three)
        for _ in range(2):
            stage.tell(stage.tick(sequence=2))
            stage.system.base.run_for(1)

        assert refused == ["at most 2 orders wanted while the market stands still"] * 2
        assert [stage.orders.receive().quantity for _ in range(4)] == [1] * 4
        assert stage.orders.is_empty()


class TestWhatIsAsked:
    @pytest.mark.parametrize(
        ("given", "terms"),
        [
            ({}, {"order_type": "MARKET"}),
            ({"limit": 100.5}, {"order_type": "LIMIT", "limit_price": 100.5}),
            ({"stop": 101.0}, {"order_type": "STOP", "trigger_price": 101.0}),
            (
                {"limit": 101.5, "stop": 101.0},
                {"order_type": "STOP_LIMIT", "limit_price": 101.5, "trigger_price": 101.0},
            ),
            (
                {"target": 103.0, "stop_loss": 98.0},
                {"order_type": "MARKET", "target_price": 103.0, "stop_loss_price": 98.0},
            ),
            ({"target": 103.0}, {"order_type": "MARKET", "target_price": 103.0}),
            ({"stop_loss": 98.0}, {"order_type": "MARKET", "stop_loss_price": 98.0}),
            ({"valid": "IOC", "product": "CNC"}, {"order_type": "MARKET", "validity": "IOC", "product": "CNC"}),
        ],
    )
    @pytest.mark.parametrize("side", ["BUY", "SELL"])
    def test_of_an_order_is_all_that_was_given_and_nothing_else(self, stage, mine, side, given, terms):
        if side == "SELL" and {"target", "stop_loss"} & given.keys():
            given = {name: 200.0 - price for name, price in given.items()}
            terms = {name: 200.0 - value if name.endswith("price") else value for name, value in terms.items()}
        if side == "SELL" and {"limit", "stop"} == given.keys():
            given, terms = given | {"limit": 100.5}, terms | {"limit_price": 100.5}
        at = {}

        def order(self, _tick):
            at["now_ns"] = self.clock.now_ns()
            (self.buy if side == "BUY" else self.sell)("INFY", 10, **given)

        mine(order)
        tick = stage.tick(100.0, sequence=2)
        stage.tell(tick)
        asked = stage.orders.receive()

        assert asked == SubmitOrder(
            **({"limit_price": None} | terms), client_order_id="mine-1-1", strategy="mine", symbol="INFY", side=side,
            quantity=10, submitted_ns=asked.submitted_ns, reference_price=100.0, reference_ns=tick.exchange_ns,
        )  # fmt: skip
        assert at["now_ns"] <= asked.submitted_ns

    def test_of_an_order_whose_price_nobody_knows_has_none_and_of_a_live_one_the_time_it_came(self, stage, mine):
        mine(lambda self, _tick: (self.buy("TCS", 1), self.buy("INFY", 1)))
        stage.tell(stage.tick(100.0, sequence=2, received_ns=77))
        unknown, known = stage.orders.receive(), stage.orders.receive()

        assert (unknown.reference_price, unknown.reference_ns) == (0.0, 0)
        assert (known.reference_price, known.reference_ns) == (100.0, 77)
        assert (unknown.client_order_id, known.client_order_id) == ("mine-1-1", "mine-1-2")

    @pytest.mark.parametrize(
        ("given", "terms"),
        [
            ({"quantity": 7}, {"quantity": 7}),
            ({"limit": 99.8}, {"limit_price": 99.8}),
            ({"stop": 99.3}, {"trigger_price": 99.3}),
            (
                {"quantity": 7, "limit": 99.8, "stop": 99.3},
                {"quantity": 7, "limit_price": 99.8, "trigger_price": 99.3},
            ),
        ],
    )
    def test_of_a_change_is_what_was_given_with_the_price_of_now(self, stage, mine, given, terms):
        handles = []
        mine(lambda self, _tick: handles.append(self.buy("INFY", 10, limit=99.5, stop=99.0)))
        tick = stage.tick(100.0, sequence=2)
        stage.tell(tick)
        stage.orders.receive()
        quiet(stage)
        handles[0].modify(**given)

        assert stage.orders.receive() == ModifyOrder(
            **({"quantity": None, "limit_price": None, "trigger_price": None} | terms),
            client_order_id="mine-1-1", reference_price=100.0, reference_ns=tick.exchange_ns,
        )  # fmt: skip

    def test_of_a_change_in_a_live_market_has_the_time_at_which_the_price_came(self, stage, mine):
        mine(lambda self, tick: self.buy("INFY", 10, limit=99.5).modify(limit=tick.price))
        stage.tell(stage.tick(99.8, sequence=2, received_ns=77))
        stage.orders.receive()

        assert stage.orders.receive().reference_ns == 77

    def test_of_a_change_or_a_cancellation_is_of_an_own_order_though_it_is_known_no_more(self, stage, mine):
        strategy = mine()
        strategy.modify("mine-0-7", quantity=3)
        strategy.cancel("mine-0-7")

        assert stage.orders.receive() == ModifyOrder(
            client_order_id="mine-0-7", quantity=3, limit_price=None, trigger_price=None, reference_price=0.0,
            reference_ns=0,
        )  # fmt: skip
        assert stage.orders.receive() == CancelOrder(client_order_id="mine-0-7")
        for ask in (strategy.modify, strategy.cancel):
            with pytest.raises(ValueError, match="client_order_id of an own order wanted, found 'other-1-1'"):
                ask("other-1-1")


class TestTheHandleOfAnOrder:
    def test_is_its_id_and_knows_what_became_of_it(self, stage, mine):
        handles = []
        mine(lambda self, tick: handles.append(self.buy(tick.symbol, 10, limit=99.5, stop=99.0)))
        stage.tell(stage.tick(100.0), stage.tick(100.0, sequence=2))
        order, (handle,) = stage.orders.receive(), handles
        before = handle.state, handle.average, handle.is_open
        stage.tell(accepted(order), stage.fill(order, 4, price=99.0), stage.fill(order, 4, price=99.0))
        stage.tell(stage.fill(order, 2, price=99.3, already=4))
        quiet(stage)

        assert handle == order.client_order_id
        assert (handle.symbol, handle.side, handle.quantity, handle.limit, handle.stop) == ("INFY", "BUY", 10, 99.5, 99)
        assert before == ("INTENDED", None, True)
        assert (handle.state, handle.filled, handle.average) == ("PART_FILLED", 6, pytest.approx(99.1))
        assert repr(handle) == f"<{order.client_order_id}: BUY 10 INFY, PART_FILLED, filled 6>"

    def test_cancels_and_knows_of_a_fill_that_came_after(self, stage, mine):
        handles = []
        strategy = mine(lambda self, tick: handles.append(self.buy(tick.symbol, 10, limit=99.5)))
        stage.tell(stage.tick(100.0, sequence=2))
        order = stage.orders.receive()
        quiet(stage)
        handles[0].cancel()
        cancel = stage.orders.receive()
        stage.tell(cancelled(order))
        quiet(stage)
        ended = handles[0].state, handles[0].reason, strategy.open_orders
        stage.tell(stage.fill(order, 10))
        quiet(stage)

        assert cancel == CancelOrder(client_order_id=order.client_order_id)
        assert ended == ("CANCELLED", "asked", ())
        assert (handles[0].state, handles[0].filled) == ("FILLED", 10)

    def test_has_other_terms_when_the_broker_has_it_so(self, stage, mine):
        handles = []
        mine(lambda self, tick: handles.append(self.buy(tick.symbol, 10, limit=99.5)))
        stage.tell(stage.tick(100.0, sequence=2))
        order = stage.orders.receive()
        quiet(stage)
        handles[0].modify(limit=99.8, quantity=7)
        change = stage.orders.receive()
        before = handles[0].quantity, handles[0].limit
        terms = {"number": 1, "quantity": 7, "limit_price": 99.8, "trigger_price": None}
        stage.tell(accepted(order), fact(ModificationIntended, order, **terms), fact(OrderModified, order, **terms))
        quiet(stage)

        assert (change.client_order_id, change.quantity, change.limit_price) == (order.client_order_id, 7, 99.8)
        assert (change.reference_price, before) == (100.0, (10, 99.5))
        assert (handles[0].quantity, handles[0].limit, handles[0].state) == (7, 99.8, "ACCEPTED")

    def test_knows_what_became_of_its_cancellation_and_tells_no_reason_of_it(self, stage, mine):
        handles = []
        mine(lambda self, tick: handles.append(self.buy(tick.symbol, 10, limit=99.5)))
        stage.tell(stage.tick(100.0, sequence=2))
        order = stage.orders.receive()
        found = []
        facts = (
            fact(CancellationIntended, order, number=1, asked_by="mine"),
            fact(CancellationUncertain, order, number=1, reason="no answer"),
            fact(CancellationRefused, order, number=1, rule="broker", reason="busy"),
            cancelled(order),
        )
        for each in (accepted(order), *facts):
            stage.tell(each)
            quiet(stage)
            found.append((handles[0].cancellation, handles[0].is_open, handles[0].reason))

        assert found[:4] == [(state, True, "") for state in ("", "REQUESTED", "IN_DOUBT", "REFUSED")]
        assert found[4] == ("DONE", False, "asked")

    def test_tells_why_it_was_refused(self, stage, mine):
        handles = []
        mine(lambda self, tick: handles.append(self.buy(tick.symbol, 10)))
        stage.tell(stage.tick(100.0, sequence=2))
        order = stage.orders.receive()
        terms = {"strategy": "mine", "symbol": "INFY", "side": "BUY", "quantity": 10}
        stage.tell(fact(OrderRefused, order, rule="stale", reason="no price", **terms))
        quiet(stage)

        assert (handles[0].state, handles[0].is_open, handles[0].reason) == ("REFUSED", False, "stale: no price")


class TestTheOrdersOfALifeBefore:
    def test_are_open_orders_of_this_one(self):
        orders = OwnOrders(None)
        intent = builders.an_intent("mine-1-1", quantity=10)
        orders.found(OpenOrder(intent=intent, broker_order_id="B-1", filled=4))
        cancelling = CancellationIntended(client_order_id="mine-1-2", number=3, asked_by="mine", occurred_ns=1)
        orders.found(OpenOrder(intent=builders.an_intent("mine-1-2"), is_uncertain=True, cancelling=cancelling))
        orders.found(OpenOrder(intent=builders.an_intent("mine-1-3")))
        first, second, third = orders.open()

        assert (third.state, third.filled, third.cancellation) == ("INTENDED", 0, "")
        assert (first.state, first.filled, first.average, second.state) == ("PART_FILLED", 4, None, "UNKNOWN")
        assert (first.cancellation, second.cancellation) == ("", "REQUESTED")

    @pytest.mark.parametrize(("before", "average"), [(0, 99.5), (4, None)])
    def test_have_an_average_only_where_each_of_their_prices_is_known(self, before, average):
        orders = OwnOrders(None)
        orders.found(OpenOrder(intent=builders.an_intent("mine-1-1", quantity=10), filled=before))
        trade = {"quantity": 3, "price": 99.5, "cumulative_quantity": before + 3}
        orders.hear(builders.filled("mine-1-1", **trade))
        (handle,) = orders.open()

        assert (handle.filled, handle.average) == (before + 3, average)

    def test_are_found_by_an_intent_that_was_on_its_way(self):
        orders = OwnOrders(None)
        orders.hear(builders.accepted("mine-1-1"))
        orders.hear(builders.an_intent("mine-1-1"))
        orders.hear(builders.accepted("mine-1-1"))

        assert [handle.state for handle in orders.open()] == ["ACCEPTED"]

    def test_are_remembered_up_to_a_limit_when_they_have_ended(self, monkeypatch):
        monkeypatch.setattr("natya.actors.strategy.order_handle.ENDED_REMEMBERED_MAX", 1)
        orders = OwnOrders(None)
        handles = []
        for number in range(2):
            orders.hear(builders.an_intent(f"mine-1-{number}"))
            handles += orders.open()
            orders.hear(builders.cancelled(f"mine-1-{number}"))
        for number in range(2):
            orders.hear(stray(f"mine-1-{number}"))

        assert [handle.filled for handle in handles] == [0, 5]


def stray(client_order_id):
    return OrderFilled(
        client_order_id=client_order_id,
        trade_id="late",
        strategy="mine",
        symbol="INFY",
        side="BUY",
        quantity=5,
        price=1.0,
        cumulative_quantity=5,
        occurred_ns=1,
    )


class TestAPosition:
    def test_is_a_number_of_shares_with_its_average_and_profit(self, stage, mine):
        strategy = mine(lambda self, tick: self.buy(tick.symbol, 10))
        stage.tell(stage.tick(100.0, sequence=2))
        stage.tell(stage.fill(stage.orders.receive(), price=100.0), stage.tick(103.0))
        quiet(stage)
        held = strategy.position("INFY")

        assert (held, held.shares, held + 1, held.average) == (10, 10, 11, 100.0)
        assert (held.realized, held.unrealized, held.pnl, strategy.pnl) == (0.0, 30.0, 30.0, 30.0)
        assert f"{held}" == "10"
        assert repr(held) == "<10 of INFY, average 100.0, pnl 30.0>"

    def test_never_traded_is_flat(self, stage, mine):
        strategy = mine()

        assert (strategy.position("INFY"), strategy.position("INFY").pnl, strategy.pnl) == (0, 0.0, 0.0)
        assert not strategy.position("INFY")

    def test_has_no_profit_that_nobody_knows(self, stage, mine):
        stage.book.shares = {"INFY": 7}
        strategy = mine()
        held = strategy.position("INFY")

        assert (held, held.average, held.pnl, strategy.pnl) == (7, None, None, None)


@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from([99.95, 100.05, 101.0]), st.booleans()), max_size=12),
    st.integers(0, 12),
)
def test_a_position_is_the_same_whether_the_strategy_was_restarted_in_between_or_not(trades, restarted_after):
    def fill(number):
        quantity, price, is_buy = trades[number]
        order = builders.an_order(f"mine-1-{number}", side="BUY" if is_buy else "SELL", quantity=quantity)
        return OrderFilled(
            client_order_id=order.client_order_id,
            trade_id="T",
            strategy="mine",
            symbol=order.symbol,
            side=order.side,
            quantity=quantity,
            price=price,
            cumulative_quantity=quantity,
            occurred_ns=1,
        )

    def holdings_of(sequence):
        shares = {each.symbol: each.quantity for each in book.all() if each.quantity}
        return Holdings(
            HoldingsRead(strategy="mine", shares=shares, filled={}, positions=book.all(), sequence=sequence)
        )

    book = Positions()
    one = two = holdings_of(0)
    for number in range(len(trades)):
        if number == restarted_after:
            two = holdings_of(number)
        book.apply(fill(number))
        for holdings in {one, two}:
            assert holdings.add(fill(number), number + 1)
    first, second = one.position("INFY", {}), two.position("INFY", {})

    assert first == second == book.quantity("INFY")
    assert second.average == (None if first.average is None else pytest.approx(first.average))
    assert second.realized == pytest.approx(first.realized, abs=0.02)
    assert first.realized == pytest.approx(float(sum(each.realized_pnl for each in book.all())), abs=0.01)


def closing_of(orders, held, order, given_up):
    """Make what squares off a position of as many shares as `held` has; why it gave up, or "", is added."""
    return Closing(
        shares=lambda _symbol: held[0],
        open_orders=orders.open,
        order=order,
        cancel=OrderHandle.cancel,
        ended=lambda _symbol, why: given_up.append(why),
    )


class TestSquaringOff:
    def test_sells_what_is_held_at_the_market(self, stage, mine):
        do = {2: lambda self: self.buy("INFY", 10), 3: StrategyActor.flatten, 4: StrategyActor.flatten}
        strategy = mine(lambda self, tick: do[tick.sequence](self))
        stage.tell(stage.tick(100.0, sequence=2))
        stage.tell(stage.fill(stage.orders.receive()))
        stage.tell(stage.tick(100.0, sequence=3), stage.tick(100.0, sequence=4))
        order = stage.orders.receive()
        stage.tell(stage.fill(order, 4), stage.fill(order, 6, already=4), stage.tick(100.0, sequence=4))
        quiet(stage)

        assert (order.side, order.quantity, order.order_type) == ("SELL", 10, "MARKET")
        assert stage.orders.is_empty()
        assert strategy.position("INFY") == 0

    def test_waits_for_the_end_of_what_is_open_and_counts_what_it_filled(self, stage, mine):
        do = {2: lambda self: self.buy("INFY", 10), 3: lambda self: self.sell("INFY", 10, limit=101.0)}
        mine(lambda self, tick: do.get(tick.sequence, lambda self: self.close("INFY"))(self))
        stage.tell(stage.tick(100.0, sequence=2))
        stage.tell(stage.fill(stage.orders.receive()), stage.tick(100.0, sequence=3), stage.tick(100.0, sequence=4))
        target, cancel = stage.orders.receive(), stage.orders.receive()
        quiet(stage)
        assert stage.orders.is_empty()
        stage.tell(stage.fill(target, 3, price=101.0), cancelled(target))
        order = stage.orders.receive()

        assert cancel == CancelOrder(client_order_id=target.client_order_id, squares_off=True)
        assert (order.side, order.quantity) == ("SELL", 7)

    def test_is_given_up_and_may_be_begun_again_when_the_order_is_refused(self, stage, mine):
        stage.book.shares = {"INFY": 7}
        mine(lambda self, _tick: self.flatten())
        stage.tell(stage.tick(100.0), stage.tick(100.0, sequence=2))
        order = stage.orders.receive()
        terms = {"strategy": "mine", "symbol": "INFY", "side": "SELL", "quantity": 7}
        stage.tell(fact(OrderRefused, order, rule="stale", reason="no price", **terms))
        quiet(stage)
        assert stage.orders.is_empty()
        stage.tell(stage.tick(100.0, sequence=3))

        assert isinstance(stage.orders.receive(), SubmitOrder)

    def test_is_given_up_and_told_to_orders_where_an_open_order_is_not_cancelled(self, stage, mine):
        do = {2: lambda self: self.sell("INFY", 10, limit=101.0)}
        mine(lambda self, tick: do.get(tick.sequence, lambda self: self.close("INFY"))(self))
        stage.tell(stage.tick(100.0, sequence=2), stage.tick(100.0, sequence=3))
        target, cancel = stage.orders.receive(), stage.orders.receive()
        refusal = fact(CancellationRefused, target, number=1, rule="broker", reason="too many requests")
        stage.tell(refusal, stage.tick(100.0, sequence=4))

        assert stage.orders.receive() == cancel, "it was begun again"
        reason = f"the order {target.client_order_id} was not cancelled: broker: too many requests"
        assert stage.book.ended == [SquaringOffEnded(strategy="mine", symbol="INFY", reason=reason)]

    @pytest.mark.parametrize(
        ("refused", "given_up"),
        [
            ("mine-1-1", ["the order mine-1-1 was not cancelled: busy"]),
            ("mine-1-2", ["the order mine-1-2 was not cancelled: busy"]),
            ("mine-1-3", []),  # ended meanwhile
            ("mine-1-4", []),  # of another symbol
            ("mine-1-5", []),  # came behind the cancellations
            ("mine-1-6", []),  # unknown
        ],
    )
    def test_is_given_up_at_an_open_order_of_the_symbol_that_was_to_be_cancelled_and_no_other(self, refused, given_up):
        orders, ended = OwnOrders(None), []
        cancelled = []
        closing = Closing(
            shares=lambda _symbol: 5,
            open_orders=orders.open,
            order=lambda *_what: pytest.fail("what is open is waited for"),
            cancel=cancelled.append,
            ended=lambda symbol, why: ended.append((symbol, why)),
        )
        for number, symbol in enumerate(("INFY", "INFY", "INFY", "TCS"), 1):
            orders.hear(builders.an_intent(f"mine-1-{number}", symbol=symbol))
        closing.begin("INFY")
        orders.hear(builders.an_intent("mine-1-5"))
        orders.hear(builders.cancelled("mine-1-3"))
        closing.not_cancelled(refused, "busy")

        assert cancelled == ["mine-1-1", "mine-1-2", "mine-1-3"]
        assert ended == [("INFY", why) for why in given_up]
        assert closing.symbols == (() if given_up else ("INFY",))

    def test_ends_after_some_rounds_where_late_fills_go_on(self):
        held, given_up, orders = [5], [], OwnOrders(None)

        def order(_symbol, _shares):
            number = closing_orders[0] = closing_orders[0] + 1
            orders.hear(builders.an_intent(f"mine-1-{number}", side="SELL", quantity=5))
            (handle,) = orders.open()
            orders.hear(stray(f"mine-1-{number}"))
            return handle

        closing_orders = [0]
        closing = closing_of(orders, held, order, given_up)
        closing.begin("INFY")
        for _ in range(5):
            for symbol in closing.symbols:  # asked for again, as a strategy does at each tick: it has begun
                closing.begin(symbol)
            closing.go_on("INFY")

        assert closing_orders == [ROUNDS_MAX]
        assert given_up == ["5 shares are held after 3 orders"]
        assert closing.symbols == ()

    @pytest.mark.parametrize("traded", [0, 4])
    @pytest.mark.parametrize("ending", [builders.cancelled, builders.expired])
    def test_ends_with_its_own_order_where_that_ended_before_all_of_it_was_traded(self, traded, ending):
        """Who has taken the closing order back, a person or the broker, is not worked against."""
        orders, given_up, sent, held = OwnOrders(None), [], [], [10]

        def order(symbol, quantity):
            sent.append((symbol, quantity))
            return orders.submitted(builders.an_order("mine-1-1", side="SELL", quantity=10))

        closing = closing_of(orders, held, order, given_up)
        closing.begin("INFY")
        if traded:
            held[0] -= traded
            orders.hear(builders.filled("mine-1-1", quantity=traded))
        orders.hear(ending("mine-1-1"))
        closing.go_on("INFY")

        assert (closing.symbols, sent) == ((), [("INFY", -10)])
        (why,) = given_up
        assert why.startswith("the order mine-1-1 ended ")

    def test_waits_for_the_rest_of_its_own_order_that_has_traded_in_part(self):
        orders, given_up, sent, held = OwnOrders(None), [], [], [10]

        def order(symbol, quantity):
            sent.append((symbol, quantity))
            orders.hear(builders.an_intent("mine-1-1", side="SELL", quantity=10))
            (handle,) = orders.open()
            return handle

        def trade(trade_id, quantity):
            held[0] -= quantity
            orders.hear(builders.filled("mine-1-1", trade_id=trade_id, quantity=quantity))
            closing.go_on("INFY")

        closing = closing_of(orders, held, order, given_up)
        closing.begin("INFY")
        trade("T-1", 4)
        assert (closing.symbols, sent, given_up) == (("INFY",), [("INFY", -10)], [])
        trade("T-2", 6)

        assert (closing.symbols, sent, given_up) == ((), [("INFY", -10)], [""])


class TestAPositionThatIsLargerThanOneOrderMayBe:
    class World:
        """Refuses what is larger than its limits allow, the newest of which counts, and trades all else."""

        def __init__(self, held, limits, *, other_rule_from=None):
            self.held, self.limits, self.other_rule_from = held, list(limits), other_rule_from
            self.sent, self.given_up, self.orders = [], [], OwnOrders(None)
            self.closing = Closing(
                shares=lambda _symbol: self.held,
                open_orders=self.orders.open,
                order=self.order,
                cancel=OrderHandle.cancel,
                ended=lambda _symbol, why: self.given_up.append(why),
            )

        def order(self, _symbol, shares):
            self.sent.append(shares)
            name = f"mine-1-{len(self.sent)}"
            terms = {"side": "BUY" if shares > 0 else "SELL", "quantity": abs(shares)}
            return self.orders.submitted(builders.an_order(name, **terms))

        def play(self):
            self.closing.begin("INFY")
            while self.closing.symbols:
                order = f"mine-1-{len(self.sent)}"
                shares = self.sent[-1]
                side = {"side": "BUY" if shares > 0 else "SELL", "quantity": abs(shares)}
                if self.other_rule_from is not None and len(self.sent) >= self.other_rule_from:
                    self.orders.hear(replace(builders.a_refusal(order, rule="risk_state"), **side))
                elif abs(shares) > self.limits[0]:
                    most = self.limits.pop(0) if len(self.limits) > 1 else self.limits[0]
                    self.orders.hear(replace(builders.a_refusal(order, shares_max=most), **side))
                else:
                    self.held += shares
                    self.orders.hear(builders.filled(order, trade_id=order, **side))
                self.closing.go_on("INFY")
            return self

    @given(st.integers(1, 2_000), st.booleans(), st.lists(st.integers(1, 900), min_size=1, max_size=3))
    def test_is_closed_by_several_one_after_another(self, shares, is_short, limits):
        limits = sorted(limits, reverse=True)
        limits[-1] = max(limits[-1], shares // 50, 1)
        held = -shares if is_short else shares
        world = self.World(held, sorted(limits, reverse=True)).play()

        assert (world.held, world.given_up) == (0, [""])
        assert world.sent[0] == -held
        assert all((each > 0) is is_short for each in world.sent)

    def test_is_given_up_where_one_of_them_is_refused_for_another_reason(self):
        world = self.World(250, [100], other_rule_from=3).play()

        assert (world.held, world.sent) == (150, [-250, -100, -100])
        assert world.given_up == ["the order mine-1-3 ended REFUSED: risk_state: too many"]

    def test_is_ordered_whole_again_the_next_time(self):
        world = self.World(150, [100]).play()
        world.held, world.limits = 300, [1_000]
        world.play()

        assert (world.held, world.sent) == (0, [-150, -100, -50, -300])


class TestAStrategyThatHearsOfThePast:
    """A handler to which events are replayed told it something, and it wants to order."""

    @pytest.mark.parametrize(
        "do",
        [lambda mine: mine.buy("INFY", 1), lambda mine: mine.cancel("mine-1-1")],
        ids=["buy", "cancel"],
    )
    def test_cannot_order(self, stage, mine, do):
        refused = stage.system.probe("refused")

        def try_it(strategy, _tick):
            try:
                do(strategy)
            except ReplayedError as fault:
                strategy.send("refused", str(fault))

        mine(do=try_it)
        with conversation("replay:1"):
            stage.tell(stage.tick(sequence=1), stage.tick(sequence=2))

        assert "replayed event" in refused.receive()
        quiet(stage)
        assert stage.orders.is_empty()


class TestAThreadOfTheUsers:
    """It would order in the middle of a handler: two orders at once had one id, and only one of them was placed."""

    @pytest.mark.parametrize(
        "do", [lambda mine: mine.buy("INFY", 1), lambda mine: mine.after(5, mine.flatten)], ids=["order", "timer"]
    )
    def test_can_neither_order_nor_set_a_timer(self, simulated_stage, do):
        begun, refused = simulated_stage.system.probe("begun"), []

        def try_it():
            with pytest.raises(ForeignThreadError) as caught:
                do(strategy)
            refused.append(f"{caught.value}")

        simulated_stage.open(Asked, do=print)
        strategy = begun.receive()
        thread = threading.Thread(target=try_it, name="mine too")
        thread.start()
        thread.join()

        assert "by a handler of mine wanted, found it by the thread mine too; offload(" in refused[0]
        assert simulated_stage.orders.is_empty()
