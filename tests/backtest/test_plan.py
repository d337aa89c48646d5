"""What a user writes, and what is made of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.backtest.errors import BacktestRefusedError
from natya.backtest.plan import Plan, assigned, duration_s, slippage_of, symbols_of, time_ns
from natya.domain.time import DAY_NS, IST


class TestWords:
    @pytest.mark.parametrize(("text", "expected"), [("20ms", 0.02), ("0.5s", 0.5), ("300us", 0.0003), ("0", 0.0)])
    def test_are_durations(self, text, expected):
        assert duration_s(text) == pytest.approx(expected)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [("", (0, 0)), ("0.05%", (0.05, 0)), ("5bp", (0.05, 0)), ("1tick", (0, 1)), ("0.02%+2ticks", (0.02, 2))],
    )
    def test_are_slippage(self, text, expected):
        assert slippage_of(text) == pytest.approx(expected)

    def test_are_days_and_times_in_india(self):
        assert time_ns("2025-11-03") == 1_762_108_200_000_000_000
        assert time_ns("2025-11-03", is_end=True) == time_ns("2025-11-03") + DAY_NS
        assert time_ns("2025-11-03T09:15", is_end=True) == 1_762_141_500_000_000_000

    @given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)))  # noqa: DTZ001  a time in India, as a user writes it
    def test_are_times_to_the_microsecond(self, moment):
        exact = (moment.replace(tzinfo=IST) - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1_000

        assert time_ns(moment.isoformat()) == time_ns(f"{moment.isoformat()}+05:30") == exact

    def test_are_parameters_or_settings(self):
        parameters, settings = assigned(["fast=5", "name=abc", "ratio=0.5", "orders.quantity_max=7"])

        assert parameters == {"fast": 5, "name": "abc", "ratio": 0.5}
        assert settings == {"orders.quantity_max": "7"}

    @pytest.mark.parametrize(
        "wrong",
        [
            lambda: duration_s("20"),
            lambda: slippage_of("1.5ticks"),
            lambda: slippage_of("much"),
            lambda: time_ns("yesterday"),
            lambda: assigned(["fast"]),
            lambda: Plan(strategy="a:B", data=()),
            lambda: Plan(strategy="a:B", data=(Path("x"),), capital_rupees=float("nan")),
        ],
    )
    def test_that_mean_nothing_are_refused(self, wrong):
        with pytest.raises(BacktestRefusedError, match="wanted"):
            wrong()

    def test_that_are_nearly_the_name_of_charges_get_a_hint(self):
        with pytest.raises(BacktestRefusedError, match="did you mean 'dhan-futures'"):
            Plan(strategy="a:B", data=(Path("x"),), charges="dhan-future")


@pytest.mark.parametrize(("given", "symbols"), [("TCS", ("TCS",)), (["TCS", "INFY"], ("TCS", "INFY")), ((), ())])
def test_a_text_is_one_symbol_and_not_its_letters(given, symbols):
    assert symbols_of(given) == symbols
