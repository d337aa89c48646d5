"""Attempts to break out of the database: each names the door that it tries."""

import stat

import pytest

from natya.actors.database import DuckDBAdapter
from natya.actors.database.errors import DatabaseError, StatementFailed

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


@pytest.fixture
def secret(tmp_path):
    file = tmp_path / "secret.csv"
    file.write_text("password\nhunter2\n")
    return file


@pytest.fixture
def archive(tmp_path):
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder


@pytest.fixture
def database(path, archive):
    with DuckDBAdapter(path, max_connections=3, directories=[str(archive)]) as database:
        yield database


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
        ],
    )
    def test_cannot_be_read(self, database, secret, archive, sql):
        (archive / "link.csv").symlink_to(secret)

        with pytest.raises(StatementFailed):
            database.query(sql.format(secret=secret, archive=archive))

    @pytest.mark.parametrize(
        "sql",
        [
            "copy (select 1) to '{folder}/out.csv'",
            "export database core to '{folder}/out'",
            "attach '{folder}/other.duckdb'",
            "install httpfs",
            "load '{folder}/x.duckdb_extension'",
        ],
    )
    def test_cannot_be_written_or_loaded(self, database, tmp_path, sql):
        before = sorted(tmp_path.iterdir())

        with pytest.raises(StatementFailed):
            database.execute(sql.format(folder=tmp_path))

        assert sorted(tmp_path.iterdir()) == before

    def test_that_are_allowed_can_be_used(self, database, archive):
        database.execute(f"copy (select 42 as answer) to '{archive}/out.parquet' (format parquet)")

        assert database.query("select * from read_parquet(?)", [f"{archive}/out.parquet"]).rows == ((42,),)


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
        ],
    )
    def test_cannot_be_changed_any_more(self, database, sql):
        with pytest.raises(StatementFailed):
            database.execute(sql)

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
    def test_are_for_their_owner_alone(self, database, path, tmp_path):
        database.execute("create table notes (text varchar)")

        files = [file for file in tmp_path.iterdir() if file.name.startswith("natya")]
        assert {file.name for file in files} >= {
            path.name,
            "natya-market.duckdb",
            "natya.duckdb.lock",
            path.name + ".wal",
        }
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


class TestValuesThatLookLikeSql:
    @pytest.mark.parametrize("text", INJECTIONS)
    def test_are_values(self, database, text):
        before = schema(database)

        assert database.query("select ?", [text]).rows == ((text,),)
        assert database.query("select count(*) from ticks where symbol = ?", [text]).rows == ((0,),)
        database.execute("insert into recorded values (?, 1)", [text], file="market")

        assert database.query("select source from recorded").rows == ((text,),)
        assert schema(database) == before

    @pytest.mark.parametrize("text", INJECTIONS)
    def test_harm_nothing_as_statements(self, database, text):
        before = schema(database)

        for call in (database.query, database.execute):
            with pytest.raises(DatabaseError):
                call(text)

        assert schema(database) == before
