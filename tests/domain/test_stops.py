"""The limit of a stop that must have one, and what the exchange calls each type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.instruments import price_grid
from natya.domain.stops import exchange_type, limit_of_stop

GRID = price_grid(0.05)


class TestTheLimitOfAStop:
    @pytest.mark.parametrize(
        ("side", "trigger_price", "percent", "wanted"),
        [
            ("BUY", 100.0, 1.0, 101.0),
            ("SELL", 100.0, 1.0, 99.0),
            ("BUY", 100.05, 1.0, 101.05),
            ("SELL", 100.05, 1.0, 99.05),
            ("BUY", 1.0, 0.01, 1.05),
            ("SELL", 1.0, 0.01, 0.95),
            ("SELL", 0.05, 1.0, 0.05),
        ],
    )
    def test_lies_beyond_the_trigger_by_the_offset_and_at_least_a_tick(self, side, trigger_price, percent, wanted):
        assert limit_of_stop(GRID, side=side, trigger_price=trigger_price, offset_percent=percent) == wanted

    @given(
        side=st.sampled_from(["BUY", "SELL"]),
        tick_size=st.sampled_from([0.01, 0.05, 0.1, 1.0, 5.0]),
        ticks=st.integers(1, 10_000_000),
        percent=st.floats(0.01, 20),
    )
    def test_is_on_the_grid_and_never_before_the_trigger(self, side, tick_size, ticks, percent):
        grid = price_grid(tick_size)
        trigger_price = grid.nearest(ticks * tick_size)

        limit = limit_of_stop(grid, side=side, trigger_price=trigger_price, offset_percent=percent)

        assert grid.snap(limit) == limit
        assert limit > trigger_price if side == "BUY" else limit < trigger_price or ticks == 1


class TestAType:
    @pytest.mark.parametrize(
        ("order_type", "wanted"),
        [("MARKET", "MARKET"), ("LIMIT", "LIMIT"), ("STOP", "STOP_LOSS_MARKET"), ("STOP_LIMIT", "STOP_LOSS")],
    )
    def test_has_a_name_at_the_exchange(self, order_type, wanted):
        assert exchange_type(order_type) == wanted
