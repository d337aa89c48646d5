"""Where the outcomes of a sweep are kept, so that it goes on where it ended: JSON lines, or a table of DuckDB.

    select parameters->>'fast' as fast, sharpe, net_rupees from outcomes order by sharpe desc

is of a file `kept.duckdb`; of lines it is `from 'kept.jsonl'`. Each outcome is there when its test is done.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from ...actors.database import DatabaseError, TableFile
from ..errors import BacktestRefusedError
from .outcomes import Outcome

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

TABLE: Final = "outcomes"
DUCKDB: Final = ".duckdb"
JSON: Final = "JSON"
LINE_BEGINS: Final = b'{"key":"'
COLUMNS: Final = {"str": "VARCHAR", "int": "BIGINT", "float": "DOUBLE"}
"""Types of columns, by those of fields."""


class OutcomeFile(Protocol):
    """A file of outcomes."""

    path: Path

    def read(self) -> list[Outcome]:
        """Return those of earlier tests.

        Raises:
            BacktestRefusedError: the file holds something else, or cannot be read.
        """
        ...

    def opened(self) -> AbstractContextManager[None]:
        """Keep the file open for `add` during the block."""
        ...

    def add(self, outcome: Outcome) -> None:
        """Write an outcome."""
        ...


class LineFile:
    """JSON lines."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self.path = path

    def read(self) -> list[Outcome]:
        """As `OutcomeFile`; a last line that was cut off is left out, and tested again."""
        found: list[Outcome] = []
        lines = self.path.read_bytes().splitlines(keepends=True) if self.path.exists() else []
        cut_off = lines.pop() if lines and _is_cut_off(lines[-1]) else b""
        for number, line in enumerate(lines, start=1):
            try:
                found.append(msgspec.json.decode(line, type=Outcome))
            except msgspec.DecodeError as fault:
                raise BacktestRefusedError(f"outcomes wanted, found in {self.path}, line {number}: {fault}") from fault
        if cut_off:
            with self.path.open("r+b") as file:
                file.truncate(sum(map(len, lines)))
        return found

    def opened(self) -> AbstractContextManager[None]:
        """Return at once: each line is appended by itself."""
        return contextlib.nullcontext()

    def add(self, outcome: Outcome) -> None:
        """Append a line."""
        with self.path.open("ab") as file:
            file.write(msgspec.json.encode(outcome) + b"\n")


def _is_cut_off(line: bytes) -> bool:
    """Tell whether a line is one of ours without its end, which may be all that is missing; no other is dropped."""
    return not line.endswith(b"\n") and line.startswith(LINE_BEGINS[: len(line)])


class OutcomeTable:
    """The table `outcomes` of a DuckDB file, a column a field; what is neither text nor number is JSON."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self.path = path
        kinds = {name: kind.removesuffix(" | None") for name, kind in Outcome.__annotations__.items()}
        self._columns: Final = {name: COLUMNS.get(kind, JSON) for name, kind in kinds.items()}
        self._file: Final = TableFile(path, TABLE, self._columns)

    def read(self) -> list[Outcome]:
        """As `OutcomeFile`."""
        if not self.path.exists():
            return []
        try:
            with self._file.opened():
                rows = self._file.rows()
            return [
                msgspec.convert({name: self._read(name, each) for name, each in row.items()}, Outcome) for row in rows
            ]
        except (DatabaseError, msgspec.MsgspecError) as fault:
            raise BacktestRefusedError(f"outcomes wanted: {fault}") from fault

    def opened(self) -> AbstractContextManager[None]:
        """Hold the file, which no other process can open meanwhile."""
        return self._file.opened()

    def add(self, outcome: Outcome) -> None:
        """Write a row."""
        fields = msgspec.structs.asdict(outcome)
        self._file.add({name: self._written(name, value) for name, value in fields.items()})

    def _written(self, name: str, value: Any) -> Any:
        return msgspec.json.encode(value).decode() if self._columns[name] == JSON else value

    def _read(self, name: str, value: Any) -> Any:
        return msgspec.json.decode(value) if self._columns[name] == JSON else value


class Kept:
    """The outcomes in a file, by key; without a file they are forgotten at the end."""

    def __init__(self, path: Path | None) -> None:
        """Read what there is.

        Raises:
            BacktestRefusedError: the file holds something else.
        """
        self._file: Final = None if path is None else file_of(path)
        self._used: Final[set[str]] = set()
        earlier = [] if self._file is None else self._file.read()
        self._found: Final = {outcome.key: outcome for outcome in earlier}
        self._earlier: Final = frozenset(self._found)

    @property
    def path(self) -> Path | None:
        """The file."""
        return None if self._file is None else self._file.path

    @property
    def used(self) -> int:
        """How many earlier outcomes were asked for."""
        return len(self._used)

    def get(self, key: str) -> Outcome | None:
        """Return the outcome of an earlier test."""
        if key in self._earlier:
            self._used.add(key)
        return self._found.get(key)

    def opened(self) -> AbstractContextManager[None]:
        """Keep the file open for `add` during the block."""
        return contextlib.nullcontext() if self._file is None else self._file.opened()

    def add(self, outcome: Outcome, *, lasts: bool = True) -> None:
        """Keep an outcome; in the file only if `lasts`: its data or code may have changed during the test."""
        self._found[outcome.key] = outcome
        if self._file is not None and lasts:
            self._file.add(outcome)


def file_of(path: Path) -> OutcomeFile:
    """Return the file of that name: a table where it ends with `.duckdb`, else lines."""
    return OutcomeTable(path) if path.suffix == DUCKDB else LineFile(path)
