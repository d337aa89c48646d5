"""The pool in the hands of a person: queries, transactions, time-outs, exhaustion, locks."""

import inspect
import random
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest
from natya_database import put_migrated
from natya_starts import Python, run_python

from natya.actors.database import DuckDBAdapter
from natya.actors.database.engine import adapter
from natya.actors.database.errors import (
    DatabaseClosed,
    DatabaseForeign,
    DatabaseInvalidated,
    DatabaseLocked,
    DatabaseTooNew,
    DatabaseUnreachable,
    PoolExhausted,
    QueryRefused,
    QueryTimedOut,
    ResultTooLarge,
    StatementFailed,
    TransactionAborted,
)
from natya.actors.database.repositories.market_data import MarketDataRepositoryImpl
from natya.actors.database.tables.migrations import FILES, Migration, bring_up_to_date, migrate, migrations
from natya.actors.runtime.simulation import InlineExecutor
from natya.config.loader import load_settings

ENDLESS = "select count(*) from range(10_000_000_000) a, range(1000) b where a.range + b.range < 0"


EXIT = """
import threading
import time
from natya.actors.database import DuckDBAdapter
from natya.actors.database.errors import DatabaseClosed

def busy(path):
    database = DuckDBAdapter(path, max_connections=4)

    def ask():
        try:
            database.query({endless!r}, timeout_s=None)
        except DatabaseClosed:
            pass

    for _ in range(4):
        threading.Thread(target=ask, daemon=True).start()
    while database.statistics().readers_busy < 2 or not database.statistics().longest_query:
        pass
    return database

left_open = busy("{left_open}")
closed = busy("{closed}")
print("leaving", flush=True)
closed.close()
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """One of all tests that leave it as it was, but for what they say in `notes`."""
    path = tmp_path_factory.mktemp("shared") / "natya.duckdb"
    put_migrated(path.parent)
    with DuckDBAdapter(path, max_connections=3, wait_s=1.0) as database:
        database.execute("create table notes (text varchar primary key)")
        yield database


@pytest.fixture
def notes(database):
    yield database
    database.execute("delete from notes")


def texts(database):
    return [text for (text,) in database.query("select text from notes order by text").rows]


class TestAQuery:
    def test_gives_columns_and_rows(self, database):
        rows = database.query("select ?::bigint as a, ? as b", [1, "x"])

        assert rows.columns == ("a", "b")
        assert rows.rows == ((1, "x"),)

    def test_shows_what_no_message_carries_as_text(self, database):
        sql = "select 1.50::decimal(9,2), 2::hugeint ** 0, 170141183460469231731687303715884105727, date '2026-01-02'"

        assert database.query(sql + ", '\\x01'::blob, [1, 2]").rows == (
            ("1.50", 1.0, "170141183460469231731687303715884105727", "2026-01-02", "01", "[1,2]"),
        )

    def test_sums_of_quantities_stay_numbers(self, database):
        assert database.query("select sum(range) from range(4)").rows == ((6,),)

    def test_beyond_its_rows_gives_none(self, database):
        assert len(database.query("select range from range(5)", rows_max=5).rows) == 5
        with pytest.raises(ResultTooLarge, match="at most 4 rows"):
            database.query("select range from range(5)", rows_max=4)

    def test_sees_both_files_by_plain_names(self, database):
        assert database.query("select (select count(*) from orders) + (select count(*) from ticks)").rows == ((0,),)

    def test_runs_inline_where_a_simulation_wants_it(self):
        with DuckDBAdapter(max_connections=3, executor_factory=lambda _: InlineExecutor()) as database:
            assert database.query("select 1").rows == ((1,),)


class TestWhatIsNotSaid:
    """Programs that embed natya rely on it."""

    @staticmethod
    def defaults(function):
        parameters = inspect.signature(function).parameters.values()
        return {each.name: each.default for each in parameters if each.default is not inspect.Parameter.empty}

    def test_of_a_database_is_of_ten_connections_in_memory_with_bounds(self):
        assert self.defaults(DuckDBAdapter) == {
            "path": ":memory:",
            "max_connections": 10,
            "memory_limit_mb": 128,
            "threads": 1,
            "directories": (),
            "wait_s": 5.0,
            "cache_mb": 8,
            "encryption_key": "",
            "executor_factory": adapter.thread_of_its_own,
            "monotonic_ns": time.monotonic_ns,
            "read_only": False,
        }

    def test_of_a_query_gives_it_half_a_minute_and_of_work_no_bound(self):
        query = {"parameters": (), "timeout_s": 30.0, "rows_max": 1_000_000, "tables": (), "abandoned": None}
        work = {"label": "", "timeout_s": None, "abandoned": None}

        assert self.defaults(DuckDBAdapter.query) == query
        assert self.defaults(DuckDBAdapter.read_of) == {"timeout_s": None, "abandoned": None}
        assert self.defaults(DuckDBAdapter.read) == work
        assert self.defaults(DuckDBAdapter.read_and_copy) == {"timeout_s": None, "abandoned": None}
        assert self.defaults(DuckDBAdapter.write) == {"label": "", "tables": None}
        assert self.defaults(DuckDBAdapter.execute) == {"parameters": (), "file": "core"}
        assert self.defaults(DuckDBAdapter.transaction) == {"file": "core"}


class TestAQueryThatRunsTooLong:
    def test_is_interrupted_and_the_connection_serves_the_next(self, database):
        before = database.statistics().timeouts
        with pytest.raises(QueryTimedOut):
            database.query(ENDLESS, timeout_s=0.05)

        assert database.query("select 1").rows == ((1,),)
        assert database.statistics().timeouts == before + 1
        assert database.statistics().readers_busy == 0

    def test_never_takes_another_with_it(self, path):
        with DuckDBAdapter(path, max_connections=4) as database, ThreadPoolExecutor(4) as threads:

            def race(number):
                try:
                    return database.query("select sum(range) + ? from range(200_000)", [number], timeout_s=0.002).rows
                except QueryTimedOut:
                    return None

            short = [threads.submit(race, number) for number in range(50)]
            long = [threads.submit(database.query, "select sum(range) from range(100_000)") for _ in range(50)]

            expected = sum(range(200_000))
            assert all(job.result() in {None, ((expected + number,),)} for number, job in enumerate(short))
            assert all(job.result().rows == ((sum(range(100_000)),),) for job in long)

    def test_is_told_apart_from_a_hundred_that_race_with_it(self, path):
        """Time-outs as long as the queries: each ends right, or is interrupted itself."""
        with DuckDBAdapter(path, max_connections=4, wait_s=60) as database, ThreadPoolExecutor(4) as threads:
            chance = random.Random(5)

            def race(number):
                sql = f"select sum(range) + {number} from range({chance.randint(1, 60)}_000)"  # noqa: S608  our own numbers
                hurried = number % 2
                try:
                    rows = database.query(sql, timeout_s=chance.random() * 0.004 if hurried else None).rows
                except QueryTimedOut:
                    return hurried
                return rows == database.read(lambda cursor: tuple(cursor.execute(sql).fetchall()))

            assert all(threads.map(race, range(120)))
            assert database.statistics().timeouts > 0
            assert database.statistics().readers_busy == 0


class TestAPoolWithNothingLeft:
    def test_says_who_holds_it(self, database):
        before = database.statistics().exhaustions
        with ThreadPoolExecutor(1) as threads:
            holding = threading.Event()
            release = threading.Event()

            def hold(_cursor):
                holding.set()
                release.wait(60)

            held = threads.submit(database.read, hold, label="the long one")
            holding.wait(60)
            with pytest.raises(PoolExhausted) as refusal:
                database.query("select 1")
            release.set()
            held.result()

            assert refusal.value.limit == 1
            assert refusal.value.waiters == 1
            assert refusal.value.longest_query == "the long one"
            assert refusal.value.longest_s >= 0.1
            assert database.statistics().exhaustions == before + 1

    def test_includes_a_writer_whose_transaction_is_open(self, notes):
        with notes.transaction(), pytest.raises(PoolExhausted, match="all 1 core writing connections"):
            notes.execute("insert into notes values ('late')")
        notes.execute("insert into notes values ('late')")

        assert texts(notes) == ["late"]


class TestATransaction:
    def test_writes_all_of_it(self, notes):
        with notes.transaction() as transaction:
            transaction.execute("insert into notes values (?)", ["one"])
            transaction.execute("insert into notes values (?)", ["two"])

        assert texts(notes) == ["one", "two"]

    def test_that_raises_writes_nothing(self, notes):
        with pytest.raises(ZeroDivisionError), notes.transaction() as transaction:  # noqa: PT012  the block is what is tested
            transaction.execute("insert into notes values ('one')")
            raise ZeroDivisionError

        assert texts(notes) == []

    def test_that_swallows_an_error_says_so_and_writes_nothing(self, notes):
        aborted = pytest.raises(TransactionAborted, match="nothing was written")
        with aborted, notes.transaction() as transaction:
            transaction.execute("insert into notes values ('one')")
            with pytest.raises(StatementFailed):
                transaction.execute("insert into notes values ('one')")

        assert texts(notes) == []

    def test_is_open_to_others_after_a_failure(self, notes):
        with pytest.raises(StatementFailed):
            notes.execute("insert into nowhere values (1)")
        notes.execute("insert into notes values ('one')")

        assert texts(notes) == ["one"]

    def test_takes_nothing_after_its_end(self, notes):
        with notes.transaction() as transaction:
            transaction.execute("insert into notes values ('one')")
        with pytest.raises(DatabaseClosed, match="the transaction is over"):
            transaction.execute("insert into notes values ('two')")

        assert texts(notes) == ["one"]

    def test_inside_another_of_one_file_is_refused(self, notes):
        with notes.transaction(), pytest.raises(PoolExhausted, match="a transaction is open"):
            notes.execute("insert into notes values ('one')")


class TestOneStatementACall:
    @pytest.mark.parametrize("sql", ["select 1; drop table notes", "", "; ;"])
    def test_is_all_that_runs(self, notes, sql):
        with pytest.raises(QueryRefused):
            notes.execute(sql)
        with pytest.raises(QueryRefused):
            notes.query(sql)

        assert texts(notes) == []

    @pytest.mark.parametrize(
        "sql",
        [
            "insert into notes values ('x')",
            "commit",
            "begin",
            "pragma database_list",
            "set threads = 1",
            "copy notes to '/tmp/notes.csv'",
            "checkpoint",
            "attach ':memory:' as another",
            "explain analyze insert into notes values ('x')",
            "explain analyze select 1",
            "call force_checkpoint()",
            "merge into notes using (select 'x' as text) s using (text) when not matched then insert",
            "with x as (insert into notes values ('x') returning *) select * from x",
            "from query('insert into notes values (1)')",
        ],
    )
    def test_that_is_no_select_is_not_for_a_reader(self, notes, sql):
        with pytest.raises((QueryRefused, StatementFailed)):
            notes.query(sql)

        assert texts(notes) == []

    @pytest.mark.parametrize(
        "sql",
        [
            "begin",
            "commit",
            "rollback",
            "use market",
            "set search_path = 'market'",
            "set variable x = 1",
            "prepare p as select 1",
            "detach market",
            "attach ':memory:' as another",
            "call force_checkpoint()",
        ],
    )
    def test_that_would_change_the_connection_is_for_nobody(self, notes, sql):
        with pytest.raises(QueryRefused, match="reads or writes tables"):
            notes.execute(sql)
        with pytest.raises(QueryRefused), notes.transaction() as transaction:
            transaction.execute(sql)
        notes.execute("insert into notes values ('one')")

        assert texts(notes) == ["one"]


class TestTwoOwners:
    def test_the_second_is_told_who_the_first_is(self, database):
        with pytest.raises(DatabaseLocked) as refusal:
            DuckDBAdapter(database.core_path)

        assert refusal.value.holder_pid is not None
        assert str(refusal.value.holder_pid) in str(refusal.value)
        assert database.query("select 1").rows == ((1,),)

    def test_a_plain_duckdb_of_another_process_counts(self, path):
        script = f"import duckdb; c = duckdb.connect({str(path)!r}); print('open', flush=True); input()"
        with Python([script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            other.stdout.readline()
            with pytest.raises(DatabaseLocked) as refusal:
                DuckDBAdapter(path)
            other.communicate("\n")

        assert refusal.value.holder_pid == other.pid

    def test_the_lock_is_free_after_a_failed_opening(self, new_path):
        new_path.write_bytes(b"no database" * 1000)
        with pytest.raises(DatabaseForeign, match=r"natya\.duckdb cannot be opened"):
            DuckDBAdapter(new_path)
        new_path.unlink()

        with DuckDBAdapter(new_path) as database:
            assert database.query("select 1").rows == ((1,),)


class TestAFolderThatWeMayNotUse:
    def test_is_no_damage(self, new_path):
        """A folder stands where a file should be: not even root can open that."""
        for name in ("natya.duckdb", "natya.duckdb.lock", "natya-market.duckdb.witness"):
            (new_path.parent / name).mkdir()
            with pytest.raises(DatabaseUnreachable, match=f"{name} cannot be opened"):
                DuckDBAdapter(new_path, max_connections=3)
            (new_path.parent / name).rmdir()

        with DuckDBAdapter(new_path, max_connections=3) as database:
            assert database.query("select 1").rows == ((1,),)


class TestAnInstanceThatFailsWhileItIsSetUp:
    def test_is_told_as_an_error_of_ours_and_let_go(self, path, monkeypatch):
        def give_up(*_):
            raise duckdb.FatalException("the checkpoint failed: No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(adapter, "harden", give_up)
            with pytest.raises(DatabaseInvalidated, match="No space left"):
                DuckDBAdapter(path)

        DuckDBAdapter(path).close()


def described(plain):
    """All that a file holds and says of itself, but for what was drawn at random."""
    told = [
        "table_name, column_name, column_index, column_default, is_nullable, data_type, comment from duckdb_columns()",
        "table_name, constraint_type, constraint_text, constraint_column_names from duckdb_constraints()",
        "table_name, comment, estimated_size from duckdb_tables()",
        "view_name, sql, comment from duckdb_views() where not internal",
        "index_name, sql from duckdb_indexes()",
        "* from migrations",
    ]
    tables = [name for (name,) in plain.execute("select table_name from duckdb_tables()").fetchall()]
    told += [f"'{name}', * from {name}" for name in tables if name != "origin"]
    return {each: plain.execute(f"select {each} order by all").fetchall() for each in told}


class TestMigrations:
    def test_are_applied_once(self, new_path):
        for _ in range(2):
            with DuckDBAdapter(new_path) as database:
                assert database.query("select count(*) from core.migrations").rows == ((len(migrations("core")),),)

    @pytest.mark.parametrize("file", FILES)
    def test_together_leave_what_a_new_file_has_at_once(self, file):
        options = {"python_enable_replacements": False}
        with duckdb.connect(config=options) as stepped, duckdb.connect(config=options) as new:
            for plain in (stepped, new):
                plain.execute(f"attach ':memory:' as {file}; use {file}")
            migrate(stepped, migrations(file))
            bring_up_to_date(new, file)

            assert described(new) == described(stepped)
            assert "primary key" in str(described(new)).lower()

    def test_keep_the_books_of_a_file_that_had_them_beside_the_ticks(self, new_path, build):
        with duckdb.connect(str(new_path.with_name("natya-market.duckdb"))) as plain:
            migrate(plain, migrations("market")[:2])
            plain.execute(
                "insert into ticks (source, sequence, symbol, exchange_ns, received_ns, price, quantity, volume, "
                "bid_price_1, bid_quantity_1, bid_orders_1, ask_price_1, ask_quantity_1, ask_orders_1) values "
                "('old', 1, 'TCS', 5, 6, 100.5, 7, 8, null, null, null, null, null, null), "
                "('old', 2, 'TCS', 6, 7, 100.5, 7, 8, 100.0, 10, 1, 101.0, 20, 6)"
            )
        fields = {"symbol": "TCS", "price": 100.5, "quantity": 7, "volume": 8, "source": "old"}
        wanted = (
            build.tick(1, exchange_ns=5, received_ns=6, **fields),
            build.tick(2, exchange_ns=6, received_ns=7, depth=build.depth(1), **fields),
        )
        with MarketDataRepositoryImpl(new_path) as market:
            assert market.find().data == wanted
            assert market.find_by_symbol_and_date_range("TCS", 0, 9).data == wanted
            assert market.find_by_symbol_and_date_range("TCS", 0, 6).data == wanted[:1]

    def test_of_newer_code_are_refused(self, path):
        with DuckDBAdapter(path) as database:
            database.execute("insert into migrations values (99, 'of_tomorrow', '')")
        with pytest.raises(DatabaseTooNew, match="migration 99"):
            DuckDBAdapter(path)

    def test_with_another_text_are_refused(self, path):
        with DuckDBAdapter(path) as database:
            database.execute("update migrations set sha256 = 'other'")
        with pytest.raises(DatabaseTooNew, match="migration 1 was applied"):
            DuckDBAdapter(path)

    def test_that_fail_leave_nothing_behind(self):
        steps = (
            Migration(number=1, name="good", sql="create table good (x int)"),
            Migration(number=2, name="bad", sql="create table half (x int); select error('stop')"),
        )

        def work(cursor):
            cursor.execute("create schema elsewhere")
            cursor.execute("set search_path = 'core.elsewhere'")
            with pytest.raises(Exception, match="stop"):
                migrate(cursor, steps)
            return [
                name
                for (name,) in cursor.execute(
                    "select table_name from duckdb_tables() where schema_name = 'elsewhere'"
                ).fetchall()
            ]

        with DuckDBAdapter() as fresh:
            tables = fresh._writers["core"].connections[0].run(work)

        assert sorted(tables) == ["good", "migrations"]


@pytest.mark.parametrize("fault", ["its entry", "its text"])
def test_a_migration_and_its_entry_are_there_together_or_not_at_all(tmp_path, fault):
    name = None if fault == "its entry" else "first"
    text = "create table first (x int)" + ("; select error('stop')" if fault == "its text" else "")
    with duckdb.connect(tmp_path / "core.duckdb") as core:
        with pytest.raises(duckdb.Error):
            migrate(core, (Migration(number=1, name=name, sql=text),))
        tables = core.execute("select table_name from duckdb_tables()").fetchall()
        assert (tables, core.execute("select * from migrations").fetchall()) == ([("migrations",)], [])
        assert migrate(core, (Migration(number=1, name="first", sql="create table first (x int)"),)) == 1


FORK = """
import os, sys, warnings
from natya.actors.database import DuckDBAdapter, MarketDataRepositoryImpl
from natya.actors.database.errors import DatabaseClosed

database = DuckDBAdapter("{path}", max_connections=3)
database.execute("create table notes (text varchar)")
market = MarketDataRepositoryImpl(database)
market.symbols().result(30)

def state():
    return sorted((each.name, each.stat().st_size, each.stat().st_mtime_ns) for each in os.scandir("{path.parent}"))

before = state()
warnings.simplefilter("ignore")  # newer Pythons warn of a fork with threads, which is what this is about
if (child := os.fork()) == 0:
    if f"belongs to process {{os.getppid()}}" not in market.symbols().result(30).error:
        sys.exit(3)
    try:
        database.query("select 1")
    except DatabaseClosed as refusal:
        sys.exit(0 if f"belongs to process {{os.getppid()}}" in str(refusal) else 1)
    sys.exit(2)
print(os.waitpid(child, 0)[1], state() == before)
database.execute("insert into notes values ('one')")
os._exit(0)
"""


class TestAForkOfItsProcess:
    def test_is_refused_and_leaves_the_files_alone(self, path):
        """It would write the logs into the files when it ends, while the owner goes on with them."""
        script = FORK.format(path=path)
        ended = run_python(script)

        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "0 True\n", "")
        with DuckDBAdapter(path, max_connections=3) as database:
            assert database.query("select * from notes").rows == (("one",),)


class TestADatabaseThatIsOpenedByItself:
    def test_is_bounded_as_the_settings_have_it(self):
        of_the_settings = load_settings(environment={}).database
        parameters = inspect.signature(DuckDBAdapter).parameters
        for name in ("max_connections", "memory_limit_mb", "threads", "cache_mb"):
            assert parameters[name].default == getattr(of_the_settings, name), name


class TestAClosedDatabase:
    def test_refuses(self, path):
        database = DuckDBAdapter(path)
        database.close()
        database.close()

        with pytest.raises(DatabaseClosed):
            database.query("select 1")

    def test_leaves_no_query_behind(self, path):
        with ThreadPoolExecutor(1) as threads:
            database = DuckDBAdapter(path)
            endless = threads.submit(database.query, ENDLESS)
            while not database.statistics().longest_query:
                pass
            database.close()

            assert isinstance(endless.exception(timeout=5), DatabaseClosed)

    def test_or_an_open_one_holds_up_no_exit(self, path):
        paths = [path.with_name(name) / path.name for name in ("closed", "open")]
        for each in paths:
            put_migrated(each.parent)
        script = EXIT.format(closed=paths[0], left_open=paths[1], endless=ENDLESS)
        ended = run_python(script)

        assert (ended.returncode, ended.stdout, ended.stderr) == (0, "leaving\n", "")
        for each in paths:
            with DuckDBAdapter(each) as database:
                assert database.query("select 1").rows == ((1,),)

    @pytest.mark.parametrize(
        ("wrong", "least"),
        [
            ({"max_connections": 2}, 3),
            ({"memory_limit_mb": 0}, 1),
            ({"threads": 0}, 1),
            ({"wait_s": -1}, 0),
            ({"cache_mb": -1}, 0),
        ],
    )
    def test_is_never_opened_with_too_little_of_anything(self, wrong, least):
        ((name, found),) = wrong.items()
        with pytest.raises(ValueError, match=f"^{name}: a .*number of at least {least} is wanted, found {found}$"):
            DuckDBAdapter(**wrong)
