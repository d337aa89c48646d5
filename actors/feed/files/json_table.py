"""JSON as a table, as brokers answer it: arrays side by side, rows in an array, or an object a row.

{"timestamp": [1735530300, …], "open": [1490.0, …], …}                      Dhan's charts
{"data": {"candles": [["2024-12-30T09:15:00+05:30", 1490.0, …], …]}}         Kite, Upstox, Angel One
[{"date": "2024-12-30", "open": 1490.0, …}, …]                               frames of pandas
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from .packing import PackingError
from .text import Written, encoding_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from io import BufferedReader

    from ..columns import Row
    from .packing import Packing

JSON_BYTES_MAX: Final = 64 << 20
"""An answer is held in memory whole; Dhan's largest has ninety days of minutes in 2 MB."""

_CANDLE: Final = ("timestamp", "open", "high", "low", "close", "volume", "open_interest")
_WRAPPERS: Final = ("data", "candles", "result")
_DEPTH_MAX: Final = 5


class JsonTable:
    """An answer in JSON. Its rows are counted from 1, since all of it may be one line."""

    def __init__(self, plain: BufferedReader, packing: Packing, head: bytes) -> None:
        """Read all of it.

        Raises:
            PackingError: it is too long, no JSON, or of no known shape.
        """
        encoding = encoding_of(head)
        content = plain.read(JSON_BYTES_MAX + 1)
        if len(content) > JSON_BYTES_MAX:
            raise PackingError(f"JSON of more than {JSON_BYTES_MAX >> 20} MB")
        try:
            found = msgspec.json.decode(content.decode(encoding).encode())
        except (ValueError, RecursionError) as fault:
            raise PackingError(f"no whole JSON: {fault}") from fault
        self.line_num = 0
        """The row that was read last, from 1."""

        self.header: Row | None
        self.header, self._rows = _table_of(found)
        self.written: Final = Written(kind="JSON", packing=packing, encoding=encoding)

    def rows(self) -> Iterator[Row]:
        """Give the rows."""
        for row in self._rows:
            self.line_num += 1
            yield [_text(value) for value in row]

    def share(self) -> float:
        """Tell how much is read: 0 to 1."""
        return self.line_num / len(self._rows)


def _table_of(found: Any) -> tuple[Row, Sequence[Sequence[Any]]]:
    """Find the header and the rows in an answer, whatever wraps them.

    Raises:
        PackingError: it has no rows.
    """
    for _ in range(_DEPTH_MAX):
        if isinstance(found, dict):
            arrays = {name: value for name, value in found.items() if isinstance(value, list)}
            if len(arrays) > 1 and (lengths := {len(value) for value in arrays.values() if value}):
                if len(lengths) > 1:
                    shown = ", ".join(f"{name} ({len(value)})" for name, value in arrays.items())
                    raise PackingError(f"arrays of different lengths: {shown}")
                arrays = {name: value for name, value in arrays.items() if value}
                return list(arrays), list(zip(*arrays.values(), strict=True))
            found = next((found[name] for name in _WRAPPERS if name in found), None)
        elif isinstance(found, list) and any(found) and all(isinstance(row, dict) for row in found):
            return _of_objects(found)
        elif isinstance(found, list) and any(found) and all(isinstance(row, list) for row in found):
            width = len(next(filter(None, found)))
            return list(_CANDLE[:width]), found
    raise PackingError(
        "JSON without rows: arrays side by side, an array of rows, or an array of objects are read, wrapped in "
        f"{', '.join(_WRAPPERS)} or in nothing"
    )


def _of_objects(found: Sequence[Mapping[str, Any]]) -> tuple[Row, Sequence[Sequence[Any]]]:
    names = list(dict.fromkeys(name for row in found for name in row))
    return names, [[row.get(name) for name in names] for row in found]


def _text(value: Any) -> str:
    """Write a value as CSV has it."""
    if value is None:
        return ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
