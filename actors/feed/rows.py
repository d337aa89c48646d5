"""What the readers of both kinds of rows share: the symbol, the order of time, and their protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ...domain.instruments import SYMBOL_LENGTH_MAX, is_symbol
from .numbers import Memo

if TYPE_CHECKING:
    from .columns import Columns, Row
    from .source import MarketMessage


class RowReader(Protocol):
    """Turns rows, in the order of the file, into market messages."""

    def read(self, row: Row, messages: list[MarketMessage]) -> None:
        """Append what the row says, which may be nothing. The row has its `width` fields and an empty one behind them.

        Raises:
            ValueError: the row is broken; nothing was appended, and the reader is as it was before.
        """


class SymbolColumn:
    """The symbol of each row: its own, or that of the whole recording where there is no such column."""

    def __init__(self, columns: Columns, symbol: str) -> None:
        """Take the symbol for a recording that has no column for it.

        Raises:
            ValueError: neither is there.
        """
        if "symbol" not in columns and not symbol:
            raise ValueError("a column symbol, --symbol or the setting feed.symbol is wanted, found none")
        self._place = columns.at("symbol")
        # A row without the column shows its empty field, which stands for the recording's symbol.
        self._symbols = Memo(_symbol)
        if "symbol" not in columns:
            self._symbols[""] = _symbol(symbol)

    def of(self, row: Row) -> str:
        """Read the symbol.

        Raises:
            ValueError: it is empty, too long, or no text to print.
        """
        return self._symbols[row[self._place]]


def _symbol(text: str) -> str:
    symbol = text.strip()
    if not is_symbol(symbol):
        raise ValueError(f"a symbol of 1 to {SYMBOL_LENGTH_MAX} printable characters is wanted, found {text!r}")
    return symbol
