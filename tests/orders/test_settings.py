"""What orders is started with: the section, and the own limits of each strategy of the run."""

from natya.actors.orders.settings import OrdersActorSettings
from natya.config.sections.orders import OrdersSettings
from natya.config.sections.strategy import StrategySettings


def test_a_strategy_has_the_limits_that_it_was_given_and_no_others():
    strategies = [
        StrategySettings(name="a", strategy="", position_max=5),
        StrategySettings(name="b", strategy="", orders_in_flight_max=2),
        StrategySettings(name="c", strategy="", position_max=7, orders_in_flight_max=1),
        StrategySettings(name="d", strategy=""),
    ]
    found = OrdersActorSettings.of(OrdersSettings.default(position_max=50), account="new", strategies=strategies)

    assert found.strategy_position_max == {"a": 5, "c": 7}
    assert found.strategy_orders_in_flight_max == {"b": 2, "c": 1}
    assert (found.position_max, found.account, found.halt_paths, found.audited) == (50, "new", (), False)
