"""Answers that are kept: as those of a twin that keeps none, whatever is written in between."""

import datetime as dt
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from natya_examples import QUARTER

from natya.actors.database import DuckDBAdapter, MarketDataRepositoryImpl
from natya.actors.database.errors import DatabaseError, QueryRefused
from natya.actors.database.queries.cache import CacheStatistics, QueryCache
from natya.actors.database.tables.archive_folder import NAME
from natya.actors.database.tables.moments import start_ns
from natya.actors.database.upkeep.days import archive, sort_day
from natya.actors.database.writing.market import MarketStore
from natya.actors.database.writing.read_model import ReadModel
from natya.domain.time import DAY_NS
from natya.messages.database import Rows

pytestmark = pytest.mark.usefixtures("engines")

ORDERS = "select client_order_id, state from orders order by all"
FRIDAY_NS = start_ns("2026-01-02T09:15:00")


@pytest.fixture
def notes(database):
    database.execute("create table notes (text varchar primary key)")
    return database


def cache(database):
    return database.statistics().cache


def ask(database, sql, *parameters, reads=("orders",), times=3):
    """Ask so often that the last answer is a kept one, if it is kept at all."""
    for _ in range(times):
        answer = database.query(sql, parameters, tables=reads)
    return answer.rows


class TestACacheOfSoManyBytes:
    """The least recently used go first, and what is too large alone is not kept; nothing of it is counted."""

    @staticmethod
    def rows(count, text="x"):
        return Rows(columns=("a",), rows=((text,),) * count)

    @staticmethod
    def size(count, text="x"):
        row = sys.getsizeof((text,)) + sys.getsizeof(text)
        return sys.getsizeof(((text,),) * count) + count * row

    def test_lets_the_least_recently_used_go_when_one_byte_is_missing(self):
        size = self.size(3)
        for room, kept in ((2 * size, ["a", "b"]), (3 * size - 1, ["a", "c"]), (3 * size, ["a", "b", "c"])):
            cache = QueryCache(room)
            for name in ("a", "b") if room == 2 * size else ("a", "b", "c"):
                cache.keep(name, (), self.rows(3), tables=("orders",), began=cache.now())
                cache.find("a", (), ("orders",))
            found = [name for name in "abc" if cache.find(name, (), ("orders",)) is not None]
            assert found == kept
            statistics = cache.statistics()
            assert (statistics.entries, statistics.bytes) == (len(kept), len(kept) * size)

    def test_keeps_nothing_that_is_larger_than_it_is(self):
        cache = QueryCache(self.size(3) - 1)
        cache.keep("a", (), self.rows(3), tables=("orders",), began=cache.now())

        assert cache.find("a", (), ("orders",)) is None
        assert cache.statistics() == CacheStatistics(hits=0, misses=1, entries=0, bytes=0)

    def test_counts_an_answer_that_comes_again_once(self):
        cache = QueryCache(1 << 20)
        for count in (3, 5):
            cache.keep("a", (1,), self.rows(count), tables=("orders",), began=cache.now())

        assert cache.find("a", (1,), ("orders",)) == self.rows(5)
        assert cache.statistics() == CacheStatistics(hits=1, misses=2, entries=1, bytes=self.size(5))

    @pytest.mark.parametrize("writes", [("core", {"orders"}), ("market", {"orders"}), ("core", None), ("market", None)])
    def test_forgets_what_follows_from_a_table_that_is_written_to_and_while_it_is(self, writes):
        file, tables = writes
        cache = QueryCache(1 << 20)
        began = cache.now()
        cache.keep("a", (), self.rows(1), tables=("orders",), began=began)
        with cache.writing(file, None if tables is None else frozenset(tables)):
            assert cache.find("a", (), ("orders",)) is None
            cache.keep("a", (), self.rows(1), tables=("orders",), began=cache.now())  # read before the write
        cache.keep("b", (), self.rows(1), tables=("orders",), began=began)

        assert [cache.find(name, (), ("orders",)) for name in "ab"] == [None, None]
        assert cache.statistics() == CacheStatistics(hits=0, misses=3, entries=0, bytes=0)
        cache.keep("a", (), self.rows(1), tables=("orders",), began=cache.now())
        with cache.writing("core", frozenset({"fills"})):
            assert cache.find("a", (), ("orders",)) == self.rows(1)

    @pytest.mark.parametrize("value", [b"bytes", dt.date(2026, 1, 1), Decimal(1), "\ud800", 1 << 70])
    def test_keeps_no_answer_to_a_value_that_it_cannot_tell_from_others(self, value):
        cache = QueryCache(1 << 20)
        cache.keep("a", (value,), self.rows(1), tables=("orders",), began=cache.now())

        assert cache.find("a", (value,), ("orders",)) is None
        assert cache.statistics() == CacheStatistics(hits=0, misses=0, entries=0, bytes=0)

    def test_of_none_is_not_in_use(self):
        assert [QueryCache(size).is_on for size in (0, 1)] == [False, True]


class TestAQueryThatIsRepeated:
    def test_is_answered_without_a_connection(self, database):
        ask(database, ORDERS)
        done = database.statistics().queries

        assert ask(database, ORDERS) == ()
        assert database.statistics().queries == done
        found = cache(database)
        assert found == CacheStatistics(hits=5, misses=found.misses, entries=1, bytes=sys.getsizeof(()))
        assert found.misses >= 1

    def test_is_kept_for_each_value_of_its_parameters(self, database):
        sql = "select ?, count(*) from orders"
        values = [1, 1.0, True, "1", None, 0.0, -0.0]
        twin = [repr(database.query(sql, [value]).rows) for value in values]

        assert [repr(ask(database, sql, value)) for value in values] == twin
        assert cache(database).entries == len(values)

    def test_still_obeys_its_bound_of_rows(self, notes):
        notes.execute("insert into notes values ('one'), ('two')")
        ask(notes, "select text from notes order by text", reads=("notes",))

        with pytest.raises(DatabaseError, match="at most 1 rows"):
            notes.query("select text from notes order by text", rows_max=1, tables=("notes",))

    def test_is_refused_once_the_database_is_closed(self, database):
        ask(database, ORDERS)
        database.close()

        with pytest.raises(DatabaseError, match="is closed"):
            database.query(ORDERS, tables=("orders",))

    def test_is_never_kept_where_the_setting_says_so(self, path):
        with DuckDBAdapter(path, max_connections=3, cache_mb=0) as database:
            ask(database, ORDERS)

            assert (cache(database).hits, cache(database).entries) == (0, 0)


class TestAWrite:
    @pytest.mark.parametrize("write", ["execute", "transaction", "projection", "unfinished", "ddl"])
    def test_ends_the_answers_that_it_changes(self, database, build, write):
        before = ask(database, "select count(*) from facts", reads=("facts",))
        match write:
            case "execute":
                database.execute("insert into facts values (1, 1, '', '', '{}')")
            case "transaction":
                with database.transaction() as transaction:
                    transaction.execute("insert into facts values (1, 1, '', '', '{}')")
            case "projection":
                ReadModel(database).apply(build.records(build.intended()))
            case "unfinished":
                with pytest.raises(DatabaseError), database.transaction() as transaction:  # noqa: PT012
                    transaction.execute("insert into facts values (1, 1, '', '', '{}')")
                    transaction.execute("select error('stop')")
            case "ddl":
                database.execute("create or replace table facts as select 1 as sequence")

        after = ask(database, "select count(*) from facts", reads=("facts",))

        assert before == ((0,),)
        assert after == ((0 if write == "unfinished" else 1,),)

    def test_leaves_those_of_other_tables(self, database, build):
        ask(database, ORDERS)
        hits = cache(database).hits
        MarketStore(database).write(build.ticks(10))

        assert ask(database, ORDERS, times=1) == ()
        assert cache(database).hits == hits + 1

    def test_of_a_table_that_hides_another_is_seen(self, database, build):
        MarketStore(database).write([], [build.candle()])
        sql, reads = "select count(*) from candles", ("candles",)
        before = ask(database, sql, reads=reads)
        database.execute("create table core.candles (x integer)")
        hidden = ask(database, sql, reads=reads)
        database.execute("insert into core.candles values (1), (2)")

        assert (before, hidden, ask(database, sql, reads=reads)) == (((1,),), ((0,),), ((2,),))

    def test_counts_as_a_definition_unless_it_names_its_tables(self, database):
        """What a view reads is looked up anew after each definition; an order's fact is none."""
        before = database._readings.now()
        database.write("core", lambda _: None, tables=frozenset({"orders"}))
        assert database._readings.now() == before

        database.write("core", lambda cursor: cursor.execute("create view looked_at as select 1 as one"))
        assert database._readings.now() > before

    def test_in_progress_lets_nothing_old_through_once_it_is_visible(self, notes):
        sql = "select count(*) from notes"
        ask(notes, sql, reads=("notes",))
        committed, go_on = threading.Event(), threading.Event()

        def write(cursor):
            cursor.execute("insert into notes values ('one')")
            cursor.commit()
            committed.set()
            go_on.wait(60)
            cursor.begin()

        with ThreadPoolExecutor(1) as threads:
            writing = threads.submit(notes.write, "core", write)
            committed.wait(60)
            seen = ask(notes, sql, reads=("notes",))
            go_on.set()
            writing.result()

        assert seen == ask(notes, sql, reads=("notes",)) == ((1,),)


class TestAUsersOwnSql:
    def test_is_never_kept(self, database):
        for _ in range(3):
            database.query(ORDERS)

        assert (cache(database).entries, cache(database).misses) == (0, 0)

    def test_gets_no_answer_that_was_kept_for_another_claim(self, database):
        sql = "select count(*) from facts"
        ask(database, sql, reads=("orders",))
        fact = "insert into facts values (1, 1, '', '', '{}')"
        database.write("core", lambda cursor: cursor.execute(fact), tables=frozenset({"facts"}))

        assert ask(database, sql, reads=("facts",)) == database.query(sql).rows == ((1,),)


class TestAMacroWithTheNameOfAFunction:
    @pytest.mark.parametrize(
        ("macro", "sql"),
        [
            ("abs(x) as (select count(*) from notes)", "select abs(1)"),
            ('"+"(a, b) as (select count(*) from notes)', "select 1 + 2"),
            ('"~~"(a, b) as (select count(*) > 0 from notes)', "select 'a' like 'b'"),
            ("range(x) as table select * from notes", "select count(*) from range(7)"),
        ],
        ids=["function", "operator", "operator by another name", "table function"],
    )
    def test_is_not_called(self, database, macro, sql):
        database.execute("create table notes (n integer)")
        ask(database, sql)
        database.execute(f"create macro {macro}")

        with pytest.raises(QueryRefused, match="found a macro"):
            database.query(sql)

    @pytest.mark.usefixtures("engine_of_its_own")
    def test_is_not_called_in_a_file_that_held_it_before_it_was_ours(self, new_path):
        with duckdb.connect(str(new_path)) as plain:
            plain.execute("create macro abs(x) as 7")

        with DuckDBAdapter(new_path, max_connections=3) as database, pytest.raises(QueryRefused, match="found a macro"):
            database.query("select abs(1)")

    @pytest.mark.parametrize(
        "define",
        [
            "create macro abs(x) as 7",
            "CREATE OR REPLACE MaCrO market.abs(x) AS 7",
            "create function abs(x) as 7",
            "create /* */ or replace\nmacro abs(x) as 7; ",
        ],
    )
    def test_is_seen_however_it_is_defined(self, path, define):
        with DuckDBAdapter(path, max_connections=3) as database:
            database.execute("create table notes (n integer)")
            assert database.query("select abs(-1)").rows == ((1,),)
            database.execute(define, file="market")
            with pytest.raises(QueryRefused, match="found a macro"):
                database.query("select abs(-1)")

    def test_is_not_called_once_it_is_made_beside_the_question(self, database):
        ask(database, "select abs(1)")
        with database.transaction() as transaction:
            transaction.execute("create macro abs(x) as 7")
            before = database.query("select abs(1)").rows

        with pytest.raises(QueryRefused, match="found a macro"):
            database.query("select abs(1)")
        assert before == ((1,),)

    @pytest.mark.parametrize("name", ["lower", "json_serialize_sql", "unnest", "count", "coalesce"])
    def test_does_not_mislead_us(self, database, name):
        database.execute("create table notes (n integer)")
        database.execute(f"create macro {name}(x) as 1")
        ask(database, "select * from notes")

        assert database.query("select n from notes").rows == ()
        with pytest.raises(QueryRefused):
            database.query("select 1; select 2")

    def test_ends_with_it(self, database):
        database.execute("create macro abs(x) as 1")
        ask(database, "select 2")
        database.execute("drop macro abs")

        assert database.query("select abs(-2)").rows == ((2,),)


class TestTheBoundOfBytes:
    @given(sizes=st.lists(st.integers(0, 3_000), max_size=40))
    def test_holds_whatever_is_kept(self, sizes):
        bounded = QueryCache(10_000)
        for number, size in enumerate(sizes):
            rows = Rows(columns=("x",), rows=(("x" * size,),))
            bounded.keep(f"select {number}", (), rows, tables=("notes",), began=0)
            found = bounded.find(f"select {number}", (), ("notes",))

            assert found is None or found == rows
            assert bounded.statistics().bytes <= 10_000
        assert bounded.statistics().entries >= min(len(sizes), 3)

    def test_keeps_out_what_is_too_large_alone(self):
        bounded = QueryCache(1_000)
        bounded.keep("select 1", (), Rows(columns=("x",), rows=(("x" * 2_000,),)), tables=("notes",), began=0)

        assert bounded.statistics().entries == 0


QUESTIONS = (
    ("select count(*), coalesce(max(sequence), 0) from ticks", ("ticks",)),
    ("select symbol, count(*) from market.ticks group by all order by all", ("ticks",)),
    ("select close from candles order by start_ns", ("candles",)),
    ("select sequence from projection", ("projection",)),
    ("select client_order_id, state, filled_quantity from orders order by all", ("orders",)),
    ("select count(*) from orders join fills using (client_order_id)", ("orders", "fills")),
    ("select count(*) from full_ticks", MarketDataRepositoryImpl.reads),
    (
        "with last as (select max(sequence) as last from facts) select * from last, (select count(*) from recorded)",
        ("facts", "recorded"),
    ),
    ("select text from notes order by text", ("notes",)),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), st.integers(0, len(QUESTIONS) - 1)),
        st.tuples(st.sampled_from(["ticks", "candle", "facts", "roll back", "notes", "delete", "sort", "archive"])),
    ),
    min_size=5,
    max_size=20,
)


class Twin:
    """One database, asked with its cache and past it."""

    def __init__(self, database, folder, build):
        self.database, self.folder, self.build = database, folder, build
        self.market, self.read_model = MarketStore(database), ReadModel(database)
        self.number = 0
        database.execute("create or replace table notes (text varchar)")

    def do(self, step):
        self.number += 1
        build, number = self.build, self.number
        match step:
            case "ticks":
                self.market.write(build.ticks(3, start=3 * number, exchange_ns=FRIDAY_NS + number % 2 * DAY_NS))
            case "candle":
                self.market.write([], [build.candle(close=float(number))])
            case "facts":
                start = self.read_model.sequence() + 1
                facts = (build.intended(f"A-{number}"), build.filled(f"A-{number}"))
                self.read_model.apply(build.records(*facts, start=start))
            case "roll back":
                with pytest.raises(ZeroDivisionError), self.database.transaction() as transaction:  # noqa: PT012
                    transaction.execute("insert into notes values ('never')")
                    raise ZeroDivisionError
            case "notes":
                with self.database.transaction() as transaction:
                    transaction.execute("insert into notes values (?)", [str(number)])
            case "delete":
                self.database.execute("delete from ticks where sequence % 2 = 0", file="market")
            case "sort":
                sort_day(self.database, start_day())
            case "archive":
                archive(self.database, self.folder, before=start_day(1))


def start_day(days=0):
    import datetime as dt  # noqa: PLC0415

    return dt.date(2026, 1, 2) + dt.timedelta(days=days)


def past_the_cache(database, sql):
    return database.read(lambda cursor: cursor.execute(sql).fetchall())


class TestAnyOrderOfWritesAndQuestions:
    @settings(max_examples=QUARTER // 2, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(steps=STEPS)
    def test_is_answered_as_without_a_cache(self, tmp_path_factory, build, steps):
        folder = tmp_path_factory.mktemp("twin") / NAME
        folder.mkdir()
        with DuckDBAdapter(folder / "n.duckdb", max_connections=3, directories=[str(folder)]) as database:
            twin = Twin(database, folder, build)
            for sql, reads in QUESTIONS:
                ask(database, sql, reads=reads)
            for step in steps:
                if step[0] == "ask":
                    sql, reads = QUESTIONS[step[1]]
                    assert list(ask(database, sql, reads=reads)) == past_the_cache(database, sql)
                else:
                    twin.do(step[0])
            for sql, reads in QUESTIONS:
                assert list(ask(database, sql, reads=reads)) == past_the_cache(database, sql)

    def test_is_so_while_others_write_at_the_same_time(self, database):
        """Each reader sees a counter that only rises; a stale answer would let it fall."""
        database.execute("create table counter as select 0 as x")
        stop = threading.Event()

        def write():
            for number in range(1, 80):
                database.write(
                    "core",
                    lambda cursor, x=number: cursor.execute("update counter set x = ?", [x]),
                    tables=frozenset({"counter"}),
                )
                told.append(number)
            stop.set()

        def read():
            highest = asked = 0
            while not stop.is_set():
                least = told[-1]
                ((value,),) = ask(database, "select x from counter", reads=("counter",), times=1)
                (fresh,) = past_the_cache(database, "select x from counter")[0]
                assert least <= value <= fresh
                assert highest <= value
                highest, asked = fresh, asked + 1
            return asked

        told = [0]
        with ThreadPoolExecutor(3) as threads:
            reading = [threads.submit(read) for _ in range(2)]
            threads.submit(write).result()

            assert all(job.result() for job in reading)
