"""Indicators, against pandas."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain import indicators

prices = st.sampled_from([10_000.0, 1.05]).flatmap(lambda most: st.lists(st.floats(1, most), min_size=1, max_size=60))
"""Rupees: some move by thousands, some by some paise."""
lengths = st.integers(2, 12)


def same(found, wanted):
    np.testing.assert_allclose(found, np.asarray(wanted, dtype=float), rtol=1e-9, atol=1e-6)


@given(prices, lengths)
def test_windows_are_those_of_pandas(values, length):
    rolling = pd.Series(values).rolling(length)

    same(indicators.sma(values, length), rolling.mean())
    same(indicators.highest(values, length), rolling.max())
    same(indicators.lowest(values, length), rolling.min())
    same(indicators.ema(values, length), pd.Series(values).ewm(span=length, adjust=False).mean())
    exact = pd.Series(values).rolling(length).apply(lambda window: window.std(ddof=1), raw=False)
    same(indicators.std(values, length), exact)


def wilder(values, length):
    """Wilder's average: the mean of the first values, from which each further one moves it by its part."""
    begun = pd.concat([values.iloc[:length].expanding(length).mean(), values.iloc[length:]])
    return begun.ewm(alpha=1 / length, adjust=False).mean()


def test_a_window_of_one_is_the_value_itself():
    same(indicators.sma([1.0, 3.0], 1), [1.0, 3.0])
    same(indicators.atr([3.0], [1.0], [2.0], 1), [2.0])
    assert len(indicators.atr([], [], [])) == 0


@given(prices, lengths)
def test_the_relative_strength_is_that_of_pandas_and_between_0_and_100(values, length):
    moves = pd.Series(values).diff()
    gains, losses = wilder(moves.clip(lower=0)[1:], length), wilder((-moves).clip(lower=0)[1:], length)
    wanted = (100 * gains / (gains + losses)).where(gains + losses > 0, 50.0)
    found = indicators.rsi(values, length)

    same(found[length:], wanted[length - 1 :])
    assert np.isnan(found[:length]).all()
    assert ((found[length:] >= 0) & (found[length:] <= 100)).all()


@given(st.lists(st.tuples(st.floats(1, 100), st.floats(0, 5), st.floats(0, 1)), min_size=1, max_size=40), lengths)
def test_the_true_range_is_that_of_pandas(candles, length):
    low, span, part = (pd.Series(column, dtype=float) for column in zip(*candles, strict=True))
    high, close = low + span, low + span * part
    spans = pd.concat([high - low, (high - close.shift()).abs(), (low - close.shift()).abs()], axis=1).max(axis=1)
    wanted = wilder(spans, length)
    found = indicators.atr(high, low, close, length)

    same(found[length - 1 :], wanted[length - 1 :])
    assert np.isnan(found[: length - 1]).all()


@given(prices, lengths, st.integers(1, 60))
def test_nothing_that_comes_later_changes_a_value(values, length, known):
    known = min(known, len(values))
    for indicator in (indicators.sma, indicators.ema, indicators.std, indicators.rsi, indicators.highest):
        same(indicator(values, length)[:known], indicator(values[:known], length))


def test_the_relative_strength_is_that_of_a_worked_example():
    """Fourteen changes that gain 3.34 and lose 1.40: 100 - 100 / (1 + 3.34 / 1.40); then gains and losses of 13/14."""
    closes = [44.34, 44.09, 44.15, 43.61, 44.33, 44.83, 45.10, 45.42, 45.84, 46.08, 45.89, 46.03, 45.61, 46.28, 46.28]
    gained, lost = 3.34 / 14, 1.40 / 14

    same(indicators.rsi(closes)[-1], 100 * gained / (gained + lost))
    gained, lost = gained * 13 / 14, (lost * 13 + 0.28) / 14
    same(indicators.rsi([*closes, 46.00])[-1], 100 * gained / (gained + lost))


def test_wilders_averages_are_of_fourteen_values_if_nothing_is_said():
    values = [float(value % 7 + value % 3) for value in range(40)]

    same(indicators.rsi(values), indicators.rsi(values, 14))
    same(indicators.atr(values, values, values), indicators.atr(values, values, values, 14))
    assert np.isnan(indicators.rsi(values[:14])).all()
    assert not np.isnan(indicators.rsi(values[:15])[-1])
    assert indicators.rsi([5.0] * 15)[-1] == 50.0


class TestAWindow:
    def test_has_the_newest_values(self):
        window = indicators.Window(3)
        empty = window.mean, window.std
        window.add(1)
        of_one = window.mean, window.std, len(window), window.is_full
        for value in (2, 3, 4):
            window.add(value)

        assert np.isnan(empty).all()
        assert (of_one[0], np.isnan(of_one[1]), *of_one[2:]) == (1, True, 1, False)
        assert (list(window.values), window.mean, window.std, len(window), window.is_full) == ([2, 3, 4], 3, 1, 3, True)


@pytest.mark.parametrize(
    "call",
    [
        lambda: indicators.sma([1.0], 0),
        lambda: indicators.sma([[1.0]], 1),
        lambda: indicators.std([1.0], 1),
        lambda: indicators.atr([1.0], [1.0, 2.0], [1.0]),
        lambda: indicators.Window(True),
        lambda: indicators.Window(2.5),
        lambda: indicators.sma([1.0, 2.0, 3.0], 2.0),
    ],
)
def test_what_makes_no_sense_is_refused(call):
    with pytest.raises(ValueError, match="wanted, found"):
        call()
