"""The base of all strategies, as a user's strategy lives on it."""

from random import Random

import msgspec
import pytest
from msgspec.structs import replace

from natya.actors.runtime import handles
from natya.actors.runtime.lifecycle import Restart
from natya.actors.strategy import StrategyActor
from natya.actors.strategy.errors import HoldingsUnknownError
from natya.actors.strategy.keeping import declared
from natya.domain.orders import intent_of
from natya.messages.events import Subscribe, Subscribed
from natya.messages.holdings import HoldingsRead
from natya.messages.journal import JournalRecord
from natya.messages.market import Candle, Tick
from natya.messages.orders import (
    CancelOrder,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderRefused,
    OrderRejected,
    SubmitOrder,
)
from natya.messages.supervision import DeadLetter, Failed, Unavailable
from natya.messages.system import Ping

CANDLE = Candle(
    symbol="INFY", interval_ns=60, start_ns=0, open=1.0, high=2.0, low=1.0, close=2.0, volume=5, source="test"
)


class Follower(StrategyActor):
    """Buys below 100, sells above 200, cancels on a candle, and breaks at 13."""

    def on_begin(self):
        self.heard = []

    def on_tick(self, tick):
        if tick.price == 13.0:
            raise RuntimeError("unlucky")
        if tick.price < 100:
            self.order = self.buy(tick.symbol, self.parameters["quantity"])
        elif tick.price > 200:
            self.order = self.sell(tick.symbol, 3, limit=199.5)

    def on_candle(self, candle):
        self.cancel(self.order)

    def on_fill(self, fill):
        self.log("fill.heard", position=self.position(fill.symbol))
        self.send("log", (fill.trade_id, self.position(fill.symbol), self.last_price(fill.symbol)))

    def on_order(self, fact):
        self.send("log", fact)


class Silent(StrategyActor):
    """Defines nothing."""


@pytest.fixture
def follower(stage):
    stage.log = stage.system.probe("log")
    return stage.open(Follower, symbols=("INFY",), quantity=5)


class TestAStrategy:
    def test_subscribes_to_the_market_and_to_the_facts_of_orders(self, follower):
        subscription = follower.events.receive()

        assert isinstance(subscription, Subscribe)
        assert (subscription.subscriber, subscription.symbols) == ("mine", ("INFY",))
        assert {"Tick", "Candle", "OrderIntended", "OrderRefused", "OrderFilled", "OrderExpired"} <= set(
            subscription.topics
        )

    @pytest.mark.parametrize("symbols", [("TCS", "INFY"), ()])
    def test_knows_what_it_hears(self, stage, symbols):
        class Told(StrategyActor):
            def on_begin(self):
                self.send("log", self.symbols)

        log = stage.system.probe("log")
        stage.open(Told, symbols=symbols)

        assert log.receive() == symbols

    @pytest.mark.parametrize(
        ("strategy", "whether"), [("Silent", True), ("Follower", False), ("Dynamic", False), ("Handling", False)]
    )
    def test_may_be_told_the_newest_ticks_alone_where_it_only_remembers_them(self, stage, strategy, whether):
        class Dynamic(StrategyActor):
            def on_begin(self):
                setattr(self, "on_tick", self.note)  # noqa: B010  a plain assignment is found at loading

            def note(self, tick):
                pass

        class Handling(StrategyActor):
            @handles(Tick)
            def hear_tick(self, tick, sender):
                pass

        found = []

        class Asked({"Dynamic": Dynamic, "Handling": Handling, "Silent": Silent, "Follower": Follower}[strategy]):
            def on_candle(self, _candle):
                found.append(self.newest_is_enough(stage.tick(99.5)))

        stage.open(Asked)
        stage.tell(CANDLE)
        stage.system.request("mine", Ping())

        assert found == [whether]

    def test_with_a_state_is_asked_for_the_handler_that_its_class_declares(self):
        class Kept(msgspec.Struct):
            count: int = 0

        class Stateful(StrategyActor):
            State = Kept

        for kind in (Tick, Candle, JournalRecord):
            handler = Stateful.handler_table[kind]
            assert handler is not StrategyActor.handler_table[kind]
            assert declared(handler) is StrategyActor.handler_table[kind]

    def test_times_one_tick_in_sixteen(self, stage):
        timed = []

        class Timed(StrategyActor):
            def on_begin(self):
                self._latency.add = timed.append

        stage.open(Timed)
        stage.system.base.market.release(0)
        for count in (15, 1, 15, 1):
            stage.tell(*[stage.tick()] * count)
            stage.system.request("mine", Ping())
            timed.append(count)

        assert [each if each < 16 else "timed" for each in timed] == [15, "timed", 1, 15, "timed", 1]

    def test_buys_at_market_with_the_price_it_saw(self, follower):
        follower.tell(follower.tick(99.5))
        order = follower.orders.receive()

        assert isinstance(order, SubmitOrder)
        assert (order.strategy, order.symbol, order.side, order.quantity) == ("mine", "INFY", "BUY", 5)
        assert (order.order_type, order.limit_price) == ("MARKET", None)
        assert (order.reference_price, order.reference_ns) == (99.5, follower.tick(99.5).exchange_ns)

    def test_takes_the_noise_of_arithmetic_off_a_limit(self, stage):
        class BelowTheMarket(StrategyActor):
            def on_tick(self, tick):
                self.buy(tick.symbol, 1, tick.price - 0.05)

        stage.open(BelowTheMarket)
        for price in (1499.4, 100.15, 1499.4123):
            stage.tell(stage.tick(price))

        assert [stage.orders.receive().limit_price for _ in range(3)] == [1499.35, 100.1, 1499.4123 - 0.05]

    def test_sells_at_a_limit(self, follower):
        follower.tell(follower.tick(201.0))
        order = follower.orders.receive()

        assert (order.side, order.order_type, order.limit_price) == ("SELL", "LIMIT", 199.5)

    def test_numbers_its_orders(self, follower):
        follower.tell(follower.tick(99.5), follower.tick(99.0))
        ids = [follower.orders.receive().client_order_id for _ in range(2)]

        assert ids[0] != ids[1]

    def test_cancels_by_the_id_it_got(self, follower):
        follower.tell(follower.tick(99.5), CANDLE)
        order = follower.orders.receive()

        assert follower.orders.receive() == CancelOrder(client_order_id=order.client_order_id)

    def test_hears_of_its_orders(self, follower):
        accepted = OrderAccepted(client_order_id="mine-0-1", broker_order_id="B-1", occurred_ns=1)
        follower.tell(Subscribed(subscriber="mine"), accepted)

        assert follower.log.receive() == accepted

    def test_knows_its_position_by_its_fills_each_once(self, follower):
        follower.tell(follower.tick(99.5))
        order = follower.orders.receive()
        first, second = follower.fill(order, 2), follower.fill(order, 3, already=2)
        follower.tell(first, first, second, first)

        assert [follower.log.receive() for _ in range(2)] == [("T-0", 2, 99.5), ("T-2", 5, 99.5)]
        counts = follower.system.request("mine", Ping()).statistics
        assert (counts.strategy, counts.ticks, counts.orders, counts.fills) == ("mine", 1, 1, 2)

    def test_hears_of_each_record_once(self, follower):
        accepted = OrderAccepted(client_order_id="mine-1-1", broker_order_id="B-1", occurred_ns=1)
        first, second = follower.recorded(accepted), follower.recorded(accepted)
        follower.tell(first, first, second, first, second)
        follower.system.request("mine", Ping())

        assert [follower.log.receive() for _ in range(2)] == [accepted, accepted]
        assert follower.log.is_empty()

    def test_counts_no_fill_that_the_book_has_under_another_strategy(self, follower):
        follower.tell(follower.tick(99.5))
        order = follower.orders.receive()
        follower.tell(replace(follower.fill(order, 2), strategy="other"), follower.fill(order, 3))

        assert follower.log.receive() == ("T-0", 3, 99.5)
        assert follower.log.is_empty()

    def test_holds_no_longer_what_a_person_has_had_closed(self, follower):
        follower.tell(follower.tick(99.5))
        order = follower.orders.receive()
        follower.tell(follower.fill(order))
        closing = replace(order, client_order_id="flat-3kq", side="SELL")
        follower.tell(intent_of(closing, 1), follower.fill(closing, 3), follower.fill(closing, 3), follower.tick(99.5))
        again = follower.orders.receive()
        follower.tell(follower.fill(again, 1))

        assert [follower.log.receive() for _ in range(2)] == [("T-0", 5, 99.5), ("T-0", 3, 99.5)]
        assert follower.log.is_empty(), "the order is none of its own"
        assert follower.system.request("mine", Ping()).statistics.fills == 2

    @pytest.mark.parametrize("end", [OrderCancelled, OrderRejected, OrderExpired])
    def test_counts_a_fill_that_comes_when_its_order_has_ended(self, follower, end):
        follower.tell(follower.tick(99.5))
        order = follower.orders.receive()
        follower.tell(end(client_order_id=order.client_order_id, reason="asked", occurred_ns=1), follower.fill(order))

        assert isinstance(follower.log.receive(), end)
        assert follower.log.receive() == ("T-0", 5, 99.5)

    def test_that_defines_nothing_hears_everything_in_peace(self, stage):
        stage.open(Silent)
        refusal = OrderRefused(
            client_order_id="mine-0-1",
            strategy="mine",
            symbol="INFY",
            side="BUY",
            quantity=1,
            rule="journal",
            reason="full",
            occurred_ns=1,
        )
        accepted = OrderAccepted(client_order_id="mine-0-1", broker_order_id="B-1", occurred_ns=1)
        stage.system.base.market.release(0)
        stage.system.request("mine", Ping())
        stage.tell(CANDLE, refusal, accepted, *[stage.tick() for _ in range(32)])

        counts = stage.system.request("mine", Ping()).statistics
        assert (counts.ticks, counts.fills) == (32, 0)
        assert counts.tick_to_strategy_us_p99 >= counts.tick_to_strategy_us_p50 > 0

    def test_keeps_its_price_where_a_late_tick_is_told(self, stage):
        heard = []

        class Hearing(StrategyActor):
            def on_tick(self, tick):
                heard.append((tick.price, self.last_price("INFY"), self.last_price("TCS")))

        stage.open(Hearing)
        now_ns = stage.tick().exchange_ns
        for price, symbol, second in (
            (1.0, "INFY", 9),
            (2.0, "INFY", 8),
            (3.0, "TCS", 5),
            (4.0, "TCS", 4),
            (5.0, "INFY", 9),
        ):
            stage.tell(
                replace(
                    stage.tick(price, symbol=symbol),
                    exchange_ns=now_ns + second * 10**9,
                    received_ns=now_ns + 9 * 10**9,
                )
            )
        stage.system.request("mine", Ping())

        assert heard == [(1.0, 1.0, None), (2.0, 1.0, None), (3.0, 1.0, 3.0), (4.0, 1.0, 3.0), (5.0, 5.0, 3.0)]

    @pytest.mark.parametrize(
        ("is_released", "has_come", "least_us", "most_us"),
        [
            (False, True, 5_000_000, 65_000_000),
            (True, True, 1, 4_999_999),
            (True, False, 1, 4_999_999),
            (False, False, 0, 0),
        ],
    )
    def test_counts_the_time_since_the_market_released_a_tick_else_since_it_came(
        self, stage, is_released, has_come, least_us, most_us
    ):
        stage.open(Silent)
        if is_released:
            stage.system.base.market.release(0)
        came_ns = stage.system.base.clock.now_ns() - 5 * 10**9 if has_come else 0
        stage.tell(*[replace(stage.tick(), received_ns=came_ns) for _ in range(32)])

        counts = stage.system.request("mine", Ping()).statistics
        assert least_us <= counts.tick_to_strategy_us_p50 <= most_us

    def test_may_order_as_it_begins_and_set_what_is_its_own_to_set(self, stage):
        class Early(Silent):
            def on_begin(self):
                self.random, self.trouble = Random(3), "behind"
                self.become("waiting")
                self.buy("INFY", 7)

            @handles(str, when="waiting")
            def wait(self, text, _sender):
                self.sell("INFY", len(text))

        stage.open(Early)
        stage.tell("five!")

        assert [stage.orders.receive().quantity for _ in range(2)] == [7, 5]

    @pytest.mark.parametrize(("before_ns", "is_enough"), [(1, True), (0, False), (-1, False)])
    def test_is_told_of_each_tick_from_the_next_close_on_where_it_hears_of_sessions(
        self, simulated_stage, before_ns, is_enough
    ):
        found = []

        class Sessional(Silent):
            def on_session(self, event):
                close_ns = self.clock.session.close_ns
                found.append((event, self.newest_is_enough(simulated_stage.tick(exchange_ns=close_ns - before_ns))))

            def on_candle(self, _candle):
                self.on_session("candle")

        simulated_stage.open(Sessional)
        simulated_stage.tell(CANDLE)
        simulated_stage.system.base.run_for(1)

        assert found[-1] == ("candle", is_enough)


class TestAStrategyThatBreaks:
    def test_goes_on_with_its_position_and_with_new_order_ids(self, follower):
        follower.tell(follower.tick(99.5))
        first = follower.orders.receive()
        follower.tell(follower.fill(first))
        assert follower.log.receive() == ("T-0", 5, 99.5)
        follower.events.receive()
        follower.book.shares, follower.book.sequence = {"INFY": 5}, follower.sequence
        follower.tell(follower.tick(13.0), follower.tick(98.0))
        heard = [follower.events.receive() for _ in range(3)]
        second = follower.orders.receive()
        follower.tell(follower.fill(second))

        assert {type(each) for each in heard} == {DeadLetter, Failed, Subscribe}
        assert second.client_order_id != first.client_order_id
        assert follower.log.receive() == ("T-0", 10, 98.0)
        assert follower.system.request("mine", Ping()).statistics.orders == 2

    def test_takes_the_position_of_the_book_which_has_heard_of_more(self, follower):
        follower.tell(follower.tick(99.5))
        order = follower.orders.receive()
        follower.tell(follower.fill(order, 2))
        follower.log.receive()
        follower.book.shares, follower.book.filled = {"INFY": 4}, {order.client_order_id: 4}
        follower.book.sequence = follower.sequence + 1
        follower.tell(follower.tick(13.0), follower.fill(order, 2, already=2), follower.fill(order, 1, already=4))

        assert follower.log.receive() == ("T-2", 4, None), "it was told of it by nobody before"
        assert follower.log.receive() == ("T-4", 5, None)
        assert follower.log.is_empty()

    def test_keeps_a_fill_that_the_book_has_not_heard_of_yet(self, follower):
        follower.tell(follower.tick(99.5))
        order = follower.orders.receive()
        follower.tell(follower.fill(order, 2))
        follower.log.receive()
        follower.book.filled = {order.client_order_id: 0}
        follower.tell(follower.tick(13.0), follower.fill(order, 2), follower.fill(order, 3, already=2))

        assert follower.log.receive() == ("T-2", 5, None)


class UnluckyBeginner(Follower):
    """Fails at its first beginning."""

    lives = 0

    def on_begin(self):
        type(self).lives += 1
        if self.lives == 1:
            raise RuntimeError("unlucky")


class TestAStrategyThatBreaksBeforeItHasBegun:
    def test_hears_in_its_next_life_what_came_before(self, stage, monkeypatch):
        monkeypatch.setattr(UnluckyBeginner, "lives", 0)
        stage.log = stage.system.probe("log")
        stage.book.answers = False
        supervisor = stage.system.probe("supervisor")
        stage.system.base.start_actor("mine", UnluckyBeginner, stage.settings(quantity=5), supervisor=supervisor)
        stage.name = "mine"
        stage.asked.receive()
        accepted = OrderAccepted(client_order_id="mine-0-1", broker_order_id="B-1", occurred_ns=1)
        stage.tell(accepted, stage.tick(99.5))
        stage.system.request("mine", Ping())
        stage.book.answers = True
        stage.system.tell(stage.book.asker, HoldingsRead(strategy="mine", shares={}, filled={}))
        failed = supervisor.receive()
        failed.address.control(Restart(), supervisor)

        assert stage.log.receive() == accepted
        assert isinstance(stage.orders.receive(), SubmitOrder)


class TestAStrategyInANewProcess:
    def test_begins_with_what_the_book_says_it_holds(self, stage):
        stage.log = stage.system.probe("log")
        stage.book.shares, stage.book.filled = {"INFY": 7}, {"mine-0-1": 2}
        stage.open(Follower, quantity=5)
        earlier = SubmitOrder(client_order_id="mine-0-1", strategy="mine", symbol="INFY", side="BUY", quantity=5)
        stage.tell(stage.fill(earlier, 2), stage.fill(earlier, 3, already=2))

        assert stage.log.receive() == ("T-2", 10, None)
        assert stage.log.is_empty()

    def test_counts_a_late_fill_of_an_order_that_had_ended_before(self, stage):
        stage.log = stage.system.probe("log")
        stage.book.shares, stage.book.sequence, stage.sequence = {"INFY": 7}, 40, 40
        stage.open(Follower, quantity=5)
        ended = SubmitOrder(client_order_id="mine-0-1", strategy="mine", symbol="INFY", side="BUY", quantity=5)
        stage.tell(stage.fill(ended, 2, already=3))

        assert stage.log.receive() == ("T-3", 9, None)

    def test_hears_nothing_before_it_has_begun_and_all_of_it_after(self, stage):
        stage.log = stage.system.probe("log")
        stage.book.answers = False
        stage.system.base.start_actor("mine", Follower, stage.settings(quantity=5))
        stage.name = "mine"
        stage.asked.receive()
        accepted = OrderAccepted(client_order_id="mine-0-1", broker_order_id="B-1", occurred_ns=1)
        stage.tell(stage.tick(99.5), accepted, CANDLE)
        assert stage.system.request("mine", Ping()).statistics.ticks == 0
        assert stage.log.is_empty()
        stage.system.tell(stage.book.asker, HoldingsRead(strategy="mine", shares={}, filled={}))

        assert stage.log.receive() == accepted
        assert isinstance(stage.orders.receive(), SubmitOrder)
        assert isinstance(stage.orders.receive(), CancelOrder)

    def test_does_not_begin_when_orders_does_not_say_what_it_holds(self, stage):
        stage.book.refusal = Unavailable(actor="orders", reason="breaker open", retry_after_s=1.0)

        with pytest.raises(HoldingsUnknownError, match="HoldingsRead of orders wanted, found Unavailable"):
            stage.open(Follower, quantity=5)

    def test_drops_market_data_beyond_a_bound_and_no_fact(self, stage, monkeypatch, caplog):
        monkeypatch.setattr("natya.actors.strategy.actor.EARLY_MAX", 2)
        stage.log = stage.system.probe("log")
        stage.book.answers = False
        stage.system.base.start_actor("mine", Follower, stage.settings(quantity=5))
        stage.name = "mine"
        stage.asked.receive()
        accepted = OrderAccepted(client_order_id="mine-0-1", broker_order_id="B-1", occurred_ns=1)
        stage.tell(*[stage.tick(150.0)] * 5, accepted)
        stage.system.request("mine", Ping())
        stage.system.tell(stage.book.asker, HoldingsRead(strategy="mine", shares={}, filled={}))

        assert stage.log.receive() == accepted
        assert stage.system.request("mine", Ping()).statistics.ticks == 2
        assert [record.fields for record in caplog.records if record.message == "market_data.dropped"] == [{"count": 3}]


class TestAStrategyBesideOthers:
    def test_counts_no_fill_that_is_another_strategys_by_its_name(self, follower):
        follower.tell(follower.tick(99.5))
        order = follower.orders.receive()
        follower.tell(msgspec.structs.replace(follower.fill(order, 2), strategy="mine2"))

        assert follower.system.request("mine", Ping()).statistics.fills == 0
        assert follower.log.is_empty()

    def test_hears_no_fact_of_one_whose_name_begins_like_its_own(self, follower):
        follower.tell(OrderAccepted(client_order_id="mine2-1-1", broker_order_id="B-1", occurred_ns=1))

        assert follower.system.request("mine", Ping())
        assert follower.log.is_empty()

    def test_hears_only_of_its_own_orders(self, follower):
        other = SubmitOrder(client_order_id="other-0-1", strategy="other", symbol="INFY", side="BUY", quantity=5)
        accepted = OrderAccepted(client_order_id="other-0-1", broker_order_id="B-1", occurred_ns=1)
        follower.tell(accepted, follower.fill(other))

        assert follower.system.request("mine", Ping()).statistics.fills == 0
        assert follower.log.is_empty()
