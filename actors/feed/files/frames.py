"""Prices as yfinance writes them: a column for each pair of price and ticker, told by two lines of names.

    Price,Close,High,Low,Open,Volume
    Ticker,INFY.NS,INFY.NS,INFY.NS,INFY.NS,INFY.NS
    Date,,,,,
    2024-01-01,1500.5,1510.0,1490.0,1495.0,10000

A row of such a file becomes one row for each ticker in it.
"""

from __future__ import annotations

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
_EXCHANGES: Final = {".NS": "", ".BO": "BSE:"}
"""What ends a ticker of Yahoo's, and how a symbol of that exchange begins here."""


class FlatFrame:
    """Rows of one ticker each: time, ticker, and its prices."""

    def __init__(self, table: FileTable, prices: Row, tickers: Row) -> None:
        """Take the table behind its two lines of names."""
        self._table = table
        self._width = len(prices)
        fields = list(dict.fromkeys(prices[1:]))
        places = {(ticker, price): place for place, (price, ticker) in enumerate(zip(prices, tickers, strict=True))}
        self._parts: Final = [
            (_symbol(ticker), [places.get((ticker, field), self._width) for field in fields])
            for ticker in dict.fromkeys(tickers[1:])
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
            if not any(row[1:]):
                continue  # the line that names the index
            row.append("")
            for symbol, places in self._parts:
                prices = [row[place] for place in places]
                if any(prices):
                    yield [row[0], symbol, *prices]

    def share(self) -> float:
        """Tell how much of the file is read: 0 to 1."""
        return self._table.share()


def flattened(table: FileTable) -> FileTable:
    """Return a table with one line of names; itself where it has that."""
    first = table.header
    if first is None or first[0] not in _NAMES:
        return table
    if first[0] == "Price" and not _PRICES.issuperset(first[1:]):
        return table
    if first[0] == "Ticker" and len(set(first)) == len(first):
        return table
    second = next(table.rows(), None)
    if second is None or len(second) != len(first) or {first[0], second[0]} != _NAMES:
        return table  # it has no column of times: its header is refused
    return FlatFrame(table, *((first, second) if first[0] == "Price" else (second, first)))


def _symbol(ticker: str) -> str:
    for suffix, prefix in _EXCHANGES.items():
        if ticker.endswith(suffix):
            return prefix + ticker.removesuffix(suffix)
    return ticker
