"""Indicators of conditional orders, computed again from their definitions, one value at a time."""

import itertools
import math
import statistics
from fractions import Fraction
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from natya.domain.dhan.technical import FORMULAS, values_of
from natya.domain.dhan.trading.alerts import Indicator

CANDLES = st.lists(
    st.tuples(st.integers(2_000, 4_000), st.integers(0, 40), st.integers(0, 40), st.integers(0, 100)), max_size=260
)


def columns(candles):
    """Highs, lows and closes on a grid of 0.05, as fractions."""
    lows = [Fraction(middle - below, 20) for middle, below, _, _ in candles]
    highs = [Fraction(middle + above, 20) for middle, _, above, _ in candles]
    closes = [low + (high - low) * share / 100 for low, high, (*_, share) in zip(lows, highs, candles, strict=True)]
    return highs, lows, closes


def mean(values):
    return sum(values, Fraction(0)) / len(values)


def exponential(values, weight):
    """The newest value of an average that begins with the first."""
    found = float(values[0])
    for value in values[1:]:
        found = float(value) * weight + found * (1 - weight)
    return found


def wilder(values):
    """The newest value of an average that begins with the mean of the first fourteen."""
    return exponential([mean(values[:14]), *values[14:]], 1 / 14)


def ema(closes, length):
    return exponential(closes, 2 / (length + 1)) if len(closes) >= length else None


def rsi(closes):
    if len(closes) <= 14:
        return None
    moves = [after - before for before, after in itertools.pairwise(closes)]
    gain = wilder([max(move, 0) for move in moves])
    loss = wilder([max(-move, 0) for move in moves])
    return 50.0 if gain + loss == 0 else 100 - 100 / (1 + gain / loss) if loss else 100.0


def atr(highs, lows, closes):
    if len(closes) < 14:
        return None
    ranges = [highs[0] - lows[0]]
    for high, low, before in zip(highs[1:], lows[1:], closes, strict=False):
        ranges.append(max(high, before) - min(low, before))
    return wilder(ranges)


def place(value, among, low=None):
    least, most = min(low or among), max(among)
    return 50.0 if most - least <= 1e-9 else float(100 * (value - least) / (most - least))


def band(closes, widths):
    if len(closes) < 20:
        return None
    return float(mean(closes[-20:])) + widths * statistics.pstdev(map(float, closes[-20:]))


def stochastic_rsi(closes):
    strengths = [rsi(closes[:count]) for count in range(15, len(closes) + 1)][-14:]
    return place(strengths[-1], strengths) if len(strengths) == 14 else None


def histogram(closes):
    if len(closes) < 34:
        return None
    lines = [
        exponential(closes[:count], 2 / 13) - exponential(closes[:count], 2 / 27) for count in range(1, len(closes) + 1)
    ]
    return lines[-1] - exponential(lines, 2 / 10)


def expected(name, highs, lows, closes):  # noqa: PLR0911  one for each
    """The newest value by the definition; None: too few candles."""
    kind, _, length = name.partition("_")
    match kind:
        case "SMA":
            return float(mean(closes[-int(length) :])) if len(closes) >= int(length) else None
        case "EMA":
            return ema(closes, int(length))
        case "BB":
            return band(closes, 2 if length == "UPPER" else -2)
        case "RSI":
            return rsi(closes)
        case "ATR":
            return atr(highs, lows, closes)
        case "STOCHASTIC":
            return place(closes[-1], highs[-14:], lows[-14:]) if len(closes) >= 14 else None
        case "STOCHRSI":
            return stochastic_rsi(closes)
    return histogram(closes) if length == "HIST" else ema(closes, int(length))


def test_are_those_that_dhan_names():
    assert set(FORMULAS) == set(get_args(Indicator))


@settings(max_examples=60)
@given(name=st.sampled_from(get_args(Indicator)), candles=CANDLES)
def test_an_indicator_is_what_its_definition_says(name, candles):
    highs, lows, closes = columns(candles)
    found = values_of(name, *([float(each) for each in column] for column in (highs, lows, closes)))

    assert len(found) == len(candles)
    if not candles:
        return
    wanted = expected(name, highs, lows, closes)
    if wanted is None:
        assert math.isnan(found[-1])
    else:
        assert found[-1] == pytest.approx(wanted, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize("name", get_args(Indicator))
def test_every_indicator_is_so_behind_a_window_in_which_it_is_between_its_ends(name):
    candles = [(3_000 + (37 * number) % 97, 10, 12, (13 * number) % 101) for number in range(221)]
    highs, lows, closes = columns(candles)
    found = values_of(name, *([float(each) for each in column] for column in (highs, lows, closes)))

    assert found[-1] == pytest.approx(expected(name, highs, lows, closes), rel=1e-6)
    assert "STOCH" not in name or 1 < found[-1] < 99


@pytest.mark.parametrize("name", get_args(Indicator))
def test_a_value_is_known_as_soon_as_its_window_is_full_and_no_later_candle_changes_it(name):
    candles = [(3_000 + (7 * number) % 97, 10, 12, (13 * number) % 101) for number in range(230)]
    highs, lows, closes = ([float(each) for each in column] for column in columns(candles))
    whole = values_of(name, highs, lows, closes)
    part = values_of(name, highs[:210], lows[:210], closes[:210])

    known = sum(map(math.isnan, whole))
    assert not any(map(math.isnan, whole[known:]))
    assert part[known:].tolist() == whole[known:210].tolist()
    least = values_of(name, *(column[: known + 1] for column in (highs, lows, closes)))
    assert least[-1] == pytest.approx(whole[known])
    assert expected(name, *(column[:known] for column in columns(candles))) is None if known else True
    assert expected(name, *(column[: known + 1] for column in columns(candles))) is not None
