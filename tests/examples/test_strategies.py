"""The strategies in `examples/`: what they trade on a day worked out by hand, and again in a backtest of a session."""

from pathlib import Path
from random import Random

import pytest
from natya_backtests import write_rows

import natya
from natya.backtest.parity import parity

pytestmark = pytest.mark.usefixtures("forked_starts")

EXAMPLES = Path(__file__).parents[2] / "examples"
FREE = {"charges": "none", "settings": {"orders.position_max": 10_000}}


def candles(closes, *, wick=0.0):
    """Return (open, high, low, close), each opening where the one before closed."""
    return [
        (begin, round(max(begin, end) + wick, 2), round(min(begin, end) - wick, 2), end)
        for begin, end in zip([closes[0], *closes], closes, strict=False)
    ]


def traded(name, data, **options):
    result = natya.backtest(str(EXAMPLES / name), data, **FREE, **options)
    return [(fill.symbol, fill.side, fill.quantity, fill.price, minute_of(fill)) for fill in result.fills]


def minute_of(fill):
    """Return the time of a fill as on a clock in India."""
    minutes = fill.occurred_ns // 60_000_000_000 + 330
    return f"{minutes // 60 % 24:02}:{minutes % 60:02}"


FALLING = [100.0 - n for n in range(15)]
"""Fourteen changes, all downwards, at 10:30."""


class TestRsiReversion:
    def test_buys_what_has_only_fallen_at_the_last_close_and_sells_behind_the_twelfth_rise(self, tmp_path):
        """By Wilder's averages the strength after k rises is above 60 once (13/14)^k is below 1 / (1 + 1.5 * 13/14)."""
        data = write_rows(tmp_path / "a.csv", candles([*FALLING, *(86.0 + n for n in range(14))]), minutes=5)

        assert traded("rsi_reversion.py", data, symbols=["TCS"]) == [
            ("TCS", "BUY", 10, 86.0, "10:30"),
            ("TCS", "SELL", 10, 98.0, "11:35"),
        ]

    def test_sells_what_falls_on_at_its_stop_or_worse(self, tmp_path):
        data = write_rows(tmp_path / "a.csv", candles([*FALLING, 84.0]), minutes=5)

        assert traded("rsi_reversion.py", data, symbols=["TCS"]) == [
            ("TCS", "BUY", 10, 86.0, "10:30"),
            ("TCS", "SELL", 10, 84.0, "10:33"),
        ]


class TestOpeningRange:
    RANGE = (100.0, *(100.0 + n % 3 for n in range(29)))

    @pytest.mark.parametrize(
        ("symbol", "day", "clock"),
        [("TCS", "2025-11-03", "15:20"), ("TCS", "2026-08-03", "15:10"), ("IDBI", "2026-08-03", "15:20")],
    )
    def test_buys_above_the_first_half_hour_and_is_flat_in_time(self, tmp_path, symbol, day, clock):
        closes = [*self.RANGE, 102.0, 103.0, *[104.0] * 343]
        data = write_rows(tmp_path / "a.csv", candles(closes), start=f"{day}T09:15:00+05:30")

        assert traded("opening_range.py", data, symbols=[symbol]) == [
            (symbol, "BUY", 10, 103.0, "09:47"),
            (symbol, "SELL", 10, 104.0, clock),
        ]

    def test_is_out_below_the_range_and_trades_once_a_day(self, tmp_path):
        closes = [*self.RANGE, 102.0, 103.0, 104.0, 99.0, *[105.0] * 20]
        data = write_rows(tmp_path / "a.csv", candles(closes))

        assert traded("opening_range.py", data, symbols=["TCS"]) == [
            ("TCS", "BUY", 10, 103.0, "09:47"),
            ("TCS", "SELL", 10, 99.0, "09:48"),
        ]


class TestPair:
    def test_sells_the_dearer_and_buys_the_cheaper_until_their_ratio_is_back(self, tmp_path):
        first = [*(100.0 + n % 2 for n in range(20)), 110.0, 110.0, 100.0, 100.0, 100.0]
        data = [
            write_rows(tmp_path / "a.csv", candles(first), symbol="TCS", minutes=5),
            write_rows(tmp_path / "b.csv", candles([200.0] * 25), symbol="INFY", minutes=5),
        ]

        fills = traded("pair.py", data, parameters={"rupees": 2_000.0})

        assert sorted(fills, key=lambda fill: (fill[4], fill[0])) == [
            ("INFY", "BUY", 10, 200.0, "11:00"),
            ("TCS", "SELL", 18, 110.0, "11:00"),
            ("INFY", "SELL", 10, 200.0, "11:15"),  # at 11:10 the ratio is 0.502 deviations away, at 11:15 0.482
            ("TCS", "BUY", 18, 100.0, "11:15"),
        ]


class TestGrid:
    def test_buys_at_each_step_down_and_sells_each_a_step_above(self, tmp_path):
        closes = [1000.0, 1000.0, 994.0, 998.0, 990.0, 1000.0, 1000.0]
        data = write_rows(tmp_path / "a.csv", candles(closes), minutes=5)

        assert traded("grid.py", data, symbols=["TCS"]) == [
            ("TCS", "BUY", 5, 997.0, "09:28"),
            ("TCS", "BUY", 5, 994.0, "09:38"),
            ("TCS", "BUY", 5, 991.0, "09:38"),
            ("TCS", "SELL", 5, 994.0, "09:43"),
            ("TCS", "SELL", 5, 997.0, "09:43"),
        ]


def test_a_session_of_all_of_them_is_the_same_in_a_backtest(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES))
    recordings = []
    for seed, symbol in enumerate(("TCS", "INFY")):
        walk, closes = Random(seed), [1_000.0]
        while len(closes) < 120:
            closes.append(round(closes[-1] * (1 + walk.gauss(0, 0.0015)), 1))
        recordings.append(write_rows(tmp_path / f"{symbol}.csv", candles(closes, wick=0.3), symbol=symbol))
    strategies = [
        {"name": "dip", "strategy": "buy_the_dip:BuyTheDip"},
        {"name": "rsi", "strategy": "rsi_reversion:RsiReversion", "parameters": {"low": 35.0}},
        {"name": "range", "strategy": "opening_range:OpeningRange"},
        {"name": "pair", "strategy": "pair:Pair"},
        {"name": "grid", "strategy": "grid:Grid", "host": "process", "symbols": ["TCS"]},
    ]
    overrides = {
        "system.data_dir": str(tmp_path / "data"),
        "feed.source": "replay",
        "feed.recording": [str(each) for each in recordings],
        "feed.speed": 0.0,
        "control.enabled": False,
        "strategies": strategies,
    }
    with natya.TradingSystem(natya.load_settings("paper", environment={}, overrides=overrides)) as system:
        assert system.await_end(60) is not None
        fills = {
            each["name"]: system.request(each["name"], natya.Ping(), timeout_s=5).statistics.fills
            for each in strategies
        }

    found = parity(tmp_path / "data", settings={"strategies": strategies})

    assert found.difference == ""
    assert found.fills == sum(fills.values())
    assert [name for name, count in fills.items() if not count] == []
