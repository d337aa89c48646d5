"""Candles from a broker's chart: the valid ones, and how many rows were not. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..messages.market import Candle
from .instruments import without_noise
from .time import DAY_NS, SECOND_NS

if TYPE_CHECKING:
    from ..messages.history import ChartRead

SOURCE: Final = "charts"
"""Of candles that a broker has told."""


def candles_of(  # noqa: PLR0913  by keyword
    chart: ChartRead, *, symbol: str, interval_ns: int, since_ns: int, until_ns: int, is_index: bool = False
) -> tuple[tuple[Candle, ...], dict[str, int]]:
    """Make candles of a chart; return them, and how many rows were left out for which reason.

    Args:
        chart: as it was told.
        symbol: of the instrument.
        interval_ns: length of the candles.
        since_ns: nothing before it was asked for.
        until_ns: nor from it on; what has not ended by then is left out, too.
        is_index: nothing trades of it, so a day without volume is one.
    """
    found: list[Candle] = []
    left_out: dict[str, int] = {}
    rows = zip(chart.starts_s, chart.opens, chart.highs, chart.lows, chart.closes, chart.volumes, strict=True)
    for start_s, first, high, low, last, volume in rows:
        start_ns = start_s * SECOND_NS
        if not since_ns <= start_ns <= until_ns - interval_ns:
            reason = "outside of what was asked for"
        elif not 0 < low <= min(first, last) <= max(first, last) <= high:
            reason = "prices that contradict each other"
        elif interval_ns >= DAY_NS and not volume and not is_index:
            reason = "a day without a trade"  # for a day that is not over Dhan makes one up
        else:
            prices = {"open": first, "high": high, "low": low, "close": last}
            plain = {name: without_noise(price) for name, price in prices.items()}
            found.append(
                Candle(symbol=symbol, interval_ns=interval_ns, start_ns=start_ns, volume=volume, source=SOURCE, **plain)
            )
            continue
        left_out[reason] = left_out.get(reason, 0) + 1
    return tuple(found), left_out
