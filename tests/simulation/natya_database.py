"""The world's database: the real actor on real DuckDB files, worked inline; a power cut leaves what was durable."""

import contextlib
import functools
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from natya.actors.database import DatabaseActor, DuckDBAdapter
from natya.actors.runtime.simulation import InlineExecutor


class InlineDatabase(DatabaseActor):
    """Does every piece of work in the simulation's own thread; read out at its last stop."""

    executor_factory = staticmethod(lambda _name: InlineExecutor())
    files: "DatabaseFiles"

    def _on_open(self, opened):
        super()._on_open(opened)
        self.files.opened = opened.database

    def on_stop(self):
        self.files.stopped(self._files.database)
        super().on_stop()


class ReadModel(msgspec.Struct, frozen=True):
    """What is in the files when the world has ended."""

    sequence: int
    facts: tuple[tuple, ...]
    orders: dict[str, tuple]
    fills: tuple[tuple, ...]
    ticks: tuple[tuple, ...]
    recorded: dict[str, int]


@functools.cache
def migrated() -> tempfile.TemporaryDirectory:
    """Files as the migrations leave them, made once a process: a tenth of what a world would cost."""
    directory = tempfile.TemporaryDirectory(prefix="natya-migrated-")
    DuckDBAdapter(Path(directory.name, "natya.duckdb"), max_connections=3).close()
    return directory


@contextlib.contextmanager
def a_database() -> Iterator[DuckDBAdapter]:
    """A database in such files, which go with it: half of what one in memory costs, which is migrated each time."""
    with tempfile.TemporaryDirectory() as directory:
        shutil.copytree(migrated().name, directory, dirs_exist_ok=True)
        with DuckDBAdapter(Path(directory, "natya.duckdb"), max_connections=4) as database:
            yield database


class DatabaseFiles:
    """A directory for each life; the first begins with empty files."""

    def __init__(self, directory: Path):
        self._directory = directory
        self._lives = 0
        self.opened = None
        """The adapter that has the files open."""

        self.at_end = False
        """Nothing follows the next stop of the actor."""

        self.read_model: ReadModel | None = None
        shutil.copytree(migrated().name, self.path.parent)

    @property
    def path(self) -> Path:
        return self._directory / str(self._lives) / "natya.duckdb"

    def cut_power(self, *, lost: bool):
        """Go on with what is in the files at this moment: DuckDB syncs at every commit. Or without any file."""
        before = self.path.parent
        self._lives += 1
        if before.exists() and not lost:
            shutil.copytree(before, self.path.parent)
        self.close()

    def close(self):
        """Let go of the files; the adapter of a life that was cut off would hold them for ever."""
        if self.opened is not None:
            self.opened.close()
            self.opened = None

    def stopped(self, database: DuckDBAdapter):
        """Look at what it has come to, if this is the end."""
        if self.at_end:
            self.read_model = read_out(database)


def read_out(database: DuckDBAdapter) -> ReadModel:
    def rows(sql):
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
