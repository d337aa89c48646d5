"""Another process writes to the files that we have open: we notice, write nothing more, and open them again."""

import contextlib
import os
import shutil
import textwrap

import pytest
from natya_starts import run_python

from natya.actors.database import DatabaseActor, DuckDBAdapter
from natya.actors.database.engine.foreign_writes import ForeignWrites
from natya.actors.database.errors import DatabaseChanged
from natya.actors.database.upkeep.copies import check
from natya.actors.database.writing.market import MarketStore
from natya.actors.runtime import InProcessSystem
from natya.config.sections.database import DatabaseSettings
from natya.messages.database import MarketDataSaved, Query, QueryFailed, SaveMarketData
from natya.messages.journal import JournalPage, ReadJournal

WRITE = """
import duckdb, sys
with duckdb.connect(sys.argv[1]) as stranger:
    stranger.execute(sys.argv[2])
"""


def drop_the_lock(path):
    """Do what drops DuckDB's locks: open a file, and close it, in the process that has it."""
    for each in (path, path.with_name(f"{path.name}.wal")):
        each.open("rb").close()


def write_as_another(path, sql):
    done = run_python(textwrap.dedent(WRITE), path, sql)
    assert done.returncode == 0, done.stderr[-700:]


@pytest.fixture
def market(path):
    return path.with_name("natya-market.duckdb")


def write_in(market):
    drop_the_lock(market)
    write_as_another(market, "create table theirs as select 42 as answer")


def checkpoint(market):
    """Open and close it: their DuckDB moves our log into the file, and deletes it."""
    drop_the_lock(market)
    write_as_another(market, "select 1")


def replace(market):
    shutil.copy(market, market.with_suffix(".copy"))
    market.with_suffix(".copy").rename(market)


def remove(market):
    market.unlink()


def remove_log(market):
    market.with_name(f"{market.name}.wal").unlink()


def truncate(market):
    os.truncate(market, market.stat().st_size - 4096)


HARMS = [write_in, checkpoint, replace, remove, remove_log, truncate]


class TestAFileThatChanged:
    @pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.__name__)
    def test_is_written_to_no_more_not_even_when_it_is_closed(self, database, market, build, harm):
        store = MarketStore(database)
        store.write(build.ticks(10))
        harm(market)
        before = {each: each.read_bytes() for each in (market, market.with_name(f"{market.name}.wal")) if each.exists()}

        with pytest.raises(DatabaseChanged, match="by another process"):
            store.write(build.ticks(10, start=11))
        with pytest.raises(DatabaseChanged):
            database.execute("create table more (a int)", file="market")
        with pytest.raises(DatabaseChanged), database.transaction(file="market"):
            pass
        database.close()
        for each, content in before.items():
            assert each.read_bytes() == content

    def test_has_what_was_written_before_and_by_the_other(self, database, market, path, build):
        store = MarketStore(database)
        store.write(build.ticks(10))
        write_in(market)
        with pytest.raises(DatabaseChanged):
            store.write(build.ticks(10, start=11))
        database.close()

        with DuckDBAdapter(path, max_connections=3) as again:
            written = MarketStore(again).write(build.ticks(20))
            assert (written.ticks, written.duplicates) == (10, 10)
            assert again.query("select answer from theirs").rows == ((42,),)
            assert check(again) == ()

    def test_of_the_other_file_does_not_count(self, database, path, build):
        database.execute("create table notes (text varchar)")
        drop_the_lock(path)
        write_as_another(path, "select 1")

        assert MarketStore(database).write(build.ticks(10)).ticks == 10
        with pytest.raises(DatabaseChanged, match=r"natya\.duckdb was changed"):
            database.execute("insert into notes values ('x')")
        database.close()


class TestOurOwnWork:
    def test_is_no_change(self, database, build):
        store = MarketStore(database)
        for number in range(8):
            store.write(build.ticks(4_000, start=1 + 4_000 * number, depth=build.depth()), [build.candle(number)])
            database.execute(f"create table notes_{number} as select range from range(50_000)")  # noqa: S608
            with database.transaction(file="market") as transaction:
                transaction.execute(f"create table marks_{number} as select range from range(50_000)")  # noqa: S608
            database.query("select count(*) from ticks join notes_0 on sequence = range")
            database.checkpoint()

        def fail():
            with database.transaction(file="market") as transaction:
                transaction.execute("insert into marks_0 select range from range(200_000)")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert database.query("select count(*) from ticks").rows == ((32_000,),)


@pytest.mark.usefixtures("impatient")
class TestTheActor:
    @pytest.mark.parametrize("harm", [write_in, checkpoint, remove_log], ids=lambda harm: harm.__name__)
    def test_opens_the_files_again_and_records_on(self, path, market, build, harm):
        settings = DatabaseSettings.default(
            path=str(path),
            max_connections=3,
            memory_limit_mb=96,
            threads=1,
            batch_rows_max=100,
            batch_wait_s=0.01,
        )
        with InProcessSystem() as system:
            journal = system.probe("journal")
            system.start("database", DatabaseActor, settings)

            def answer():
                assert isinstance(journal.receive(), ReadJournal)
                system.tell(journal.sender, JournalPage(records=(), last_sequence=0))

            answer()
            first = SaveMarketData(ticks=tuple(build.ticks(10)))
            assert system.request("database", first, timeout_s=10) == MarketDataSaved(rows=10)
            harm(market)
            saved = system.request_future("database", SaveMarketData(ticks=tuple(build.ticks(20))))
            answer()
            assert isinstance(saved.result(timeout=60), MarketDataSaved | QueryFailed)
            system.request("database", SaveMarketData(ticks=tuple(build.ticks(20))), timeout_s=10)
            rows = system.request("database", Query(sql="select count(*), max(sequence) from ticks"), timeout_s=10).rows
            system.stop("database")

        with DuckDBAdapter(path, max_connections=3) as again:
            ((count,),) = again.query("select count(*) from ticks").rows
        assert count == rows[0][0] == 20


class TestAWriteOfOurs:
    """It leaves the file larger, and never another: what it was written to may have been renamed or removed by then."""

    @pytest.fixture
    def file(self, tmp_path):
        path = tmp_path / "core.duckdb"
        path.write_bytes(b"ours")
        return path

    @pytest.mark.parametrize(
        ("between", "is_changed"),
        [("nothing", False), ("it grew", False), ("another", True), ("it went", True)],
    )
    def test_is_noted_of_the_file_that_was_there(self, file, between, is_changed):
        writes = ForeignWrites({"core": str(file), "market": ":memory:"})
        writes.note("core")
        if between == "it grew":
            file.write_bytes(b"ours, and more")
        elif between == "another":
            other = file.with_name("other")
            other.write_bytes(b"ours")
            other.rename(file)
        elif between == "it went":
            file.unlink()

        with pytest.raises(DatabaseChanged) if is_changed else contextlib.nullcontext():
            writes.note("core")
        assert writes.are_in("core") is is_changed, "it is still compared with the one that we worked on"

    def test_is_noted_of_no_file_that_comes_later(self, file):
        writes = ForeignWrites({"core": str(file)})
        file.rename(file.with_name("away"))
        writes.note("core")
        file.write_bytes(b"theirs")

        with pytest.raises(DatabaseChanged):
            writes.note("core")

    def test_in_memory_is_compared_with_nothing(self):
        writes = ForeignWrites({"core": ":memory:"})
        writes.note("core")
        writes.expect_none("core")

        assert not writes.are_in("core")
