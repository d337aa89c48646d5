"""What the account was worth at each mark and fill: against a plain computation, and by the day in India."""

from decimal import Decimal
from operator import itemgetter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_backtests import a_curve
from natya_builders import a_candle

from natya.backtest.figures.curve import Bars, Marks, curve_of
from natya.backtest.running.marks import MarkKeeper
from natya.domain.time import DAY_NS, IST_OFFSET_NS
from natya.messages.orders import OrderFilled

some_prices = st.lists(st.integers(1, 500), min_size=1, max_size=6).map(lambda found: [each / 4 for each in found])


def a_fill(number, fill):
    time_ns, symbol, side, quantity, price, _ = fill
    return OrderFilled(
        client_order_id=f"o{number}",
        trade_id=f"t{number}",
        strategy="s",
        symbol=symbol,
        side=side,
        quantity=quantity,
        price=price / 4,
        cumulative_quantity=quantity,
        occurred_ns=time_ns,
    )


def the_marks(by_symbol):
    """Marks of each symbol, from (time, close)."""
    bars = {}
    for symbol, marks in by_symbol.items():
        bars[symbol] = Bars()
        for time_ns, close in marks:
            bars[symbol].add(time_ns, close, close, close, close)
    return Marks(bars)


def test_a_candle_of_a_day_is_a_mark_of_that_day_where_the_market_never_closes_too():
    keeper, begin_ns = MarkKeeper(None), 7 * DAY_NS - IST_OFFSET_NS
    keeper.add([a_candle(interval_ns=DAY_NS, start_ns=begin_ns)])

    (time_ns,) = keeper.marks().times["INFY"]
    assert begin_ns < time_ns < begin_ns + DAY_NS


@st.composite
def some_play(draw):
    """Marks of two symbols at times of their own, and fills between them, with what each cost."""
    marks = {}
    for symbol in ("TCS", "INFY"):
        prices = draw(some_prices)
        times = sorted(draw(st.sets(st.integers(0, 20), min_size=len(prices), max_size=len(prices))))
        marks[symbol] = list(zip(times, prices, strict=True))
    some_fills = st.tuples(
        st.integers(0, 22), st.sampled_from(("TCS", "INFY")), st.sampled_from(("BUY", "SELL")),
        st.integers(1, 50), st.integers(1, 500), st.integers(0, 40),
    )  # fmt: skip
    fills = sorted(draw(st.lists(some_fills, max_size=8)), key=lambda each: each[0])
    return marks, fills


def worth(marks, fills, at_ns):
    """The account without its capital, and what its positions are worth, one fill after another."""
    cash, held = 0.0, 0.0
    for symbol, known in marks.items():
        shares = 0
        for time_ns, traded, side, quantity, price, cost in fills:
            if traded == symbol and time_ns <= at_ns:
                sign = 1 if side == "BUY" else -1
                shares += sign * quantity
                cash -= sign * quantity * price / 4 + cost / 8
        prices = [(each[0], each[4] / 4) for each in fills if each[1] == symbol] + known
        prices.sort(key=itemgetter(0))
        newest = [price for time_ns, price in prices if time_ns <= at_ns]
        value = shares * (newest[-1] if newest else prices[0][1])
        cash, held = cash + value, held + abs(value)
    return cash, held


class TestTheCurve:
    @given(some_play())
    def test_is_cash_and_positions_at_the_newest_prices_at_every_mark_and_fill_of_any_symbol(self, play):
        marks, fills = play
        curve = curve_of(
            the_marks(marks),
            [a_fill(number, fill) for number, fill in enumerate(fills)],
            [Decimal(cost) / 8 for *_, cost in fills],
            capital_rupees=1_000.0,
        )

        marked = {time_ns for known in marks.values() for time_ns, _ in known}
        times = sorted({*marked, *(time_ns for time_ns, *_ in fills)})
        assert curve.times_ns.tolist() == times
        assert curve.at_mark.tolist() == [time_ns in marked for time_ns in times]
        assert curve.equity.tolist() == [1_000.0 + worth(marks, fills, at_ns)[0] for at_ns in times]
        assert curve.held.tolist() == [worth(marks, fills, at_ns)[1] for at_ns in times]

    def test_sees_what_is_bought_and_sold_between_two_marks(self):
        marks = {"TCS": [(0, 100.0), (10, 100.0), (20, 100.0)]}
        fills = [(3, "TCS", "BUY", 40, 400, 0), (7, "TCS", "SELL", 40, 360, 0)]

        curve = curve_of(
            the_marks(marks), [a_fill(number, fill) for number, fill in enumerate(fills)], [Decimal(0)] * 2,
            capital_rupees=1_000.0,
        )  # fmt: skip

        assert curve.leverage_max == 4.0
        assert curve.equity.tolist() == [1_000.0, 1_000.0, 600.0, 600.0, 600.0]
        assert curve.exposure == pytest.approx(1 / 3)

    def test_of_no_marks_is_empty(self):
        curve = curve_of(the_marks({}), [], [], capital_rupees=1_000.0)

        assert len(curve.times_ns) == len(curve.equity) == len(curve.held) == 0
        assert all(len(each) == 0 for each in curve.daily())


@pytest.mark.parametrize(
    ("equity", "held", "most"),
    [
        ([100.0, 100.0, 50.0], [0.0, 150.0, 125.0], 2.5),
        ([100.0, 50.0], [0.0, 0.0], None),
        ([100.0, -50.0, 100.0], [100.0, 500.0, 0.0], None),
        ([100.0, 0.0], [100.0, 500.0], None),
        ([], [], None),
    ],
)
def test_the_most_that_was_held_is_told_of_an_account_that_was_not_lost(equity, held, most):
    assert a_curve(np.arange(len(equity)), np.array(equity), np.array(held)).leverage_max == most


class TestADay:
    def test_begins_at_midnight_in_india_and_has_its_last_value(self):
        midnight_ns = 20_000 * DAY_NS - IST_OFFSET_NS
        times = np.array([midnight_ns - 2, midnight_ns - 1, midnight_ns, midnight_ns + 3 * DAY_NS])

        days, values = a_curve(times, np.array([1.0, 2.0, 3.0, 4.0]), np.zeros(4)).daily()

        assert days.tolist() == [19_999, 20_000, 20_003]
        assert values.tolist() == [2.0, 3.0, 4.0]


class TestTheLastPrices:
    def test_are_those_of_the_newest_marks(self):
        marks = the_marks({"TCS": [(1, 10.0), (2, 11.5)], "INFY": [(1, 7.0)], "SBIN": []})

        assert marks.last_prices == {"TCS": 11.5, "INFY": 7.0}
