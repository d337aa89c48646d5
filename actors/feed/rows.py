"""What the readers of ticks and of candles share: their protocol, the symbol, the order of time."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Protocol

from ...domain.instruments import SYMBOL_LENGTH_MAX, is_symbol, series_suffix, symbol_without_exchange
from .numbers import Memo

if TYPE_CHECKING:
    from ...messages.market import MarketMessage
    from .columns import Columns, Row


_NO_PRICE: Final = re.compile(r"|-|nan|0+([.,]0*)?", re.IGNORECASE)


RENAMED_TOLD_MAX: Final = 3


class RowReader(Protocol):
    """Turns rows, in the order of the file, into market messages."""

    def read(self, row: Row, messages: list[MarketMessage]) -> None:
        """Append the messages of the row, perhaps none. The row has `width` fields and an empty one after them.

        Raises:
            ValueError: the row is broken; nothing was appended, and the reader is as it was before.
        """

    def finish(self, messages: list[MarketMessage]) -> None:
        """Append what is still buffered, after the last row."""


class SymbolColumn:
    """The symbol of each row: that of its column, or the one in the settings where it has none.

    The series of NSE's own files belongs to it where that is none of shares, as in the broker's list of instruments.
    """

    def __init__(self, columns: Columns, symbol: str) -> None:
        """Take the symbol for a recording that has no column for it, or not in every row.

        Raises:
            ValueError: neither is there.
        """
        self._has_column = "symbol" in columns
        if not self._has_column and not symbol:
            raise ValueError("a column symbol, or one symbol for it is wanted, found none: --symbol, or SYMBOL=FILE")
        self._place = columns.at("symbol")
        self._series_at = columns.at("series") if self._has_column else columns.width
        self.renamed: Final[dict[str, str]] = {}
        """Symbols that are written with their exchange, and as they are read: the first ones."""

        self._given = _symbol(symbol) if symbol else ""
        self._symbols = Memo(self._read)
        # A row without the column reads as an empty field, which means the symbol in the settings.
        self._suffixes = Memo(_suffix)

    def of(self, row: Row) -> str:
        """Read the symbol.

        Raises:
            ValueError: it is empty and the settings give none, or it is too long or not printable.
        """
        return self._symbols[row[self._place]] + self._suffixes[row[self._series_at]]

    def is_missing(self, row: Row) -> bool:
        """Return whether the row names no symbol of its own."""
        return not row[self._place].strip()

    def notes(self) -> tuple[str, ...]:
        """Return a note of symbols that were read otherwise than they are written, if any were."""
        told = [f"{written} is {symbol}" for written, symbol in self.renamed.items()]
        if len(told) > RENAMED_TOLD_MAX:
            told[RENAMED_TOLD_MAX:] = ["…"]
        return (f"symbols are read without their exchange: {', '.join(told)}",) if told else ()

    def _read(self, text: str) -> str:
        if not text.strip() and self._given:
            return self._given
        written = _symbol(text)
        symbol = symbol_without_exchange(written)
        if symbol != written and len(self.renamed) <= RENAMED_TOLD_MAX:
            self.renamed[written] = symbol
        return symbol


def is_untraded(row: Row, columns: Columns) -> bool:
    """Return whether a row of candles has neither open, high nor low: there was no trade, but exchanges list it."""
    if columns.shape != "candles":
        return False
    return all(_NO_PRICE.fullmatch(row[columns.at(field)].strip()) for field in ("open", "high", "low"))


def _symbol(text: str) -> str:
    symbol = text.strip()
    if not is_symbol(symbol):
        raise ValueError(f"a symbol of 1 to {SYMBOL_LENGTH_MAX} printable characters is wanted, found {text!r}")
    return symbol


def _suffix(series: str) -> str:
    suffix = series_suffix(series.strip())
    return f"-{_symbol(suffix[1:])}" if suffix else ""
