"""Attempts to break out of the database: each names the door that it tries."""

import contextlib
import itertools
import os
import stat

import duckdb
import pytest
from natya_starts import run_python

from natya.actors.database import (
    DuckDBAdapter,
    EventRepository,
    FillRepository,
    MarketDataRepositoryImpl,
    OrderRepository,
    PositionRepository,
)
from natya.actors.database.errors import DatabaseEncrypted, DatabaseError, QueryRefused, StatementFailed
from natya.actors.database.queries.statements import NESTED_MAX
from natya.actors.database.writing.market import MarketStore
from natya.actors.database.writing.read_model import ReadModel
from natya.config.loader import load_settings
from natya.messages.database import Query
from natya.system import TradingSystem

INJECTIONS = [
    "'; drop table ticks; --",
    "x' or '1'='1",
    '"; drop table ticks; --',
    "ticks; delete from ticks",
    "\x00",
    "%s %d {0} $1 ?",
    "Robert'); DROP TABLE orders;--",
    "/* */ union select 1",
]


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The folder of one database for all attempts: each of them finds it as it was."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def secret(home):
    file = home / "secret.csv"
    file.write_text("password\nhunter2\n")
    return file


@pytest.fixture(scope="module")
def archive(home, secret):
    folder = home / "archive"
    folder.mkdir()
    (folder / "link.csv").symlink_to(secret)
    (folder / "link.duckdb").symlink_to(home / "natya.duckdb")
    return folder


@pytest.fixture(scope="module")
def database(home, archive):
    with DuckDBAdapter(home / "natya.duckdb", max_connections=3, directories=[str(archive)]) as database:
        yield database


def values_of_all_settings(database):
    return dict(database.query("select name, value from duckdb_settings() order by name").rows)


def schema(database):
    return database.query("select database_name, table_name, sql from duckdb_tables() order by all").rows


class TestFilesOutside:
    @pytest.mark.parametrize(
        "sql",
        [
            "select * from read_csv('{secret}')",
            "select * from read_text('{secret}')",
            "select * from '{secret}'",
            "select * from glob('/etc/*')",
            "select * from read_text('{archive}/../secret.csv')",
            "select * from read_text('{archive}/link.csv')",
            "select * from read_csv('http://localhost/x.csv')",
            "select * from read_csv('s3://bucket/x.csv')",
            "select * from read_json('{secret}')",
            "select * from read_parquet(['{archive}/*.parquet', '{secret}'])",
            "select * from glob('{archive}/../*')",
            "select * from sniff_csv('{secret}')",
            "select * from parquet_metadata('{secret}')",
            "with x as (select * from read_text('{secret}')) select * from x",
            "select (select content from read_text('{secret}'))",
            "summarize from read_csv('{secret}')",
        ],
    )
    def test_cannot_be_read(self, database, secret, archive, sql):
        statement = sql.format(secret=secret, archive=archive)

        for call in (database.query, database.execute):
            with pytest.raises((StatementFailed, QueryRefused)):
                call(statement)

    @pytest.mark.parametrize(
        "sql",
        [
            "copy (select 1) to '{folder}/out.csv'",
            "export database core to '{folder}/out'",
            "attach '{folder}/other.duckdb'",
            "install httpfs",
            "load '{folder}/x.duckdb_extension'",
            "install httpfs from '{folder}'",
            "force install httpfs",
            "create table stolen as select * from read_text('{folder}/secret.csv')",
            "copy ticks from '{folder}/secret.csv'",
            "import database '{folder}'",
            "attach '{folder}/natya.duckdb' as again",
            "attach 'http://localhost/x.duckdb'",
            "create secret (type s3, key_id 'x', secret 'y')",
            "create persistent secret (type http, bearer_token 'x')",
        ],
    )
    def test_cannot_be_written_or_loaded(self, database, home, sql):
        before = sorted(home.iterdir())

        with pytest.raises((StatementFailed, QueryRefused)):
            database.execute(sql.format(folder=home))

        assert sorted(home.iterdir()) == before

    def test_that_are_allowed_can_be_used(self, database, archive):
        database.execute(f"copy (select 42 as answer) to '{archive}/out.parquet' (format parquet)")

        found = database.read(lambda cursor: cursor.execute(f"from '{archive}/out.parquet'").fetchall())
        assert found == [(42,)]


class TestTheDatabaseFilesThemselves:
    """DuckDB allows them to `read_blob` and the like; one that opens and closes a file drops the lock on it."""

    SQL = (
        "select length(content) from read_blob('{own}')",
        "select length(content) from READ_BLOB('{folder}/archive/../natya.duckdb')",
        "select * from read_text('{folder}/n*')",
        "select * from read_parquet('{own}')",
        "select * from read_csv('{folder}/*')",
        "select * from glob('{folder}/*')",
        "select * from '{own}'",
        "select * from 'natya.duckdb'",
        "select * from read_duckdb('{own}')",
        "select * from query('select * from read_blob(''{own}'')')",
        "select * from query_table('{own}')",
        "select * from read_blob('{own}' || '')",
        "select * from read_blob((select '{own}'))",
        "select * from read_blob(getvariable('own'))",
        "select * from (select 1), lateral (select * from read_blob('{own}'))",
        "select (select max(length(content)) from read_blob('{own}'))",
        "describe select * from read_blob('{own}')",
        "with x as materialized (from read_blob('{own}')) from x",
    )

    def test_are_not_read_through_a_parameter_or_a_link(self, database, home, archive):
        for file in (str(home / "natya.duckdb"), str(archive / "link.duckdb")):
            with pytest.raises(QueryRefused):
                database.query("select * from read_blob(?)", [file])

    def test_stay_locked_against_plain_duckdb(self, database, home):
        for sql in self.SQL:
            with pytest.raises(QueryRefused):
                database.query(sql.format(own=home / "natya.duckdb", folder=home))
        other = run_python(f"import duckdb; duckdb.connect({str(home / 'natya.duckdb')!r})")

        assert f"(PID {os.getpid()})" in other.stderr

    @pytest.mark.parametrize(
        "sql",
        [
            "from enable_logging(storage_path = '/tmp/x')",
            "from force_checkpoint()",
            "from json_execute_serialized_sql('{{}}')",
            "from duckdb_secrets()",
            "from register_external_resource('x')",
        ],
    )
    def test_functions_that_act_are_not_for_queries(self, database, sql):
        with pytest.raises(QueryRefused, match="not for queries"):
            database.query(sql)


class TestSettings:
    @pytest.mark.parametrize(
        "sql",
        [
            "set enable_external_access = true",
            "set memory_limit = '100GB'",
            "set threads = 64",
            "set lock_configuration = false",
            "set allowed_directories = ['/']",
            "reset memory_limit",
            "pragma temp_directory = '/'",
            "set session memory_limit = '1GB'",
            "set global threads = 64",
            "set operator_memory_limit = '100GB'",
            "set enable_progress_bar = true",
            "set search_path = 'market'",
            "use market",
            "set allowed_configs = ['threads']",
            "set allowed_paths = ['/etc/passwd']",
            "set fsync_mode = 'NONE'",
            "set checkpoint_threshold = '1TB'",
            "set force_mbedtls_unsafe = true",
            "pragma enable_checkpoint_on_shutdown",
            "pragma disable_checkpoint_on_shutdown",
            "reset all",
        ],
    )
    def test_cannot_be_changed_any_more(self, database, sql):
        before = values_of_all_settings(database)

        with pytest.raises((StatementFailed, QueryRefused)):
            database.execute(sql)

        assert values_of_all_settings(database) == before

    def test_none_of_all_that_duckdb_knows_can_be_changed(self, database):
        """No `allowed_configs`: it would let every connection change those again, after the lock."""
        before = values_of_all_settings(database)
        for name in before:
            for sql in (f"set {name} = '1'", f"reset {name}", f"set global {name} = '1'", f"set session {name} = '1'"):
                with pytest.raises(QueryRefused):
                    database.execute(sql)
                if name not in {"schema", "search_path"}:
                    with pytest.raises(StatementFailed, match="has been locked"):
                        database.read(lambda cursor, sql=sql: cursor.execute(sql))

        assert len(before) > 100
        assert values_of_all_settings(database) == before

    def test_variables_of_the_caller_are_no_tables(self, database):
        columns = {"x": [1]}

        with pytest.raises(StatementFailed, match="columns"):
            database.query("select * from columns")
        assert columns


class TestMemory:
    def test_a_query_that_allocates_without_end_is_stopped(self, tmp_path):
        with DuckDBAdapter(tmp_path / "small.duckdb", max_connections=3, memory_limit_mb=64) as database:
            with pytest.raises(DatabaseError):
                database.query("select length(list(range)::varchar) from range(30_000_000)", timeout_s=20)

            assert database.query("select 1").rows == ((1,),)


class TestFilesOfOurOwn:
    def test_are_for_their_owner_alone(self, database, home):
        database.execute("create or replace table notes (text varchar)")

        files = [file for file in home.iterdir() if file.name.startswith("natya")]
        assert {file.name for file in files} >= {
            "natya.duckdb",
            "natya.duckdb.wal",
            "natya.duckdb.lock",
            "natya-market.duckdb",
            "natya-market.duckdb.witness",
        }
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


class TestValuesThatLookLikeSql:
    @pytest.mark.parametrize("text", INJECTIONS)
    def test_are_values(self, database, text):
        before = schema(database)

        assert database.query("select ?", [text]).rows == ((text,),)
        assert database.query("select count(*) from ticks where symbol = ?", [text]).rows == ((0,),)
        database.execute("delete from recorded", file="market")
        database.execute("insert into recorded values (?, 1)", [text], file="market")

        assert database.query("select source from recorded").rows == ((text,),)
        assert schema(database) == before

    @pytest.mark.parametrize("value", ["\ud800", 1 << 200, object(), {"a": object()}], ids=range(4))
    def test_that_duckdb_cannot_take_are_refused(self, database, value):
        for call in (database.query, database.execute):
            with pytest.raises((QueryRefused, StatementFailed)):
                call("select ?", [value])

    @pytest.mark.parametrize(
        "sql", ["select '\ud800'", "select " + "(" * 5_000, "select " + "(" * 900 + "1" + ")" * 900]
    )
    def test_that_no_text_may_be_are_refused_or_answered(self, database, sql):
        with contextlib.suppress(QueryRefused, StatementFailed):
            assert database.query(sql).rows == ((1,),)

        assert database.query("select " + "1+" * 300 + "1").rows == ((301,),)

    def test_have_so_many_brackets_within_brackets_and_any_number_beside_each_other(self, database):
        side_by_side = " + ".join(["(1)"] * (NESTED_MAX + 1))
        assert database.query(f"select length('{side_by_side}')").rows == ((len(side_by_side),),)
        with pytest.raises(QueryRefused, match="brackets within brackets"):
            database.query("select " + "(" * (NESTED_MAX + 1) + "1" + ")" * (NESTED_MAX + 1))

    @pytest.mark.parametrize("text", INJECTIONS)
    def test_harm_nothing_as_statements(self, database, text):
        before = schema(database)

        for call in (database.query, database.execute):
            with pytest.raises(DatabaseError):
                call(text)

        assert schema(database) == before


class TestEncryption:
    def test_is_refused_where_the_engine_cannot_do_it_safely(self, new_path):
        with pytest.raises(DatabaseEncrypted, match="cannot encrypt safely"):
            DuckDBAdapter(new_path, max_connections=3, encryption_key="a key of thirty-two bytes, or so")

        assert not new_path.exists() or new_path.stat().st_size == 0

    def test_of_a_file_that_we_have_no_key_for_is_no_damage(self, new_path):
        with duckdb.connect() as unsafe:
            unsafe.execute("set force_mbedtls_unsafe = 'true'")
            unsafe.execute(f"attach '{new_path}' as secret (encryption_key 'x')")
        before = new_path.read_bytes()

        with pytest.raises(DatabaseEncrypted, match="without a key"):
            DuckDBAdapter(new_path, max_connections=3)

        assert new_path.read_bytes() == before

    def test_key_for_a_file_in_the_clear_is_refused(self, new_path):
        with DuckDBAdapter(new_path, max_connections=3):
            pass
        before = new_path.read_bytes()

        with pytest.raises(DatabaseEncrypted):
            DuckDBAdapter(new_path, max_connections=3, encryption_key="x")

        assert new_path.read_bytes() == before


class TestInjectionThroughEveryPublicMethod:
    """Each text goes in wherever a text goes in, and what is there afterwards is what was there before."""

    @pytest.fixture(scope="class")
    @classmethod
    def filled(cls, class_path, build):
        with DuckDBAdapter(class_path, max_connections=3) as database:
            yield cls.fill(database, build)

    @staticmethod
    def fill(database, build):
        MarketStore(database).write(build.ticks(3), [build.candle()])
        ReadModel(database).apply(build.records(build.intended(), build.filled()))
        return database

    def test_of_the_adapter_changes_nothing(self, filled):
        before = everything(filled)
        calls = [
            filled.query,
            lambda text: filled.query("select ?", [text]),
            lambda text: filled.query("select * from read_csv(?)", [text]),
            lambda text: filled.query(f"select * from {text}"),  # noqa: S608  that is the attempt
            lambda text: filled.query(f"select * from read_csv({text})"),  # noqa: S608  the same
            lambda text: filled.kept(text, [text], (text,)),
            filled.execute,
            lambda text: filled.execute("select ?", [text], file="market"),
            lambda text: one_of_a_transaction(filled, text),
            lambda text: one_of_a_transaction(filled, "select ?", [text]),
        ]
        for call, text in itertools.product(calls, INJECTIONS):
            with contextlib.suppress(DatabaseError):
                call(text)

        assert everything(filled) == before

    @pytest.mark.parametrize(
        "repository",
        [MarketDataRepositoryImpl, OrderRepository, FillRepository, PositionRepository, EventRepository],
    )
    def test_of_the_repositories_changes_nothing(self, filled, repository):
        before = everything(filled)
        with repository(filled) as rows:
            calls = [
                lambda text: rows.get(*[text] * len(rows.key)),
                lambda text: rows.find(**dict.fromkeys(rows.searchable or rows.entity.__struct_fields__, text)),
                lambda text: rows.find(**{text: 1}),
                lambda text: rows.count(**{text: text}),
                lambda text: rows.delete(*[text] * len(rows.key)),
            ]
            if repository is MarketDataRepositoryImpl:
                calls += [
                    lambda text: rows.find_by_symbol_and_date_range(text, 0, 9),
                    lambda text: rows.find_by_symbol_and_date_range("NIFTY", text, text),
                    rows.latest,
                    lambda text: rows.as_of(text, 5),
                    lambda text: rows.candles(text, "1m", 0, 9),
                    lambda text: rows.candles("NIFTY", text, 0, 9),
                    lambda text: rows.gaps(text, 0),
                ]
            for call, text in itertools.product(calls, INJECTIONS):
                with contextlib.suppress(DatabaseError, ValueError, TypeError):
                    call(text).result()

        assert everything(filled) == before

    @pytest.mark.parametrize("text", INJECTIONS)
    def test_as_market_data_is_kept_as_it_is(self, filled, build, text):
        before = schema(filled)
        with MarketDataRepositoryImpl(filled) as market:
            assert market.save_ticks([build.tick(1, symbol=text, source=text)]).success
            assert market.save_candles([build.candle(symbol=text, source=text)]).success
            assert market.latest(text).data.symbol == text

        assert schema(filled) == before


def one_of_a_transaction(database, *statement):
    with database.transaction() as transaction:
        transaction.execute(*statement)


def everything(database):
    tables = database.query("select database_name || '.' || table_name from duckdb_tables() order by all").rows
    contents = [
        database.read(lambda cursor, name=name: cursor.execute(f"from {name}").fetchall()) for (name,) in tables
    ]
    return schema(database), contents


class TestSecrets:
    def test_are_in_no_file_of_the_database(self, tmp_path):
        """A whole paper run whose settings hold secrets; then every byte that it left is looked through."""
        secret = "hunter2-of-the-broker"  # noqa: S105  of nobody
        overrides = {
            "system.data_dir": str(tmp_path / "data"),
            "broker.client_id": "me",
            "feed.duration_s": 0.5,
            "log.path": str(tmp_path / "natya.log"),
        }
        environment = {"BROKER_ACCESS_TOKEN": secret}
        with TradingSystem(load_settings("paper", environment=environment, overrides=overrides)) as system:
            system.await_end(30)
            tables = system.request("database", Query(sql="select * from facts"), timeout_s=10)
            system.stop()

        left = [file for file in tmp_path.rglob("*") if file.is_file()]
        assert any(file.suffix == ".duckdb" and file.stat().st_size > 0 for file in left)
        assert [file for file in left if secret.encode() in file.read_bytes()] == []
        assert secret not in str(tables)
