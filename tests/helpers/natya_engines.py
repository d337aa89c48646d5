"""Instances of DuckDB that are used again: to start one takes 30 ms of CPU, most of what it takes to open a database.

It is the real engine on real files, and all that opens and closes them is ours. What stays is DuckDB's own catalog of
functions. Not so for a test of what belongs to an instance: its settings, the folders that it may open (here all below
the temporary one), what becomes of a log. Such a test asks for `engine_of_its_own`, or its module not for `engines`.
"""

import contextlib
import tempfile
from pathlib import Path

import pytest

from natya.actors.database.engine import adapter, opening
from natya.actors.database.engine.opening import MEMORY, harden
from natya.actors.database.queries.reading import Readings

FILES = {"core", "market"}
NEW = {"memory"}
_ATTACHED = "select database_name from duckdb_databases() where not internal"
_MADE = """
select table_name from duckdb_tables() where not internal
union all select view_name from duckdb_views() where not internal
union all select function_name from duckdb_functions() where not internal
union all select sequence_name from duckdb_sequences()
union all select type_name from duckdb_types() where not internal
union all select schema_name from duckdb_schemas() where not internal and schema_name != 'main'
union all select name from duckdb_secrets()
"""


class Engines:
    """Lends an instance to one adapter at a time, and takes it back if nothing is left in it."""

    def __init__(self):
        self.new_instance, self.readings = opening.new_instance, adapter.Readings
        self.started = 0
        self.idle = {}

    def lend(self, core_path, *, memory_limit_mb, threads):
        """Return what stands for a connection to a new instance."""
        if has_log(core_path):  # a new one moves it into the file as it attaches that, one that is used again does not
            return self.new_instance(core_path, memory_limit_mb=memory_limit_mb, threads=threads)
        idle = self.idle.setdefault((memory_limit_mb, threads), [])
        instance = idle.pop() if idle else self._start(memory_limit_mb, threads)
        return Loan(self, idle, core_path, instance)

    def take_back(self, loan):
        """Keep the instance of an adapter that is closed; end one that is broken, or in which something is left.

        So one with a log in its files: to detach them would move it into them, whoever has written to them meanwhile.
        """
        with contextlib.suppress(opening.duckdb.Error):
            attached = {name for (name,) in loan.instance.execute(_ATTACHED).fetchall()}
            if attached <= FILES | NEW and not has_log(loan.core_path):
                for name in attached - NEW:
                    loan.instance.execute(f"detach {name}")
                loan.idle.append(loan.instance)
                return
        loan.instance.close()

    def end(self):
        """End all that are idle, and fail if anything was left in one, which the next adapter would have found."""
        left = []
        for idle in self.idle.values():
            while idle:
                with contextlib.closing(idle.pop()) as instance:
                    left += instance.execute(_MADE).fetchall()
        assert left == [], f"nothing wanted in an engine that is used again, found {left}"

    def _start(self, memory_limit_mb, threads):
        self.started += 1
        spill = str(Path(tempfile.gettempdir(), "natya-engine"))
        instance = self.new_instance(spill, memory_limit_mb=memory_limit_mb, threads=threads)
        instance.execute("pragma disable_checkpoint_on_shutdown")
        instance.execute("set allowed_configs = ['operator_memory_limit']")  # each adapter's connections have their own
        harden(instance, [tempfile.gettempdir()])
        return instance


class Loan:
    """A connection to an instance that is used again, for as long as one adapter has it."""

    def __init__(self, engines, idle, core_path, instance):
        self.idle, self.core_path, self.instance = idle, core_path, instance
        self._engines = engines

    def cursor(self):
        return self.instance.cursor()

    def execute(self, sql, *parameters):
        """Run a statement; the settings of an instance were made when it was started, and are locked."""
        return None if sql.startswith(("set ", "pragma ")) else self.instance.execute(sql, *parameters)

    def close(self):
        if self._engines is not None:
            self._engines.take_back(self)
            self._engines = None


def has_log(core_path):
    """Return whether there is a write-ahead log beside a core file."""
    return core_path != MEMORY and any(Path(core_path).parent.glob("*.wal"))


def without_macros(*, of_new_files):
    """Begin as with new files, in which nobody has defined a macro: to look for one takes 20 ms at the first query."""
    del of_new_files
    return Readings(of_new_files=True)


@pytest.fixture(scope="module")
def engines():
    """For a module whose databases are opened in instances that are used again, on files without a macro."""
    engines = Engines()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "new_instance", engines.lend)
        patch.setattr(adapter, "Readings", without_macros)
        yield engines
    engines.end()


@pytest.fixture
def engine_of_its_own(engines, monkeypatch):
    """For a test in such a module that is about an instance, or about a macro."""
    monkeypatch.setattr(opening, "new_instance", engines.new_instance)
    monkeypatch.setattr(adapter, "Readings", engines.readings)
