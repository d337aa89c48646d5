"""Plays whose every trade is worked out again, by other means, from the file alone."""

import csv
import itertools
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from natya_recordings import write_candles

import natya

pytestmark = pytest.mark.usefixtures("engines")

CROSSOVER = "natya.actors.strategy.bodies.crossover:MovingAverageCrossover"
RELIANCE = Path(__file__).parents[3] / "shared" / "data" / "reliance_1min_60days.csv"
"""Beside the project, where there is one."""

ROWS_OF_A_SLICE = 1_000
FAST, SLOW, QUANTITY = 12, 60, 10


@pytest.fixture(scope="module", params=["walk", "reliance"])
def played(request, tmp_path_factory, plays):
    """Two strategies beside each other on a thousand minutes: the file, the folder, what came of it."""
    folder = tmp_path_factory.mktemp(request.param)
    recording = folder / "recording.csv"
    if request.param == "walk":
        write_candles(recording, ROWS_OF_A_SLICE, seed=6)
    elif RELIANCE.exists():
        with RELIANCE.open() as file:
            recording.write_text("".join(itertools.islice(file, ROWS_OF_A_SLICE + 1)))
    else:
        pytest.skip(f"there is no {RELIANCE}")
    strategies = [
        {"name": "crossover", "strategy": CROSSOVER, "parameters": {"fast": FAST, "slow": SLOW, "quantity": QUANTITY}},
        {"name": "dips", "strategy": "natya_players:BuysDips"},
    ]
    return SimpleNamespace(
        recording=recording, data_dir=folder / "data", **vars(plays(folder / "data", recording, *strategies))
    )


def ticks_of(path):
    """Expand a file of one-minute candles: paise, nanoseconds and day of each tick."""
    found = []
    with path.open() as file:
        for row in csv.DictReader(file):
            start = pd.Timestamp(row["date"])
            prices = [round(float(row[name]) * 100) for name in ("open", "high", "low", "close")]
            first, high, low, last = prices
            low_first = first - low < high - first or (first - low == high - first and last - low >= high - last)
            path_ = (first, low, high, last) if low_first else (first, high, low, last)
            for paise, offset_ns in zip(path_, (0, 20_000_000_000, 40_000_000_000, 59_999_999_999), strict=True):
                found.append((paise, start.value + offset_ns, start.date()))
    return found


def crossings_of(ticks):
    """Tell where the averages cross: nanoseconds, side, paise."""
    paise = pd.Series([price for price, _, _ in ticks])
    # Whole numbers below 2^53 in rolling sums stay exact.
    spread = paise.rolling(FAST).sum() * SLOW - paise.rolling(SLOW).sum() * FAST
    side = spread.dropna().map(lambda value: (value > 0) - (value < 0)).replace(0, None).ffill().dropna()
    crossed = side[(side != side.shift()) & side.shift().notna()]
    trades, held = [], False
    for place, sign in crossed.items():
        if (sign > 0) != held:
            held = sign > 0
            trades.append((ticks[place][1], "BUY" if held else "SELL", ticks[place][0]))
    return trades


def dips_of(ticks):
    """Tell the trades of `BuysDips`: nanoseconds, side, paise."""
    trades, order, day_before = [], None, None
    for paise, time_ns, day in ticks:
        if day != day_before:
            order, day_before = None, day  # its day was over
        if order is not None:
            # It hears of a fill behind the tick that brought it, and orders at the next one.
            side, limit = order
            if _beyond(side, limit, paise):
                trades.append((time_ns, side, limit))
                order = None
            continue
        side, limit = ("SELL", trades[-1][2] + 150) if trades and trades[-1][1] == "BUY" else ("BUY", paise - 150)
        if limit == paise or _beyond(side, limit, paise):
            trades.append((time_ns, side, paise))
        else:
            order = side, limit
    return trades


def _beyond(side, limit, paise):
    return paise < limit if side == "BUY" else paise > limit


def said(played, strategy):
    return [
        (fill.occurred_ns, fill.side, round(fill.price * 100)) for fill in played.fills if fill.strategy == strategy
    ]


class TestACrossover:
    def test_trades_where_its_averages_cross_and_at_the_price_of_that_tick(self, played):
        expected = crossings_of(ticks_of(played.recording))

        assert said(played, "crossover") == expected
        assert {fill.quantity for fill in played.fills} == {QUANTITY}
        assert len(expected) > 20


class TestAStrategyOfRestingOrders:
    def test_trades_at_its_limits_on_the_days_of_its_orders(self, played):
        expected = dips_of(ticks_of(played.recording))

        assert said(played, "dips") == expected
        assert len(expected) > 4


class TestTheProfitOfBoth:
    def test_is_what_was_sold_less_what_was_bought_and_what_is_held_at_the_last_price(self, played):
        paise = held = 0
        for _, side, price in (*said(played, "crossover"), *said(played, "dips")):
            signed = QUANTITY if side == "BUY" else -QUANTITY
            held += signed
            paise -= signed * price
        paise += held * ticks_of(played.recording)[-1][0]

        summary = played.summary
        assert round(float(summary.realized_pnl + summary.unrealized_pnl) * 100) == paise
        assert summary.positions.get("TCS", 0) == held


class TestTheCandlesOfBoth:
    def test_are_in_the_database_what_pandas_makes_of_the_file(self, played):
        frame = pd.read_csv(played.recording, index_col="date", parse_dates=True)
        market = natya.MarketDataRepositoryImpl(str(played.data_dir / "natya.duckdb"))

        found = market.candles("TCS", "15m", date(2019, 1, 1), date(2026, 12, 31)).data

        groups = frame.resample("15min", origin="start_day", offset="9h15min")
        wanted = groups.agg({"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}).dropna()
        assert [(each.start_ns, each.open, each.high, each.low, each.close, each.volume) for each in found] == [
            (pd.Timestamp(begin).value, *prices, int(volume)) for begin, *prices, volume in wanted.itertuples()
        ]
