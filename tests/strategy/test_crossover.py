"""The default strategy, told what the market does and what became of its orders."""

import pytest

from natya.actors.strategy import StrategyParametersError
from natya.actors.strategy.bodies.averages import CrossingAverages
from natya.actors.strategy.bodies.crossover import MovingAverageCrossover
from natya.messages.orders import OrderExpired, OrderIntended, OrderUncertain
from natya.messages.system import Ping

FALLING, RISING = (3.0, 2.0, 1.0), (4.0, 5.0)


@pytest.fixture
def crossover(stage):
    def build(**parameters):
        stage.open(MovingAverageCrossover, **({"fast": 1, "slow": 3, "quantity": 10} | parameters))
        return stage

    return build


def prices(stage, *values, symbol="INFY"):
    stage.tell(*[stage.tick(value, symbol) for value in values])
    stage.system.request("mine", Ping())


def ordered(stage):
    order = stage.orders.receive()
    return order.side, order.quantity


class TestTheCrossover:
    def test_buys_once_when_the_fast_average_crosses_above(self, crossover):
        stage = crossover()
        prices(stage, *FALLING, *RISING)

        assert ordered(stage) == ("BUY", 10)
        assert stage.orders.is_empty()

    def test_sells_what_it_holds_when_it_crosses_below(self, crossover):
        stage = crossover()
        prices(stage, *FALLING, *RISING)
        stage.tell(stage.fill(stage.orders.receive()))
        prices(stage, 1.0)

        assert ordered(stage) == ("SELL", 10)

    def test_turns_short_when_that_is_wanted(self, crossover):
        stage = crossover(short=True)
        prices(stage, *FALLING, *RISING)
        stage.tell(stage.fill(stage.orders.receive()))
        prices(stage, 1.0)

        assert ordered(stage) == ("SELL", 20)

    def test_holds_nothing_below_when_it_never_bought(self, crossover):
        stage = crossover()
        prices(stage, 1.0, 2.0, 3.0, 1.0)

        assert stage.orders.is_empty()

    def test_waits_for_the_order_under_way_and_then_follows_the_newest_target(self, crossover):
        stage = crossover()
        prices(stage, *FALLING, *RISING, 1.0)
        order = stage.orders.receive()
        assert stage.orders.is_empty()
        stage.tell(stage.fill(order, 4))
        prices(stage)
        assert stage.orders.is_empty()
        stage.tell(stage.fill(order, 6, already=4))

        assert ordered(stage) == ("SELL", 10)

    def test_gives_up_an_order_that_ended_until_the_next_crossing(self, crossover, caplog):
        stage = crossover()
        prices(stage, *FALLING, *RISING)
        order = stage.orders.receive()
        stage.tell(stage.fill(order, 4))
        stage.tell(OrderExpired(client_order_id=order.client_order_id, reason="absent", occurred_ns=1))
        prices(stage, 6.0)
        assert stage.orders.is_empty()
        prices(stage, 1.0)

        assert ordered(stage) == ("SELL", 4)
        assert [each.fields for each in caplog.records if each.message == "order.given_up"] == [
            {"client_order_id": order.client_order_id, "fact": "OrderExpired"}
        ]

    def test_does_not_order_again_while_the_fate_of_an_order_is_unknown(self, crossover):
        stage = crossover()
        prices(stage, *FALLING, *RISING)
        order = stage.orders.receive()
        intent = OrderIntended(
            client_order_id=order.client_order_id,
            strategy="mine",
            symbol="INFY",
            side="BUY",
            quantity=10,
            order_type="MARKET",
            limit_price=None,
            occurred_ns=1,
        )
        stage.tell(intent, OrderUncertain(client_order_id=order.client_order_id, reason="time-out", occurred_ns=1))
        prices(stage, 1.0, 5.0, 1.0, 5.0)

        assert stage.orders.is_empty()

    def test_keeps_symbols_apart(self, crossover):
        stage = crossover()
        for falling, other in zip((*FALLING, *RISING), (1.0, 2.0, 3.0, 4.0, 5.0), strict=True):
            prices(stage, falling)
            prices(stage, other, symbol="TCS")

        assert stage.orders.receive().symbol == "INFY"
        assert stage.orders.is_empty()

    def test_of_no_parameters_is_of_5_and_20_ticks_10_shares_and_never_short(self):
        parameters = MovingAverageCrossover.Parameters()

        assert (parameters.fast, parameters.slow, parameters.quantity, parameters.short) == (5, 20, 10, False)
        assert MovingAverageCrossover.Parameters(fast=1, slow=2, quantity=1).quantity == 1

    @pytest.mark.parametrize(
        "parameters", [{"fast": 5, "slow": 5}, {"fast": 0}, {"quantity": 0}, {"fast": "five"}, {"fats": 5}]
    )
    def test_does_not_start_with_parameters_it_cannot_work_with(self, crossover, parameters):
        with pytest.raises(StrategyParametersError, match="parameters of 'mine'"):
            crossover(**parameters)


class TestAverages:
    def test_cross_by_the_least_difference_of_prices_and_not_by_none(self):
        averages = CrossingAverages(fast=1, slow=2)

        crossings = [averages.add(price) for price in (1.0002, 1.0001, 1.0002, 1.0002, 1.0001, 1.0002)]

        assert crossings == ["", "", "ABOVE", "", "BELOW", "ABOVE"]

    def test_are_of_so_many_prices_and_no_more(self):
        averages = CrossingAverages(fast=2, slow=4)

        crossings = [averages.add(price) for price in (9.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 1.0)]

        assert crossings == ["", "", "", "", "", "ABOVE", "", "", "BELOW", ""]
