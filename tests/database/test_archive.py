"""The archive: an archived day is one database's, and nothing that was once durable is replaced by less."""

import datetime as dt
import functools
import itertools
import shutil
from pathlib import Path

import duckdb
import pytest
from natya_database import migrated

from natya.actors.database import DatabaseDamaged, DuckDBAdapter, OwnFiles
from natya.actors.database.errors import DatabaseTooNew, StatementFailed
from natya.actors.database.tables.archive_folder import archive_folder, make_durable
from natya.actors.database.tables.migrations import migrate, migrations
from natya.actors.database.tables.moments import start_ns
from natya.actors.database.upkeep import days
from natya.actors.database.upkeep.copies import check
from natya.actors.database.upkeep.days import archive
from natya.actors.database.upkeep.recovery import open_database
from natya.actors.database.writing.market import MarketStore
from natya.config.loader import load_settings
from natya.config.sections.database import DatabaseSettings
from natya.messages.database import ArchiveDay

pytestmark = pytest.mark.usefixtures("engines")

DAY = dt.date(2026, 1, 2)
NEXT = DAY + dt.timedelta(days=1)
MORNING_NS = start_ns("2026-01-02T09:15:00")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make the empty files of a database by its name, once: each its own, not a copy of another's."""

    @functools.cache
    def files(name):
        folder = tmp_path_factory.mktemp("made")
        for end in (".duckdb", "-market.duckdb"):
            (folder / f"{name}{end}").write_bytes(migrated()[f"natya{end}"])
        with DuckDBAdapter(folder / f"{name}.duckdb", max_connections=3) as database:
            database.execute("update origin set identity = uuid()::varchar", file="market")
        (folder / f"{name}-market.duckdb.witness").unlink()
        return folder

    return files


@pytest.fixture
def start(tmp_path, made):
    """Open a database by its name, in one folder or another; where there is none, it is an empty one."""

    def opened(name="natya", folder=tmp_path):
        path = folder / f"{name}.duckdb"
        if not path.exists():
            shutil.copytree(made(name), folder, dirs_exist_ok=True)
        return DuckDBAdapter(path, max_connections=3)

    return opened


@pytest.fixture(scope="module")
def engine():
    """A DuckDB that has none of our files."""
    with duckdb.connect() as engine:
        yield engine


@pytest.fixture(scope="module")
def ticks(build):
    def of(count, *, source="recording", start=1, **fields):
        return [
            build.tick(number, exchange_ns=MORNING_NS + number, source=source, **fields)
            for number in range(start, start + count)
        ]

    return of


def put_away(database, before=NEXT):
    return archive(database, archive_folder(database.core_path), before=before)


def seen(database):
    return database.query("select source, sequence from all_ticks order by all").rows


def parquets(folder):
    return {path: path.read_bytes() for path in folder.rglob("*.parquet")}


class TestTwoDatabasesOfOneFolder:
    def test_keep_their_days_apart(self, start, ticks):
        wanted = {}
        for name, count in (("a", 160), ("b", 28)):
            with start(name) as database:
                MarketStore(database).write(ticks(count, source=name))
                wanted[name] = seen(database)
                put_away(database)
        for name in ("a", "b"):
            with start(name) as database:
                assert seen(database) == wanted[name]
                assert database.query("select count(*) from ticks").rows == ((0,),)
                assert check(database) == ()

    def test_do_so_through_the_commands_too(self, tmp_path, build):
        for name in ("b", "a", "b"):
            overrides = {"system.data_dir": str(tmp_path), "database.path": str(tmp_path / f"{name}.duckdb")}
            settings = load_settings("paper", environment={}, overrides=overrides)
            with OwnFiles(settings, read_only=False) as own:
                MarketStore(own.database).write(build.ticks(7, exchange_ns=MORNING_NS, source=name))
                own.work(ArchiveDay(day=str(DAY)), timeout_s=5)
                assert seen(own.database) == tuple((name, number) for number in range(1, 8))


class TestADayThatIsArchivedAgain:
    def test_adds_to_what_is_there(self, start, ticks, tmp_path):
        """Whether less comes late than is there or more."""
        with start() as database:
            MarketStore(database).write(ticks(20))
            put_away(database)
            for there, late in ((20, 1), (21, 50)):
                before = parquets(tmp_path)
                MarketStore(database).write(ticks(late, start=there + 1))
                put_away(database)

                assert parquets(tmp_path).items() > before.items()
                assert len(seen(database)) == there + late
                assert check(database) == ()

    def test_after_the_market_file_was_begun_anew_leaves_the_old_day_as_it_is(self, start, ticks, tmp_path):
        with start() as database:
            MarketStore(database).write(ticks(150))
            put_away(database)
        before = parquets(tmp_path)
        (tmp_path / "natya-market.duckdb").write_bytes(b"damage" * 1_000)
        settings = DatabaseSettings.default(
            path=str(tmp_path / "natya.duckdb"),
            max_connections=3,
            memory_limit_mb=96,
            threads=1,
            batch_rows_max=100,
            batch_wait_s=0.02,
        )
        with open_database(settings, MORNING_NS).database as database:
            MarketStore(database).write(ticks(28, source="another"))
            put_away(database)

            assert len(seen(database)) == 28
        assert before
        assert parquets(tmp_path).items() > before.items()

    def test_after_an_older_copy_was_put_back_leaves_the_old_day_as_it_is(self, start, ticks, tmp_path):
        """The copy has the name of a file that it does not list: the day was archived after it was made."""
        with start() as database:
            MarketStore(database).write(ticks(5))
        older = (tmp_path / "natya-market.duckdb").read_bytes()
        with start() as database:
            MarketStore(database).write(ticks(100, start=6))
            put_away(database)
        before = parquets(tmp_path)
        (tmp_path / "natya-market.duckdb").write_bytes(older)
        with start() as database:
            put_away(database)

            assert len(seen(database)) == 5
        assert parquets(tmp_path).items() > before.items()

    def test_by_a_copy_of_the_database_beside_it_leaves_the_old_day_as_it_is(self, start, ticks, tmp_path):
        with start() as database:
            MarketStore(database).write(ticks(10))
        for end in (".duckdb", "-market.duckdb"):
            shutil.copy(tmp_path / f"natya{end}", tmp_path / f"copy{end}")
        for name, source in (("natya", "x"), ("copy", "y")):
            with start(name) as database:
                MarketStore(database).write(ticks(3, source=source))
                wanted = seen(database)
                put_away(database)
                assert seen(database) == wanted


class TestAFileThatIsNotOurs:
    @pytest.fixture(scope="class")
    @classmethod
    def once_archived(cls, made, ticks, tmp_path_factory):
        folder = Path(shutil.copytree(made("natya"), tmp_path_factory.mktemp("archived"), dirs_exist_ok=True))
        with DuckDBAdapter(folder / "natya.duckdb", max_connections=3) as database:
            MarketStore(database).write(ticks(10))
            (day,) = put_away(database)
        return folder, Path(day.file).relative_to(folder)

    @pytest.fixture
    def archived(self, once_archived, tmp_path):
        """The file of an archived day, in files that every test has a copy of."""
        folder, file = once_archived
        shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
        return tmp_path / file

    def test_says_whose_it_is(self, start, engine, archived):
        with start() as database:
            ((identity,),) = database.query("select identity from origin").rows
            found = engine.execute(f"select decode(key), decode(value) from parquet_kv_metadata('{archived}')")  # noqa: S608  our own text
            metadata = dict(found.fetchall())

        assert metadata == {"natya_database": identity, "natya_day": str(DAY)}
        assert archived.parent.name == identity

    def test_does_not_count_in_the_place_of_ours(self, start, ticks, archived, tmp_path):
        with start("other", tmp_path / "elsewhere") as other:
            MarketStore(other).write(ticks(10, source="foreign"))
            (day,) = put_away(other)
        shutil.copy(day.file, archived)
        with start() as database:
            assert seen(database) == ()
            assert "it is of the database" in database.archive_lacks[0]
            assert any("it is of the database" in found for found in check(database))

    def test_does_not_count_with_fewer_rows(self, start, engine, archived):
        ((identity,),) = engine.execute(
            f"select decode(value) from parquet_kv_metadata('{archived}') where decode(key) = 'natya_database'"  # noqa: S608  our own text
        ).fetchall()
        archived.rename(archived.with_name("whole.parquet"))
        engine.execute(
            f"copy (from '{archived.with_name('whole.parquet')}' limit 9) to '{archived}' "
            f"(format parquet, kv_metadata {{natya_database: '{identity}'}})"
        )
        with start() as database:
            assert "it has 9 rows, 10 wanted" in database.archive_lacks[0]
            assert seen(database) == ()

    def test_does_not_keep_the_others_from_being_read(self, start, ticks, archived):
        with start() as database:
            MarketStore(database).write(ticks(5, start=11))
            put_away(database)
        for content in (b"", b"PAR1 and no more"):
            archived.write_bytes(content)
            with start() as database:
                assert len(seen(database)) == 5
                assert len(database.archive_lacks) == 1

    @pytest.mark.usefixtures("engine_of_its_own")  # which opens files in its own archive alone
    def test_counts_again_when_it_is_back(self, start, archived):
        archived.rename(archived.with_suffix(".away"))
        with start() as database:
            assert "none are there" in database.archive_lacks[0]
            with pytest.raises(StatementFailed, match="put the folder `archive` that belongs to the files"):
                seen(database)
        archived.with_suffix(".away").rename(archived)
        with start() as database:
            assert (len(seen(database)), database.archive_lacks) == (10, ())

    def test_that_stays_away_while_a_day_is_archived_is_not_listed_again(self, start, ticks, archived):
        with start() as database:
            MarketStore(database).write(ticks(5, start=11))
            put_away(database)
        away = archived.rename(archived.with_suffix(".away"))
        with start() as database:
            MarketStore(database).write(ticks(5, start=16))
            put_away(database)
            assert len(seen(database)) == 10
        away.rename(archived)
        with start() as database:
            assert len(seen(database)) == 20

    def test_is_not_read_beside_ours(self, start, archived):
        for name in ("ticks-2026-01-02-9.parquet", "aaa.parquet", "ticks-0.parquet"):
            (archived.parent / name).write_bytes(archived.read_bytes())
            (archived.parents[1] / name).write_bytes(b"nonsense")
        with start() as database:
            assert len(seen(database)) == 10


class TestAnArchiveOfAnOlderVersion:
    """Files lay in the folder itself, without a word of whose they are."""

    @pytest.fixture(scope="class")
    @classmethod
    def parts(cls, ticks, build, tmp_path_factory):
        """What every such database is made of: the files of an archived day, and files without a row."""
        folder = tmp_path_factory.mktemp("parts")
        with DuckDBAdapter(folder / "scratch.duckdb", max_connections=3) as scratch:
            MarketStore(scratch).write(ticks(16, depth=build.depth()))
            put_away(scratch)
        for file in (folder / "archive").rglob("*.parquet"):
            file.rename(folder / file.name)
        with duckdb.connect(folder / "market.duckdb") as market:
            migrate(market, migrations("market")[:4])
        with duckdb.connect(folder / "core.duckdb") as core:
            migrate(core, migrations("core"))
        return folder

    @pytest.fixture
    def older(self, tmp_path, parts, engine):
        """Make a database as a version before this one left it, with one archived day."""

        def made(name, count, *, source):
            folder = tmp_path / "archive"
            folder.mkdir(exist_ok=True)
            shutil.copy(parts / "core.duckdb", tmp_path / f"{name}.duckdb")
            shutil.copy(parts / "market.duckdb", tmp_path / f"{name}-market.duckdb")
            with duckdb.connect(tmp_path / f"{name}-market.duckdb") as market:
                market.execute("insert into recorded values (?, ?)", [source, count])
                market.execute("update origin set candle_batches = 3")
                for table in ("ticks", "books"):
                    file = f"{table}-{DAY}-0.parquet"
                    engine.execute(
                        f"copy (select * replace ('{source}' as source) from '{parts}/{file}' "  # noqa: S608  our own text
                        f"where sequence <= {count}) to '{folder}/{file}' (format parquet)"
                    )
                    market.execute("insert into archived values (?, ?, ?)", [file, DAY, count])
                    market.execute(
                        f"create or replace view all_{table} as select * from {table} union all by name "  # noqa: S608  our own text
                        f"select * exclude (filename) from read_parquet('{folder}/{table}-*.parquet', filename = true) "
                        "where parse_filename(filename) in (select file from archived)"
                    )

        return made

    def test_is_read_and_taken_over(self, older, start, tmp_path):
        older("a", 12, source="a")
        for _ in range(2):
            with start("a") as database:
                assert len(seen(database)) == 12
                assert (database.archive_lacks, check(database)) == ((), ())
                ((file,),) = database.query("select file from archived where file like '%ticks%'").rows
        before = (tmp_path / "archive" / f"ticks-{DAY}-0.parquet").read_bytes()
        assert (tmp_path / "archive" / file).read_bytes() == before

    def test_stays_ours_whatever_is_written_over_the_old_name(self, older, start, tmp_path):
        older("a", 12, source="a")
        start("a").close()
        old = tmp_path / "archive" / f"ticks-{DAY}-0.parquet"
        old.unlink()  # DuckDB renames over it
        old.write_bytes(b"another")
        with start("a") as database:
            assert len(seen(database)) == 12

    def test_is_read_only_by_whose_it_is(self, older, start):
        """The second has overwritten the first one's day."""
        older("a", 16, source="a")
        older("b", 9, source="b")
        with start("b") as database:
            assert len(seen(database)) == 9
        with start("a") as database:
            assert seen(database) == ()
            assert all("wanted" in lack or "wrote over" in lack for lack in database.archive_lacks)
            assert check(database) != ()

    @pytest.mark.parametrize("foreign", ["other source", "beyond what is recorded", "there already"])
    def test_is_not_believed_for_its_rows_alone(self, older, start, tmp_path, foreign):
        older("a", 10, source="b")
        with duckdb.connect(tmp_path / "a-market.duckdb") as market:
            match foreign:
                case "other source":
                    market.execute("update recorded set source = 'a'")
                case "beyond what is recorded":
                    market.execute("update recorded set sequence = 9")
                case _:
                    market.execute(f"insert into ticks values ('b', 5, 'TCS', {MORNING_NS}, 0, 1, 1, 1)")  # noqa: S608  our own text
        with start("a") as database:
            assert "another database wrote over it" in " ".join(database.archive_lacks)
            assert len([row for row in seen(database) if row[0] == "b"]) <= 1

    def test_is_opened_by_no_older_version_any_more(self, older, start, tmp_path):
        older("a", 3, source="a")
        start("a").close()
        with duckdb.connect(tmp_path / "a-market.duckdb") as market, pytest.raises(DatabaseTooNew):
            migrate(market, migrations("market")[:4])


class TestADayThatDoesNotReadBack:
    def test_stays_where_it_is(self, start, engine, ticks, tmp_path, monkeypatch):
        """With fewer rows, and with other prices."""
        with start() as database:
            MarketStore(database).write(ticks(10))
            for selection in ("* from '{}' limit 9", "* replace (price + 1 as price) from '{}'"):

                def harmed(file, selection=selection):
                    engine.execute(f"create or replace table kept as select {selection.format(file)}")
                    engine.execute(f"copy kept to '{file}' (format parquet)")
                    make_durable(file)

                monkeypatch.setattr(days, "make_durable", harmed)
                with pytest.raises(DatabaseDamaged, match="wanted"):
                    put_away(database)

                assert database.query("select count(*) from ticks").rows == ((10,),)
                assert database.query("select count(*) from archived").rows == ((0,),)
        assert parquets(tmp_path) == {}

    def test_leaves_nothing_that_is_in_the_way(self, start, ticks, tmp_path, monkeypatch):
        with start() as database, monkeypatch.context() as patch:
            MarketStore(database).write(ticks(10))
            numbers = itertools.count()
            patch.setattr(days, "fingerprint", lambda *_: (10, next(numbers)))
            with pytest.raises(DatabaseDamaged):
                put_away(database)
        with start() as database:
            (day,) = put_away(database)
            assert day.rows == 10


class TestAUsersOwnFilesInTheFolder:
    def test_stay(self, start, ticks, tmp_path):
        theirs = [tmp_path / "archive" / name for name in ("notes.txt", f"ticks-{DAY}-0.parquet", "sub/x.parquet")]
        for file in theirs:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(b"theirs")
        with start() as database:
            MarketStore(database).write(ticks(10))
            put_away(database)
            assert len(seen(database)) == 10
        assert [file.read_bytes() for file in theirs] == [b"theirs"] * 3

    def test_stay_in_a_workplace_that_was_left(self, start, ticks, tmp_path):
        with start() as database:
            ((identity,),) = database.query("select identity from origin").rows
            place = tmp_path / "archive" / identity / "new-2026-01-02-1"
            place.mkdir(parents=True)
            (place / "ticks.parquet").write_bytes(b"theirs")
            MarketStore(database).write(ticks(10))
            put_away(database)
        assert (place / "ticks.parquet").read_bytes() == b"theirs"
