"""What others may ask of the files, and what comes of it."""

import shutil
import stat
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import duckdb
import pytest

from natya.actors.database import DuckDBAdapter, QueryResult
from natya.actors.database.errors import (
    DatabaseError,
    QueryRefused,
    QueryTimedOut,
    ResultTooLarge,
    StatementFailed,
)
from natya.actors.database.requests.handler import HANDED_OVER_MAX, SPACE_LEFT_BYTES, RequestHandler
from natya.actors.database.tables.moments import start_ns
from natya.actors.database.upkeep.folders import Folders
from natya.actors.database.writing.market import MarketStore
from natya.actors.database.writing.read_model import ReadModel
from natya.config.files import MARK
from natya.messages.database import ArchiveDay, BackUp, CheckDatabase, DatabaseChecked, Query, QueryToFile, Rows

pytestmark = pytest.mark.usefixtures("engines")

ENDLESS = "select count(*) from range(10_000_000_000) a, range(1000) b where a.range + b.range < 0"
FRIDAY_NS = start_ns("2026-01-02T09:15:00")


@pytest.fixture
def folders(path):
    return Folders.beside(str(path), life="1")


@pytest.fixture
def database(path, folders):
    with DuckDBAdapter(path, max_connections=4, directories=folders.allowed()) as database:
        yield database


@pytest.fixture
def handler(database, folders):
    return RequestHandler(database, folders)


@pytest.fixture
def filled(database, build):
    """Ten ticks of a Friday, a candle, an order and its fill."""
    ticks = [build.tick(number, exchange_ns=FRIDAY_NS + number) for number in range(1, 11)]
    MarketStore(database).write(ticks, [build.candle()])
    ReadModel(database).apply(build.records(build.intended(), build.filled()))


@pytest.fixture
def answer(handler):
    """Ask, and look at the rows as whoever asked does."""

    def ask(sql, *parameters, **fields):
        return QueryResult(handler.perform(QueryToFile(sql=sql, parameters=parameters, **fields)))

    return ask


class OneDatabase:
    """Tests that leave it as it was, and share it."""

    @pytest.fixture(scope="class")
    @classmethod
    def folders(cls, class_path):
        return Folders.beside(str(class_path), life="1")

    @pytest.fixture(scope="class")
    @classmethod
    def database(cls, class_path, folders):
        with DuckDBAdapter(class_path, max_connections=4, directories=folders.allowed()) as database:
            yield database


class TestAQueryToAFile(OneDatabase):
    def test_answers_what_the_same_query_answers_at_once(self, handler, answer, filled):
        sql = "select * from orders, fills where orders.symbol = ? order by all"
        rows = handler.perform(Query(sql=sql, parameters=("NIFTY",))).rows

        assert len(rows) == 1
        assert answer(sql, "NIFTY").rows == rows

    def test_keeps_types_that_parquet_has_not(self, answer):
        result = answer(
            "select 170141183460469231731::hugeint as huge, 5::uhugeint as unsigned, 1.50::decimal(9, 2) as price, "
            "make_timestamp_ns(1764000000000000123) as moment, interval 1 day as span, '101'::bit as bits, "
            "null as nothing, [1, 2] as list, {'a': 1} as struct, 'x'::enum('x') as kind, 'ab'::blob as bytes"
        )

        assert result.types[:4] == ("HUGEINT", "UHUGEINT", "DECIMAL(9,2)", "TIMESTAMP_NS")
        (row,) = result.rows
        assert row[:5] == ("170141183460469231731", 5, "1.50", "2025-11-24T16:00:00.000000123", "1 day")
        assert row[5:] == ("101", None, "[1,2]", '{"a":1}', "x", "6162")

    def test_keeps_the_order_of_the_query(self, answer):
        rows = answer("select range from range(300_000) order by range % 7, range desc").rows

        assert [number for (number,) in rows] == sorted(range(300_000), key=lambda number: (number % 7, -number))

    @pytest.mark.parametrize("end", [";", " ; ", "-- é ends", "; -- é ;", "/* ; */", ";;"], ids=repr)
    def test_may_end_in_a_semicolon_or_a_comment(self, answer, end):
        assert answer(f"select 'é;' as text {end}").rows == (("é;",),)

    def test_may_be_any_statement_that_selects(self, answer, filled):
        for sql in ("from fills", "values (1)", "describe fills", "summarize fills", "show tables", "table fills"):
            assert len(answer(sql)) > 0

    def test_numbers_names_that_come_twice(self, answer):
        assert answer("select 1 as a, 2 as a").names == ("a", "a_1")

    def test_without_rows_has_columns_all_the_same(self, answer):
        result = answer("select 1 as a, 'x' as b where false")

        assert (len(result), result.rows, result.names) == (0, (), ("a", "b"))
        assert [len(values) for values in result.columns().values()] == [0, 0]

    def test_is_for_its_user_alone(self, handler, folders):
        file = Path(handler.perform(QueryToFile(sql="select 1")).path)

        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert stat.S_IMODE(folders.handover.path.stat().st_mode) == 0o700


class TestAQueryThatMayNotBe(OneDatabase):
    STATEMENTS = (
        "select 1; drop table facts",
        "drop table facts",
        "copy facts to '{elsewhere}'",
        "select 1) to '{elsewhere}' (format csv) --",
        "select 1\n) to '{elsewhere}' (format csv); --",
        "select 1)) to '{elsewhere}' /*",
        "select 1 /*",
        "select 1) union all (select 2",
        "with gone as (delete from facts returning *) select * from gone",
        "with more as (insert into facts values (9, 9, '', '', '') returning *) select * from more",
        "select * from read_text('/etc/passwd')",
        "select * from read_csv('{elsewhere}/../../../../etc/passwd')",
        "attach '{elsewhere}' as more",
        "set memory_limit = '1TB'",
        "commit",
        "",
    )

    @pytest.mark.usefixtures("filled")
    def test_changes_nothing_and_leaves_nothing(self, handler, database, folders):
        elsewhere = folders.archive.parent / "elsewhere"
        before = contents(database)
        for sql in self.STATEMENTS:
            with pytest.raises((QueryRefused, StatementFailed)):
                handler.perform(QueryToFile(sql=sql.format(elsewhere=elsewhere)))
            assert left_in(folders) == [], sql

        assert contents(database) == before
        assert not elsewhere.exists()

    def test_has_more_rows_than_wanted(self, handler, folders):
        with pytest.raises(ResultTooLarge, match="at most 5 rows"):
            handler.perform(QueryToFile(sql="from range(6)", rows_max=5))
        assert left_in(folders) == []

    def test_takes_longer_than_it_was_given(self, handler, folders):
        with pytest.raises(QueryTimedOut):
            handler.perform(QueryToFile(sql=ENDLESS, timeout_s=0.05))
        assert left_in(folders) == []

    def test_wants_more_memory_than_there_is(self, handler, folders):
        sql = "select list(range) from range(1_000_000_000)"
        with pytest.raises(DatabaseError, match="memory"):
            handler.perform(QueryToFile(sql=sql))
        assert handler.perform(Query(sql="select 1")).rows == ((1,),)
        assert left_in(folders) == []

    def test_is_unknown_work(self, handler):
        with pytest.raises(QueryRefused, match="Rows"):
            handler.perform(Rows(columns=(), rows=()))


class TestWorkThatIsAbandoned(OneDatabase):
    @pytest.mark.parametrize("work", [Query(sql=ENDLESS), QueryToFile(sql=ENDLESS)], ids=["rows", "file"])
    def test_is_interrupted(self, handler, folders, work):
        abandoned = Future()
        with ThreadPoolExecutor(1) as threads:
            doing = threads.submit(handler.perform, work, abandoned)
            abandoned.set_result(None)

            with pytest.raises(QueryTimedOut):
                doing.result(30)
        assert left_in(folders) == []

    def test_is_not_begun(self, handler):
        abandoned = Future()
        abandoned.set_result(None)

        with pytest.raises(QueryTimedOut):
            handler.perform(BackUp(), abandoned)


class TestWhatIsHandedOver:
    def test_is_kept_for_a_while_and_no_longer(self, handler, folders):
        files = [Path(handler.perform(QueryToFile(sql="select 1")).path) for _ in range(HANDED_OVER_MAX + 3)]

        assert [file.exists() for file in files] == [False] * 3 + [True] * HANDED_OVER_MAX

    def test_can_be_read_by_whoever_opened_it(self, handler, answer):
        result = answer("select 7")
        for _ in range(HANDED_OVER_MAX + 1):
            handler.perform(QueryToFile(sql="select 1"))

        assert result.rows == ((7,),)

    def test_is_gone_with_the_next_life(self, handler, database, folders):
        handler.perform(QueryToFile(sql="select 1"))
        handler.perform(BackUp())
        RequestHandler(database, Folders.beside(database.core_path, life="2"))

        assert not folders.handover.path.exists()

    def test_is_nothing_where_the_database_is_in_memory(self):
        with DuckDBAdapter(max_connections=3) as database:
            handler = RequestHandler(database, Folders.beside(database.core_path, life="1"))

            with pytest.raises(QueryRefused, match="in memory"):
                handler.perform(QueryToFile(sql="select 1"))
            assert handler.perform(Query(sql="select 1")).rows == ((1,),)

    def test_is_refused_where_its_folder_cannot_be(self, handler, folders):
        folders.handover.path.touch()

        for work in (QueryToFile(sql="select 1"), BackUp()):
            with pytest.raises(StatementFailed, match="handover"):
                handler.perform(work)


@pytest.mark.usefixtures("filled")
class TestABackup:
    def test_is_a_database_like_the_one_it_was_made_of(self, handler, database):
        core, market = handler.perform(BackUp()).paths
        with DuckDBAdapter(core, max_connections=3) as copy:
            assert copy.market_path == market
            assert contents(copy) == contents(database)

    def test_in_one_file_has_all_tables_and_views(self, handler, database):
        (path,) = handler.perform(BackUp(single_file=True)).paths
        with duckdb.connect(path, read_only=True) as copy:
            for name, rows in contents(database).items():
                assert len(copy.table(name).fetchall()) == len(rows)
            assert copy.execute("select count(*) from all_ticks join ticks_utc using (sequence)").fetchone() == (10,)

    def test_in_one_file_is_of_one_moment_while_others_write(self, handler, database, build):
        store = MarketStore(database)
        with ThreadPoolExecutor(1) as threads:
            writing = threads.submit(lambda: [store.write(build.ticks(20, start=11 + 20 * n)) for n in range(30)])
            (path,) = handler.perform(BackUp(single_file=True)).paths
            writing.result()
        with duckdb.connect(path, read_only=True) as copy:
            ticks, recorded = copy.execute("select (select count(*) from ticks), sequence from recorded").fetchone()

        assert ticks == recorded
        assert (ticks - 10) % 20 == 0

    def test_is_not_begun_where_it_does_not_fit(self, handler, folders, monkeypatch):
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=SPACE_LEFT_BYTES))

        with pytest.raises(StatementFailed, match=f"free space, found {SPACE_LEFT_BYTES:,}"):
            handler.perform(BackUp())
        assert left_in(folders) == []

    def test_never_replaces_another(self, handler):
        assert not set(handler.perform(BackUp()).paths) & set(handler.perform(BackUp()).paths)


@pytest.mark.usefixtures("filled")
class TestTheArchive:
    def test_takes_the_days_up_to_one(self, handler, database):
        archived = handler.perform(ArchiveDay(day="2026-01-02"))

        assert (archived.days, archived.ticks) == (("2026-01-02",), (10,))
        assert Path(archived.files[0]).exists()
        assert database.query("select count(*) from ticks").rows == ((0,),)
        assert database.query("select count(*) from all_ticks").rows == ((10,),)
        assert handler.perform(ArchiveDay(day="2026-01-02")).days == ()

    def test_takes_no_later_day(self, handler):
        assert handler.perform(ArchiveDay(day="2026-01-01")).days == ()

    def test_wants_a_day(self, handler):
        with pytest.raises(QueryRefused, match="2026-01-31 wanted, found 'friday'"):
            handler.perform(ArchiveDay(day="friday"))


class TestACheck:
    def test_finds_what_contradicts(self, handler, database, filled):
        assert handler.perform(CheckDatabase()) == DatabaseChecked(problems=())
        database.execute("delete from facts where sequence = 1")

        (problem,) = handler.perform(CheckDatabase()).problems
        assert "gap" in problem


def left_in(folders):
    folder = folders.handover.path
    return [each for each in folder.iterdir() if each.name != MARK] if folder.exists() else []


def contents(database):
    names = ("facts", "orders", "fills", "projection", "ticks", "candles", "recorded")
    return {name: database.query(f"select * from {name} order by all").rows for name in names}  # noqa: S608  our names
