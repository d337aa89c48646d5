"""What a query may do, proven on its tree: everything that is not known to be harmless is refused."""

# ruff: noqa: S608  texts that are put together are what is tried

import contextlib
import os
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from natya_starts import run_python

from natya.actors.database import DuckDBAdapter
from natya.actors.database.errors import DatabaseError, QueryRefused, StatementFailed
from natya.actors.database.queries import reading
from natya.actors.database.queries.functions import FUNCTIONS, TABLE_FUNCTIONS
from natya.actors.database.requests.handler import RequestHandler
from natya.actors.database.upkeep.folders import Folders
from natya.messages.database import QueryToFile

HOSTILE = [
    line for line in Path(__file__).with_name("hostile.sql").read_text().splitlines() if not line.startswith("--")
]

ALLOWED = (
    "select symbol, count(*) from ticks group by symbol",
    "select symbol || '-' || source || '-' || sequence from ticks",
    "select * from orders_utc where symbol = 'TCS'",
    "from all_ticks where exchange_ns between 1 and 2",
    "with a as (from ticks), b as (from a) select * from b order by all limit 3",
    "select rpad(symbol, 20, '.'), lpad(symbol, 20, ' '), repeat('-', 80), repeat('*', least(80, quantity)) from ticks",
    "select string_agg(symbol, ','), list(price), list(price)::varchar, to_json(list(price)) from ticks",
    "select list_transform(list(price), lambda price: price * 2) from ticks",
    "select list_reduce([1, 2, 3], lambda total, each: total + each)",
    "select unnest(range(10)), unnest(generate_series(1, 3)), [x + 1 for x in [1, 2, 3] if x > 1]",
    "select time_bucket(interval 1 minute, make_timestamp_ns(exchange_ns)), first(price) from ticks group by all",
    "select lag(price) over w, avg(price) over (order by sequence) from ticks window w as (order by sequence)",
    "select * from ticks asof join candles on ticks.symbol = candles.symbol and exchange_ns >= start_ns",
    "from (from ticks pivot (sum(quantity) for symbol in ('A', 'B')))",
    "select * from generate_series(timestamp '2026-01-01', timestamp '2026-01-02', interval 1 hour)",
    "select median(price), quantile_cont(price, 0.5), arg_max(price, sequence), count(distinct symbol) from ticks",
    "select fact ->> 'symbol', json_extract_string(fact, '$.symbol') from facts",
    "select case when price > 1 then 'dear' else 'cheap' end, coalesce(price, 0), symbol in ('A', 'B') from ticks",
    "with recursive n as (select 1 as i union all select i + 1 from n where i < 10) select sum(i) from n",
    "select printf('%05d %s', sequence, symbol), format('{:>10}', symbol), strftime(now(), '%Y-%m-%d') from ticks",
    "select grouping(symbol), sum(quantity) from ticks group by rollup (symbol)",
    "summarize ticks",
    "describe orders",
    "show tables",
    "select count(*) from information_schema.tables",
    "select " + " + ".join(["1"] * 300),
    "select * from ticks where symbol in (" + ", ".join(f"'S{number}'" for number in range(2_000)) + ")",
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("allowed")


@pytest.fixture(scope="module")
def places(home):
    (home / "secret.csv").write_text("password\nhunter2\n")
    (home / "link.duckdb").symlink_to(home / "natya.duckdb")
    (home / "archive").mkdir()
    return {"own": home / "natya.duckdb", "folder": home, "other": home / "secret.csv"}


@pytest.fixture(scope="module")
def database(places):
    folder = places["folder"]
    with DuckDBAdapter(places["own"], max_connections=3, directories=[str(folder / "archive")]) as database:
        yield database


def is_locked(file):
    """Whether DuckDB in another process finds the lock of this one."""
    other = run_python(f"import duckdb; duckdb.connect({str(file)!r})")
    return f"(PID {os.getpid()})" in other.stderr


def functions_of_the_engine(*kinds):
    with duckdb.connect() as engine:
        rows = engine.execute(
            "select distinct function_name from duckdb_functions() where list_contains(?, function_type)", [list(kinds)]
        ).fetchall()
    return sorted(name for (name,) in rows)


class TestAHostileStatement:
    def test_is_refused_before_it_runs_and_leaves_the_lock_as_it_was(self, database, places):
        answered = []
        for statement in HOSTILE:
            try:
                answered.append((statement, database.query(statement.format(**places)).rows))
            except QueryRefused:
                continue
            except StatementFailed as failure:
                if "Parser Error" not in str(failure):  # DuckDB's own word for what is no SQL
                    answered.append((statement, str(failure)))

        assert answered == []
        assert len(HOSTILE) > 200
        assert is_locked(places["own"])

    @given(data=st.data())
    def test_is_refused_wherever_it_stands_and_however_it_is_written(self, database, places, data):
        own = str(places["own"])
        spelled = data.draw(st.sampled_from([own, f"file:{own}", f"//{own}", f"/proc/self/root{own}", f"{own}.wal"]))
        name = data.draw(st.sampled_from(["read_blob", "read_text", "glob", "parquet_schema", "sniff_csv", "query"]))
        name = "".join(letter.upper() if data.draw(st.booleans()) else letter for letter in name)
        name = f'"{name}"' if data.draw(st.booleans()) else name
        gap = data.draw(st.sampled_from(["", " ", "/* x */", "\n"]))
        sql = f"select 1 as x from {name}{gap}('{spelled}')"
        for _ in range(data.draw(st.integers(0, 4))):
            frame = data.draw(
                st.sampled_from(
                    [
                        "select * from ({})",
                        "with y as ({}) from y",
                        "with y as not materialized ({}) select 1",
                        "select ({}) as x",
                        "select exists ({}) as x",
                        "{} union all select 2",
                        "select 1 as x where 1 in ({})",
                        "select x from (select 1 as x), lateral ({})",
                        "select list_transform([1], lambda z: ({})) as x",
                        "select case when true then ({}) end as x",
                    ]
                )
            )
            sql = frame.format(sql)

        with pytest.raises(QueryRefused):
            database.query(sql)

    def test_is_refused_with_its_file_in_a_parameter(self, database, places):
        for name in ("read_blob", "read_text", "glob", "query", "query_table"):
            with pytest.raises(QueryRefused):
                database.query(f"select * from {name}(?)", [f"file:{places['own']}"])


class TestAFunctionOfTheEngine:
    def test_that_makes_tables_is_on_the_list_or_refused(self, database):
        for name in functions_of_the_engine("table", "table_macro"):
            if name in TABLE_FUNCTIONS:
                with contextlib.suppress(StatementFailed):  # of its arguments, which are none
                    database.query(f"select * from {name}()")
            else:
                with pytest.raises(QueryRefused, match="not for queries"):
                    database.query(f"select * from {name}('x')")

    def test_that_makes_values_is_on_the_list_or_refused(self, database):
        for name in functions_of_the_engine("scalar", "aggregate", "macro", "window"):
            if name not in FUNCTIONS and name.isidentifier() and name.lower() not in FUNCTIONS:
                with pytest.raises(QueryRefused, match="not for queries"):
                    database.query(f"select {name}(1)")

    def test_of_a_newer_engine_is_refused(self, database):
        for sql in ("select read_everything('x')", "select * from read_everything('x')"):
            with pytest.raises(QueryRefused, match="read_everything is not for queries"):
                database.query(sql)

    def test_on_the_list_is_one_of_this_engine(self):
        known = {name.lower() for name in functions_of_the_engine("table", "scalar", "aggregate", "macro", "window")}
        written_as_syntax = {
            *("cume_dist", "dense_rank", "fill", "first_value", "lag", "last_value", "lead", "nth_value", "ntile"),
            *("percent_rank", "rank", "row_number", "->", "grouping", "grouping_id", "list_value", "unnest"),
        }

        assert (FUNCTIONS | TABLE_FUNCTIONS) - known <= written_as_syntax

    def test_that_reads_files_is_on_no_list(self):
        reading = {name for name in functions_of_the_engine("table", "scalar", "macro") if "read_" in name}
        reading |= {name for name in functions_of_the_engine("table") if "parquet" in name or "csv" in name}

        assert len(reading) > 20
        assert not reading & (FUNCTIONS | TABLE_FUNCTIONS)


class TestAnHonestQuery:
    def test_is_answered(self, database):
        for sql in ALLOWED:
            assert database.query(sql).columns, sql


class TestAViewOfTheUsers:
    def test_is_answered(self, database):
        database.execute("create or replace view mine as select symbol, max(price) as price from ticks group by all")

        assert database.query("select * from mine").columns == ("symbol", "price")

    @pytest.mark.parametrize(
        "body", ["select * from read_text('{own}')", "select * from below", "select getvariable('x')", "from '{other}'"]
    )
    def test_is_looked_into(self, home, places, body):
        with DuckDBAdapter(home / "views.duckdb", max_connections=3, directories=[str(home)]) as database:
            database.write(
                "market",
                lambda cursor: cursor.execute(f"create or replace view below as from read_text('{places['other']}')"),
            )
            database.write(
                "market", lambda cursor: cursor.execute(f"create or replace view above as {body.format(**places)}")
            )
            for sql in ("select count(*) from above", "with x as (from market.above) select 1 from x"):
                with pytest.raises(QueryRefused):
                    database.query(sql)

    def test_that_comes_later_is_looked_into_all_the_same(self, home, places):
        with DuckDBAdapter(home / "later.duckdb", max_connections=3, directories=[str(home)]) as database:
            database.execute("create view mine as select 1 as x")
            for _ in range(3):
                assert database.query("select * from mine").rows == ((1,),)
            database.write(
                "core", lambda cursor: cursor.execute(f"create or replace view mine as from '{places['other']}'")
            )

            with pytest.raises(QueryRefused):
                database.query("select * from mine")

    def test_that_reads_itself_through_another_is_looked_into_once(self, home, monkeypatch):
        below, looked = reading._below, []

        def once(cursor, tables, views):
            looked.append(tables)
            assert len(looked) < 10, "it goes round"
            return below(cursor, tables, views)

        monkeypatch.setattr(reading, "_below", once)
        with DuckDBAdapter(home / "round.duckdb", max_connections=3) as database:
            database.execute("create view first as select 1 as x")
            database.execute("create view second as from first")
            database.execute("create or replace view first as from second")

            with pytest.raises(StatementFailed, match="recursion"):
                database.query("select * from first")


class TestAMacroOfTheUsers:
    def test_is_not_called(self, home, places):
        with DuckDBAdapter(home / "macros.duckdb", max_connections=3, directories=[str(home)]) as database:
            database.execute("create macro dice() as random()")
            database.execute(f"create macro upper(x) as (select content from read_text('{places['other']}'))")
            database.execute(f"create macro range(x) as table select * from read_text('{places['other']}')")
            for sql in ("select dice()", "select upper('x')", "select * from range(3)", "select core.main.upper('x')"):
                with pytest.raises(QueryRefused):
                    database.query(sql)

    def test_is_not_called_by_one_of_many_views_either(self, home, places):
        """Whichever of them is looked into first, or reads no table."""
        with DuckDBAdapter(home / "many.duckdb", max_connections=3, directories=[str(home)]) as database:
            names = [f"plain_{number}" for number in range(12)]
            for name in names:
                database.execute(f"create view {name} as select 1 as x")
            database.execute("create view calls as select upper('x') as x")
            database.execute(f"create macro upper(x) as (select content from read_text('{places['other']}'))")
            assert database.query(f"select 1 from {', '.join(names)}").rows == ((1,),)

            with pytest.raises(QueryRefused, match="found a macro of the name upper"):
                database.query(f"select 1 from {', '.join([*names, 'calls'])}")


class TestAQueryToAFile:
    def test_is_looked_into_as_well(self, places, tmp_path):
        folders = Folders.beside(str(tmp_path / "natya.duckdb"), life="1")
        with DuckDBAdapter(tmp_path / "natya.duckdb", max_connections=3, directories=folders.allowed()) as database:
            handler = RequestHandler(database, folders)
            for statement in HOSTILE:
                with pytest.raises(DatabaseError):
                    handler.perform(QueryToFile(sql=statement.format(**places)))
            own = str(tmp_path / "natya.duckdb")
            with pytest.raises(QueryRefused):
                handler.perform(QueryToFile(sql=f"from read_blob('file:{own}')"))

            assert is_locked(own)
