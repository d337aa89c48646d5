"""The base of all strategies, as a user's strategy lives on it."""

import pytest

from natya.actors.strategy import StrategyActor
from natya.messages.events import Subscribe, Subscribed
from natya.messages.market import Candle
from natya.messages.orders import CancelOrder, OrderAccepted, OrderRefused, SubmitOrder
from natya.messages.supervision import DeadLetter, Failed
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
            self.order = self.sell(tick.symbol, 3, limit_price=199.5)

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

    def test_buys_at_market_with_the_price_it_saw(self, follower):
        follower.tell(follower.tick(99.5))
        order = follower.orders.receive()

        assert isinstance(order, SubmitOrder)
        assert (order.strategy, order.symbol, order.side, order.quantity) == ("mine", "INFY", "BUY", 5)
        assert (order.order_type, order.limit_price, order.reference_price) == ("MARKET", None, 99.5)

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
        accepted = OrderAccepted(client_order_id="A-1", broker_order_id="B-1", occurred_ns=1)
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

    def test_that_defines_nothing_hears_everything_in_peace(self, stage):
        stage.open(Silent)
        refusal = OrderRefused(
            client_order_id="A",
            strategy="mine",
            symbol="INFY",
            side="BUY",
            quantity=1,
            rule="journal",
            reason="full",
            occurred_ns=1,
        )
        order = SubmitOrder(client_order_id="A", strategy="mine", symbol="INFY", side="BUY", quantity=1)
        stage.tell(CANDLE, refusal, stage.fill(order), *[stage.tick(received_ns=1) for _ in range(32)])

        counts = stage.system.request("mine", Ping()).statistics
        assert (counts.ticks, counts.fills) == (32, 1)
        assert counts.tick_to_strategy_us_p99 >= counts.tick_to_strategy_us_p50 > 0


class TestAStrategyThatBreaks:
    def test_goes_on_with_its_position_and_with_new_order_ids(self, follower):
        follower.tell(follower.tick(99.5))
        first = follower.orders.receive()
        follower.tell(follower.fill(first))
        assert follower.log.receive() == ("T-0", 5, 99.5)
        follower.events.receive()
        follower.tell(follower.tick(13.0), follower.tick(98.0))
        heard = [follower.events.receive() for _ in range(3)]
        second = follower.orders.receive()
        follower.tell(follower.fill(second))

        assert {type(each) for each in heard} == {DeadLetter, Failed, Subscribe}
        assert second.client_order_id != first.client_order_id
        assert follower.log.receive() == ("T-0", 10, 98.0)
        assert follower.system.request("mine", Ping()).statistics.orders == 2
