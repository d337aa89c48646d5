"""The database of a simulation: the real actor on real files, worked inline; a power cut leaves what was durable."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from ..actors.database import DatabaseActor, DuckDBAdapter
from ..actors.runtime.simulation import InlineExecutor

if TYPE_CHECKING:
    from concurrent.futures import Executor


class ReadModel(msgspec.Struct, frozen=True):
    """What is in the files when the simulation has ended."""

    sequence: int
    facts: tuple[tuple[Any, ...], ...]
    orders: dict[str, tuple[Any, ...]]
    fills: tuple[tuple[Any, ...], ...]
    ticks: tuple[tuple[Any, ...], ...]
    recorded: dict[str, int]


@functools.cache
def migrated() -> dict[str, bytes]:
    """Return files as the migrations leave them, made once a process: a tenth of what a simulation would cost.

    In memory: of a folder a process that ends without Python's exit, as those of a pool do, would leave one behind.
    """
    with tempfile.TemporaryDirectory(prefix="natya-migrated-") as directory:
        DuckDBAdapter(Path(directory, "natya.duckdb"), max_connections=3).close()
        return {path.name: path.read_bytes() for path in Path(directory).iterdir()}


def put_migrated(folder: Path) -> Path:
    """Write these files into a folder, which is made if it is not there; return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in migrated().items():
        (folder / name).touch(mode=0o600)
        (folder / name).write_bytes(content)
    return folder


class DatabaseFiles:
    """A directory for each life; the first begins with empty files."""

    def __init__(self, directory: Path) -> None:
        """Make the files of the first life below this directory."""
        self._directory: Final = directory
        self._lives = 0
        self.opened: DuckDBAdapter | None = None
        """The adapter that has the files open."""

        self.at_end = False
        """Nothing follows the next stop of the actor."""

        self.read_model: ReadModel | None = None
        put_migrated(self.path.parent)

    @property
    def path(self) -> Path:
        """The core file of this life."""
        return self._directory / str(self._lives) / "natya.duckdb"

    @property
    def halt(self) -> Path:
        """Where nobody halts the system."""
        return self._directory / "HALT"

    def cut_power(self, *, lost: bool) -> None:
        """Go on with what is in the files at this moment: DuckDB syncs at every commit. Or without any file."""
        before = self.path.parent
        self._lives += 1
        if before.exists() and not lost:
            shutil.copytree(before, self.path.parent)
        self.close()

    def close(self) -> None:
        """Let go of the files; the adapter of a life that was cut off would hold them for ever."""
        if self.opened is not None:
            self.opened.close()
            self.opened = None

    def stopped(self, database: DuckDBAdapter) -> None:
        """Look at what it has come to, if this is the end."""
        if self.at_end:
            self.read_model = read_out(database)


def _inline(name: str) -> Executor:
    del name
    return InlineExecutor()


class InlineDatabase(DatabaseActor):
    """Does every piece of work in the simulation's own thread; read out at its last stop."""

    executor_factory = staticmethod(_inline)
    files: ClassVar[DatabaseFiles]

    def _on_open(self, opened: Any) -> None:
        super()._on_open(opened)
        self.files.opened = opened.database

    def on_stop(self) -> None:
        """Read it out, and close it."""
        if self._files.database is not None:
            self.files.stopped(self._files.database)
        super().on_stop()


def read_out(database: DuckDBAdapter) -> ReadModel:
    """Read everything that the invariants are about."""

    def rows(sql: str) -> Any:
        return database.query(sql).rows

    return ReadModel(
        sequence=rows("select sequence from core.projection")[0][0],
        facts=rows("select sequence, recorded_ns, correlation_id, fact_type from core.facts order by sequence"),
        orders={
            client_order_id: tuple(others)
            for client_order_id, *others in rows(
                "select client_order_id, state, filled_quantity from core.orders where state != 'REFUSED'"
            )
        },
        fills=rows("select client_order_id, trade_id, quantity, price, sequence from core.fills"),
        ticks=rows("select source, sequence from market.ticks"),
        recorded=dict(rows("select source, sequence from market.recorded")),
    )
