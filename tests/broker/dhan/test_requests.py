"""What an order is in Dhan's words: its prices without the noise of arithmetic."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.broker.bodies.dhan.requests import terms_of
from natya.domain.instruments import Instrument

TICKS = st.integers(1, 4_000_000)


def terms(kind, tick, limit=None, trigger=None):
    instrument = Instrument(symbol="INFY", segment="NSE_EQ", tick_size_rupees=tick)
    return terms_of(
        instrument, side="BUY", order_type=kind, limit_price=limit, trigger_price=trigger, stop_offset_percent=0.5
    )


@given(TICKS, TICKS, st.sampled_from([0.01, 0.05, 0.1, 1.0]))
def test_each_price_is_the_shortest_number_of_its_tick(limit, trigger, tick):
    exact = [float(number * Decimal(str(tick))) for number in (limit, trigger)]
    found = terms("STOP_LIMIT", tick, limit=limit * tick, trigger=trigger * tick)

    assert [found.price, found.trigger_price] == exact
    assert terms("LIMIT", tick, limit=limit * tick).price == exact[0]


@pytest.mark.parametrize(("kind", "word"), [("MARKET", "MARKET"), ("LIMIT", "LIMIT"), ("STOP_LIMIT", "STOP_LOSS")])
def test_a_price_beside_the_grid_is_left_for_who_checks_it(kind, word):
    prices = {"MARKET": {}, "LIMIT": {"limit": 100.03}}.get(kind, {"limit": 100.03, "trigger": 99.98})
    found = terms(kind, 0.05, **prices)

    assert (found.order_type, found.price, found.trigger_price) == (
        word,
        prices.get("limit", 0.0),
        prices.get("trigger", 0.0),
    )
