"""Folders and files of any name: what DuckDB takes for a pattern, an option or a column is a name all the same."""

import contextlib
import os
from pathlib import Path

import duckdb
import pytest
from natya_database import put_migrated

from natya.actors.database import DuckDBAdapter, OwnFiles, ParquetTable, QueryResult, compact, is_parquet, rebuild, take
from natya.actors.database.errors import DatabaseForeign, DatabasePathRefused
from natya.actors.database.results.parquet_table import ParquetUnreadableError
from natya.actors.database.tables.moments import start_ns
from natya.actors.database.tables.sql_text import pattern, unescaped
from natya.actors.database.upkeep.copies import check
from natya.actors.database.writing.market import MarketStore
from natya.cli.exit_codes import CANNOT_CREATE, exit_code
from natya.config.engine_paths import path_problem
from natya.config.errors import SettingsError
from natya.config.loader import load_settings
from natya.messages.database import ArchiveDay, BackUp, QueryToFile

pytestmark = pytest.mark.usefixtures("engines")

NAMES = [
    *("[prod]", "a*b", "**", "a[!b]c", "[", "q]", "{x,y}", "it's", 'say "so"', " spaced ", "per%20cent", "ha#sh"),
    *("new\nline", "é日本", "~nosuchuser", "$HOME", "symbol=TCS", "source=1", "file:x", "s3:", "-x", ";--", "x" * 200),
]
REFUSED = ["q?1", "?", "back\\slash", "end\\", "not utf-8 \udcff"]
MORNING_NS = start_ns("2026-01-02T09:15:00")


@pytest.fixture(params=["[prod]/a*b/**/a[!b]c/symbol=TCS", 'it\'s "so"/per%20#/new\nline é'], ids=ascii)
def home(request, tmp_path):
    """A folder in others, all of such names, with a database in it; a pattern would match those beside each."""
    for name in request.param.split("/"):
        for other in ("prod", "p", "aXb", "adc", "x", "y"):
            (tmp_path / other).mkdir(parents=True)
        tmp_path /= name
    return put_migrated(tmp_path)


@pytest.fixture(params=REFUSED, ids=ascii)
def refused(request):
    return request.param


@pytest.mark.usefixtures("engine_of_its_own")  # which opens files in its own folders alone
class TestAnyName:
    def test_is_a_folder_for_all_that_is_done_in_it(self, home, build):
        settings = load_settings("paper", environment={}, overrides={"system.data_dir": str(home)})
        ticks = build.ticks(10, exchange_ns=MORNING_NS, symbol="NIFTY")
        with OwnFiles(settings, read_only=False) as own:
            MarketStore(own.database).write(ticks)
            (file,) = own.work(ArchiveDay(day="2026-01-02"), timeout_s=5).files
            with QueryResult(own.work(QueryToFile(sql="select symbol, source from all_ticks"), timeout_s=5)) as result:
                assert set(result) == {("NIFTY", "recording")}
                result.write_csv(home / "rows.csv")
                result.write_parquet(home / "rows.parquet")
            for path in own.work(BackUp(), timeout_s=5).paths:
                take(Path(path), home / f"copy {Path(path).name}")
            assert check(own.database) == ()
        assert Path(file).exists()
        assert (home / "rows.csv").read_text().count("NIFTY") == 10
        assert is_parquet(home / "rows.parquet")
        with contextlib.ExitStack() as stack:
            table = ParquetTable(home / "rows.parquet", stack)
            assert (table.header, list(table.rows())) == (["symbol", "source"], [["NIFTY", "recording"]] * 10)

    @pytest.mark.parametrize("home", ["[prod]/a*b"], indirect=True)
    def test_is_where_files_may_be_moved_to(self, home, tmp_path, build):
        with DuckDBAdapter(home / "natya.duckdb", max_connections=3) as database:
            MarketStore(database).write(build.ticks(10))
            database.checkpoint()
        settings = load_settings("paper", environment={}, overrides={"system.data_dir": str(home)}).database
        assert [file.name for file, _ in compact(settings)] == ["natya.duckdb", "natya-market.duckdb"]
        rebuild(settings, [])
        moved = home.rename(tmp_path / f"moved [prod] {home.name}")
        with DuckDBAdapter(moved / "natya.duckdb", max_connections=3) as database:
            assert database.query("select count(*) from all_ticks").rows == ((10,),)

    @pytest.mark.parametrize("name", NAMES, ids=ascii)
    def test_is_one_path_as_a_pattern(self, name):
        assert unescaped(pattern(name)) == name


class TestAFileOfAnyName:
    @pytest.fixture(scope="class")
    @classmethod
    def engine(cls):
        with duckdb.connect() as engine:
            yield engine

    @pytest.mark.parametrize("name", ["a*b", "[x]", "symbol=TCS", "what?", "~x", "file:x", "it's"])
    def test_is_read_alone(self, tmp_path, monkeypatch, engine, name):
        monkeypatch.chdir(tmp_path)
        for number, each in enumerate((name, "aXb", "x", "whatX")):
            engine.execute(f"copy (select {number} as n) to '{tmp_path}/part' (format parquet)")
            (tmp_path / "part").rename(tmp_path / each)
        for path in (tmp_path / name, Path(name)):
            with contextlib.ExitStack() as stack:
                table = ParquetTable(path, stack)
                assert (table.header, list(table.rows())) == (["n"], [["0"]])


class TestAFileThatWasRead:
    @staticmethod
    def rows(path):
        with contextlib.ExitStack() as stack:
            return list(ParquetTable(path, stack).rows())

    def test_is_read_anew_though_it_has_the_same_name_size_and_time(self, tmp_path):
        path, found = tmp_path / "rows.parquet", []
        with duckdb.connect() as engine:
            for number in (1, 2):
                engine.execute(f"copy (select {number} as n) to '{path}' (format parquet)")
                os.utime(path, ns=(0, 0))
                found += self.rows(path)
        assert found == [["1"], ["2"]]

    def test_tells_row_by_row_how_much_of_it_that_is(self, tmp_path):
        path = tmp_path / "rows.parquet"
        with duckdb.connect() as engine:
            engine.execute(f"copy (from range(4)) to '{path}' (format parquet)")
        with contextlib.ExitStack() as stack:
            table = ParquetTable(path, stack)

            assert [table.share(), *(table.share() for _ in table.rows())] == [0, 0.25, 0.5, 0.75, 1]

    def test_and_is_broken_keeps_no_other_from_being_read(self, tmp_path):
        whole, broken = tmp_path / "whole.parquet", tmp_path / "broken.parquet"
        with duckdb.connect() as engine:
            engine.execute(f"copy (select 1 as n) to '{whole}' (format parquet)")
        broken.write_bytes(whole.read_bytes()[:-9])
        with contextlib.ExitStack() as stack:
            before = ParquetTable(whole, stack)
            with pytest.raises(ParquetUnreadableError):
                self.rows(broken)
            assert self.rows(whole) == list(before.rows()) == [["1"]]


ENDINGS = ("csv", "json", "parquet", "sqlite", "txt")


class TestAnEndingThatSaysSomethingElse:
    @pytest.mark.parametrize(
        ("ending", "read_only"), list(zip(ENDINGS, (True, False, True, False, False), strict=True))
    )
    def test_is_that_of_a_database_all_the_same(self, ending, read_only, tmp_path, build):
        path = tmp_path / f"prices.{ending}"
        with DuckDBAdapter(path, max_connections=3) as database:
            database.execute("create table notes as select 'kept' as text", file="core")
            MarketStore(database).write(build.ticks(3))
        with DuckDBAdapter(path, max_connections=3, read_only=read_only) as database:
            if not read_only:
                MarketStore(database).write(build.ticks(4))
            assert database.query("select text from core.notes").rows == (("kept",),)
            assert database.query("select count(*) from market.ticks").rows == ((3 if read_only else 4,),)

    @pytest.mark.parametrize("ending", ENDINGS)
    def test_does_not_make_a_database_of_a_file_that_is_none(self, ending, tmp_path):
        path = tmp_path / f"prices.{ending}"
        path.write_text("date,close\n2026-01-02,100\n")
        with pytest.raises(DatabaseForeign, match="a file of DuckDB wanted"):
            DuckDBAdapter(path, max_connections=3)
        assert path.read_text() == "date,close\n2026-01-02,100\n"


class TestANameThatDuckDBTakesForSomethingElse:
    def test_is_refused_with_the_settings(self, refused, tmp_path):
        for key in ("system.data_dir", "database.path"):
            with pytest.raises(SettingsError, match=r"database\.path: DuckDB takes"):
                load_settings("paper", environment={}, overrides={key: str(tmp_path / refused)})

    def test_is_refused_by_the_adapter_before_anything_is_made(self, refused, tmp_path):
        with pytest.raises(DatabasePathRefused, match="DuckDB takes") as refusal:
            DuckDBAdapter(tmp_path / refused / "natya.duckdb", max_connections=3)
        assert list(tmp_path.iterdir()) == []
        assert exit_code(refusal.value) == CANNOT_CREATE

    def test_is_none_of_the_others(self):
        assert [path_problem(f"/home/{name}/natya.duckdb") for name in NAMES] == [""] * len(NAMES)
