"""Prices as yfinance writes them: a column for each pair of price and ticker, told by two lines of names.

    Price,Close,High,Low,Open,Volume
    Ticker,INFY.NS,INFY.NS,INFY.NS,INFY.NS,INFY.NS
    Date,,,,,
    2024-01-01,1500.5,1510.0,1490.0,1495.0,10000

A row of such a file becomes one row for each ticker in it. In Parquet the pairs are the names of its columns, as Python
writes them: `('Close', 'INFY.NS')`; the times stand behind them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..columns import Row
    from .table import FileTable

_NAMES: Final = frozenset({"Price", "Ticker"})
"""First fields of the two lines of names, in either order."""

_PRICES: Final = frozenset(
    {"Open", "High", "Low", "Close", "Adj Close", "Volume", "Dividends", "Stock Splits", "Capital Gains", "Repaired?"}
)
_PAIR: Final = re.compile(r"\('([^']+)', '([^']+)'\)")
_TIMES: Final = frozenset({"Date", "Datetime"})
"""How yfinance calls the index of days, and that of other intervals."""


class FlatFrame:
    """Rows of one ticker each: time, ticker, and its prices."""

    def __init__(self, table: FileTable, prices: Row, tickers: Row, *, time_at: int = 0) -> None:
        """Take the table behind its names, and where its times stand."""
        self._table = table
        self._width = len(prices)
        self._time_at = time_at
        pairs = [pair for place, pair in enumerate(zip(tickers, prices, strict=True)) if place != time_at]
        fields = list(dict.fromkeys(price for _, price in pairs))
        places = {pair: place for place, pair in enumerate(zip(tickers, prices, strict=True)) if place != time_at}
        self._parts: Final = [
            (ticker, [places.get((ticker, field), self._width) for field in fields])
            for ticker in dict.fromkeys(ticker for ticker, _ in pairs)
        ]
        self.header: Row | None = ["Date", "Ticker", *fields]
        self.written: Final = replace(table.written, layout="yfinance")

    @property
    def line_num(self) -> int:
        """Where the row that was read last ends in the file, from 1."""
        return self._table.line_num

    def rows(self) -> Iterator[Row]:
        """Give the rows, without those of a ticker that has no price in them; one that is not whole as it is."""
        for row in self._table.rows():
            if len(row) != self._width:
                yield row
                continue
            time = row[self._time_at]
            if not any(row[: self._time_at]) and not any(row[self._time_at + 1 :]):
                continue  # the line that names the index
            row.append("")
            for symbol, places in self._parts:
                prices = [row[place] for place in places]
                if any(prices):
                    yield [time, symbol, *prices]

    def share(self) -> float:
        """Tell how much of the file is read: 0 to 1."""
        return self._table.share()


def flattened(table: FileTable) -> FileTable:
    """Return a table with one line of names; itself where it has that."""
    first = table.header or []
    pairs = [pair for pair in map(_pair_of, first) if pair is not None]
    if pairs and first[-1] in _TIMES and len(pairs) == len(first) - 1:
        prices, tickers = zip(*pairs, (first[-1], first[-1]), strict=True)
        return FlatFrame(table, list(prices), list(tickers), time_at=len(pairs))
    if not _NAMES.intersection(first[:1]):
        return table
    if first[0] == "Price" and not _PRICES.issuperset(first[1:]):
        return table
    if first[0] == "Ticker" and len(set(first)) == len(first):
        return table
    second = next(table.rows(), None)
    if second is None or len(second) != len(first) or {first[0], second[0]} != _NAMES:
        return table  # it has no column of times: its header is refused
    return FlatFrame(table, *((first, second) if first[0] == "Price" else (second, first)))


def _pair_of(name: str) -> tuple[str, str] | None:
    """Read price and ticker out of the name of a column, in either order; None where it has no such pair."""
    match = _PAIR.fullmatch(name)
    if match is None:
        return None
    first, second = match.groups()
    return (first, second) if first in _PRICES else (second, first) if second in _PRICES else None
