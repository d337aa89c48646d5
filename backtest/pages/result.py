"""The page of one backtest: its figures as HTML, and the data that its charts and its table are drawn from (pure)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...domain.wording import counted
from ..figures.measures import drawdowns
from ..figures.shown import PART_HEAD, amounts_shown, headline, left_shown, measures_shown, parts_shown
from .asked import asked
from .document import CANDLES, UPLOT, document, escaped
from .parts import assumed, card, named_list, notes, quiet, scrolled, table
from .thinning import extremes, joined

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from ...messages.orders import OrderFilled
    from ..figures.curve import Curve, Marks
    from ..figures.report import Figures, Played, Report
    from ..figures.shown import Named
    from ..figures.trades import Trade
    from ..plan import Plan
    from .thinning import Joined

BARS_MAX: Final = 16_000
"""Bars of all price charts together; each chart has at least `BARS_OF_ONE_MIN`."""

BARS_OF_ONE_MIN: Final = 400
CHARTS_MAX: Final = 40
"""Symbols with a chart: those with the most fills."""

STRETCHES_MAX: Final = 2_500
"""Stretches of the curves: as many as a wide screen has pixels."""

TRADES_MAX: Final = 20_000
"""Trades in the table: the newest."""

MS_NS: Final = 1_000_000


def page_of(plan: Plan, figures: Figures, played: Played) -> str:
    """Return the page."""
    report = figures.report
    charts = [*charts_of(played.marks, played.fills)]
    data = {
        "symbols": charts,
        "curve": curve_data(figures.curve, played.capital_rupees),
        "trades": trades_data(figures.trades[-TRADES_MAX:]),
    }
    body = "\n".join([*_head(report), "<main>", *_cards(plan, figures, charts), "</main>"])
    return document(title=f"{report.strategy}: backtest", body=body, data=data, libraries=(UPLOT, CANDLES))


def charts_of(marks: Marks, fills: Sequence[OrderFilled]) -> Iterator[dict[str, Any]]:
    """Yield the bars and fills of each symbol that has a chart, the most traded first."""
    traded = Counter(fill.symbol for fill in fills)
    names = sorted(marks.bars, key=lambda name: (-traded[name], name))[:CHARTS_MAX]
    bars_max = max(BARS_OF_ONE_MIN, BARS_MAX // max(1, len(names)))
    by_symbol: dict[str, list[OrderFilled]] = {}
    for fill in fills:
        by_symbol.setdefault(fill.symbol, []).append(fill)
    for name in names:
        bars = joined(marks.bars[name], bars_max)
        yield {
            "name": name,
            "all": len(marks.bars[name].times),
            "joined": bars.joined,
            "seconds": differences(bars.seconds),
            "opens": bars.opens.tolist(),
            "highs": bars.highs.tolist(),
            "lows": bars.lows.tolist(),
            "closes": bars.closes.tolist(),
            "fills": fills_at(bars, by_symbol.get(name, ())),
        }


def fills_at(bars: Joined, fills: Iterable[OrderFilled]) -> list[tuple[int, int, int, float]]:
    """Return what was bought (1) and what was sold (-1) within each bar: its place, side, shares and average price."""
    fills = list(fills)
    ends_ns = np.array([fill.occurred_ns for fill in fills], np.int64)
    places = np.minimum(np.searchsorted(bars.ends_ns, ends_ns), len(bars.ends_ns) - 1)
    found: dict[tuple[int, int], list[float]] = {}
    for place, fill in zip(places.tolist(), fills, strict=True):
        sums = found.setdefault((place, 1 if fill.side == "BUY" else -1), [0, 0.0])
        sums[0] += fill.quantity
        sums[1] += fill.quantity * fill.price
    return [
        (place, side, int(quantity), round(value / quantity, 4)) for (place, side), (quantity, value) in found.items()
    ]


def curve_data(curve: Curve, capital_rupees: float) -> dict[str, Any]:
    """Return the curve of the account and of its drawdown, with every extreme."""
    fallen = drawdowns(curve.equity, capital_rupees)
    places = extremes([curve.equity, fallen], STRETCHES_MAX) if len(curve.equity) else np.zeros(0, np.int64)
    return {
        "all": len(curve.equity),
        "milliseconds": differences(curve.times_ns[places] // MS_NS),
        "equity": np.round(curve.equity[places], 2).tolist(),
        "drawdown": np.round(fallen[places], 6).tolist(),
        "capital": capital_rupees,
    }


def trades_data(trades: Sequence[Trade]) -> dict[str, Any]:
    """Return trades as columns; rupees to the paisa, prices to a hundredth of one."""
    names = sorted({trade.symbol for trade in trades})
    places = {name: place for place, name in enumerate(names)}
    entries = np.array([trade.entry_ns for trade in trades], np.int64)
    # An open trade has no exit: its entry stands in that place, and its price is missing.
    exits = np.array([trade.entry_ns if trade.exit_ns is None else trade.exit_ns for trade in trades], np.int64)
    return {
        "symbols": names,
        "symbol": [places[trade.symbol] for trade in trades],
        "side": [1 if trade.direction == "LONG" else -1 for trade in trades],
        "quantity": [trade.quantity for trade in trades],
        "entry": differences(entries // MS_NS),
        "entry_price": [round(float(trade.entry_price), 4) for trade in trades],
        "exit": differences(exits // MS_NS),
        "exit_price": [None if trade.exit_price is None else round(float(trade.exit_price), 4) for trade in trades],
        "profit": [round(float(trade.profit), 2) for trade in trades],
        "charges": [round(float(trade.charges), 2) for trade in trades],
        "net": [round(float(trade.net), 2) for trade in trades],
    }


def differences(column: np.ndarray[Any, Any]) -> list[int]:
    """Return the first value, and each further one as what is added to the one before: half as many characters."""
    found: list[int] = np.diff(column, prepend=0).tolist() if len(column) else []
    return found


def _head(report: Report) -> Iterator[str]:
    first, *more = headline(report)
    yield f"<header><h1>{escaped(first)}</h1>"
    yield from (f'<span class="quiet">{escaped(each)}</span>' for each in more)
    yield "</header>"


def _cards(plan: Plan, figures: Figures, charts: Sequence[dict[str, Any]]) -> Iterator[str]:
    report = figures.report
    yield from notes(report.notes)
    yield card("Figures", [named_list(_named(report)), *map(quiet, left_shown(report))], kind="wide figures")
    yield card("Price and fills", _price(report, charts), kind="wide")
    yield card("Equity", _curve(figures.curve, "equity", "The account at each mark and fill, in rupees, after charges"))
    yield card("Drawdown", _curve(figures.curve, "drawdown", "How far the account is below its highest value before"))
    yield card("Trades", _trades(figures.trades), kind="wide")
    yield _parts("Months", "month", parts_shown(report.months))
    yield _parts("Symbols", "symbol", parts_shown(report.by_symbol))
    yield card("Settings", [table(("setting", "value"), asked(plan))])
    yield assumed()


def _named(report: Report) -> Iterator[Named]:
    for rows in (measures_shown(report), amounts_shown(report)):
        for side in zip(*rows, strict=True):
            yield from side


def _price(report: Report, charts: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield '<p class="row"><label>Symbol <select id="symbol"></select></label> <span id="at" class="quiet"></span></p>'
    yield '<div id="price" class="chart tall" role="figure" aria-label="Candles with the fills of the test"></div>'
    yield quiet(
        "Times are of India, and of the end of each candle. An arrow up is what was bought within it, one down what "
        "was sold, each at the average price."
    )
    yield '<p class="quiet" id="joined"></p>'
    left_out = len(report.symbols) - len(charts)
    if left_out:
        yield quiet(
            f"{counted(left_out, 'symbol')} of {len(report.symbols):,} without a chart: those with the most fills have "
            "one. The figures and the table are of all."
        )


def _curve(curve: Curve, name: str, said: str) -> Iterator[str]:
    yield f'<div id="{name}" class="curve" role="img" aria-label="{said}"></div>'
    yield quiet(f"{said}.")
    if len(curve.equity) > 2 * STRETCHES_MAX:
        yield quiet(
            f"Of {len(curve.equity):,} values the picture has the highest and the lowest of each of "
            f"{STRETCHES_MAX:,} stretches: no extreme is left out."
        )


def _trades(trades: Sequence[Trade]) -> Iterator[str]:
    if len(trades) > TRADES_MAX:
        yield quiet(
            f"The newest {TRADES_MAX:,} of {len(trades):,}; the figures above are of all. All of them: "
            'result.table("trades").'
        )
    yield scrolled("Trades", '<table id="trades"><thead></thead><tbody></tbody></table>')
    yield '<p class="row" id="pager"></p>'


def _parts(title: str, kind: str, rows: Iterable[Sequence[str]]) -> str:
    shown = table((kind, *PART_HEAD), rows, numbers_from=1)
    return card(title, [scrolled(title, shown)])
