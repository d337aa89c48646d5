"""What may be done with each path of Dhan's."""

from natya.actors.broker.bodies.dhan import endpoints
from natya.actors.broker.bodies.dhan.endpoints import Route

READS = [route for route in vars(endpoints).values() if isinstance(route, Route) and route.endpoint.read]
MARKET = {"quotes", "data", "option_chain"}


def test_what_the_account_says_is_asked_for_each_time_and_what_the_market_says_is_shared():
    by_kind = {route.endpoint.name: route.endpoint.kind in MARKET for route in READS}

    assert len(READS) > 20
    assert {route.endpoint.name: route.endpoint.shared for route in READS} == by_kind
    assert {route.endpoint.name for route in READS if route.endpoint.kept_s} == {"options.chain", "options.expiries"}
