"""What all trades came to is the same however it is added up: by trade, by month, by symbol, and along the curve."""

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from natya.backtest.figures.charging import MODELS
from natya.backtest.figures.curve import Bars, Marks
from natya.backtest.figures.report import Played, figures_of
from natya.domain.time import DAY_NS
from natya.messages.orders import OrderFilled

BEGIN_NS = int(datetime(2026, 1, 28, 4, 0, tzinfo=UTC).timestamp()) * 10**9
"""9:30 in India, days before the end of a month."""

HOUR_NS = 3_600 * 10**9
SYMBOLS = ("INFY", "TCS")

some_fills = st.lists(
    st.tuples(
        st.integers(1, 5 * HOUR_NS),
        st.sampled_from(SYMBOLS),
        st.sampled_from(["BUY", "SELL"]),
        st.integers(1, 30),
        st.integers(200_00, 2_000_00),
        st.booleans(),
    ),
    max_size=25,
)


THREE_SHARES = [
    (1, "TCS", "BUY", 3, 1_000_00, False),
    (2, "TCS", "SELL", 1, 1_001_05, True),
    (2, "TCS", "SELL", 2, 999_95, True),
]
"""Charges that are not divisible by the shares."""


def fills_of(drawn, last_paise):
    """Return the fills of what was drawn, one or several a day, and of what closes the rest; and the last day."""
    rows, held, day, before_ns = [], dict.fromkeys(SYMBOLS, 0), 0, 0
    for within_ns, symbol, side, quantity, paise, is_next_day in drawn:
        day, before_ns = (day + 1, 0) if is_next_day else (day, before_ns)
        before_ns = max(before_ns, within_ns)
        held[symbol] += quantity if side == "BUY" else -quantity
        rows.append((BEGIN_NS + day * DAY_NS + before_ns, symbol, side, quantity, paise))
    end_ns = BEGIN_NS + day * DAY_NS + 5 * HOUR_NS
    rows += [
        (end_ns, symbol, "SELL" if quantity > 0 else "BUY", abs(quantity), last_paise)
        for symbol, quantity in held.items()
        if quantity
    ]
    fills = [
        OrderFilled(client_order_id=f"o{number}", trade_id=f"t{number}", strategy="s", symbol=symbol, side=side,
                    quantity=quantity, price=paise / 100, cumulative_quantity=quantity, occurred_ns=at_ns)
        for number, (at_ns, symbol, side, quantity, paise) in enumerate(rows)
    ]  # fmt: skip
    return fills, day


def played(drawn, *, model, last_paise):
    """Return what a backtest left that traded so."""
    fills, day = fills_of(drawn, last_paise)
    bars = {}
    for symbol in SYMBOLS:
        bars[symbol] = Bars()
        for each in range(day + 1):
            bars[symbol].add(BEGIN_NS + each * DAY_NS + 6 * HOUR_NS, 9.0, 9.0, 9.0, 9.0)
    return Played(
        strategy="s", fills=tuple(fills), marks=Marks(bars), ticks=0, candles=0, orders=len(fills), refused={},
        rejected=0, capital_rupees=1_000_000.0, charge_model=model, latency_s=0.02,
    )  # fmt: skip


@given(some_fills, st.sampled_from(sorted(MODELS)), st.integers(200_00, 2_000_00))
@example(THREE_SHARES, "dhan-equity-intraday", 1_000_00)
def test_the_whole_is_the_sum_of_its_trades_months_and_symbols_and_the_way_of_the_curve(drawn, model, last_paise):
    raw = played(drawn, model=model, last_paise=last_paise)
    figures = figures_of(raw)
    report, equity = figures.report, figures.curve.equity

    assert report.positions == {}
    assert report.open_trades == 0
    assert report.net_rupees == sum((trade.net for trade in figures.trades), Decimal(0))
    for parts in (report.months, report.by_symbol):
        assert sum((part.net_rupees for part in parts), Decimal(0)) == report.net_rupees
        assert sum((part.profit_rupees for part in parts), Decimal(0)) == report.profit_rupees
        assert sum((part.charges_rupees for part in parts), Decimal(0)) == report.charges_rupees
        assert sum(part.trades for part in parts) == report.trades
    assert np.isclose(equity[-1] - raw.capital_rupees, float(report.net_rupees), rtol=0, atol=1e-6)
    assert report.final_rupees == Decimal(1_000_000) + report.net_rupees
    grown = np.prod([1.0 + part.return_ for part in report.months])
    assert np.isclose(grown - 1.0, report.total_return, rtol=0, atol=1e-9)
