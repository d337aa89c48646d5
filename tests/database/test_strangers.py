"""Files and folders of others where the database's own would be: they stay as they are."""

import os
import shutil
import stat
from pathlib import Path

import duckdb
import pytest
from natya_database import put_migrated

from natya.actors.database import (
    DatabaseMissing,
    DuckDBAdapter,
    MarketDataRepositoryImpl,
    OrderRepository,
    OwnFiles,
    QueryResult,
    compact,
    rebuild,
    take,
)
from natya.actors.database.engine.strangers import stranger
from natya.actors.database.errors import (
    DatabaseDamaged,
    DatabaseForeign,
    DatabasePathRefused,
    DatabaseUnreachable,
    StatementFailed,
)
from natya.actors.database.requests.handler import RequestHandler
from natya.actors.database.tables.moments import start_ns
from natya.actors.database.upkeep.copies import back_up, snapshot
from natya.actors.database.upkeep.folders import Folders
from natya.actors.database.upkeep.recovery import open_database
from natya.actors.database.writing.market import MarketStore
from natya.config.data_directory import DataDirectory, DataDirectoryError
from natya.config.loader import load_settings
from natya.config.sections.database import DatabaseSettings
from natya.messages.database import ArchiveDay, BackUp, QueryToFile, RowsFile

pytestmark = pytest.mark.usefixtures("engines")

NOBODY = 65534
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def settings(path):
    return of_the_file(path)


def of_the_file(path):
    return DatabaseSettings.default(
        path=str(path), max_connections=3, memory_limit_mb=96, threads=1, batch_rows_max=100, batch_wait_s=0.02
    )


@pytest.fixture
def theirs(tmp_path):
    return a_strangers(tmp_path / "theirs")


def a_strangers(folder):
    """Make a folder with a file and a folder in it, each called as one of ours might be."""
    (folder / "1-1").mkdir(parents=True)
    for name in ("1", "1.parquet", "1-1/natya.duckdb", "natya.duckdb", "ticks.parquet", "notes.txt"):
        (folder / name).write_text("theirs")
    return folder


def contents(folder):
    return {
        path.relative_to(folder): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))
    }


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """Files that have lived so, of which every test has a copy."""
    folder = put_migrated(tmp_path_factory.mktemp("lived"))
    live(of_the_file(folder / "natya.duckdb"))
    return folder


def live(settings):
    """Open and close the files as the actor does, and hand something over."""
    opened = open_database(settings, 1)
    with opened.database:
        handler = RequestHandler(opened.database, opened.folders)
        with QueryResult(handler.perform(QueryToFile(sql="select 7"))) as result:
            assert result.rows == ((7,),)
        handler.perform(BackUp())
    handler.close()


class TestAFolderOfAUsersOwn:
    def test_stays_whatever_its_name(self, settings, tmp_path):
        names = ("handover", "natya.duckdb.handover", "natya.duckdb.handover-2", "archive")
        before = {folder: contents(folder) for folder in (a_strangers(tmp_path / name) for name in names)}
        for _ in range(2):
            live(settings)

        assert {folder: contents(folder) for folder in before} == before

    def test_stays_where_this_very_life_wants_its_name(self, settings, tmp_path):
        folder = a_strangers(tmp_path / "natya.duckdb.handover-1")
        before = contents(folder)
        for _ in range(2):
            with pytest.raises(StatementFailed, match="is not ours: move it away"):
                live(settings)

        assert contents(folder) == before

    def test_stays_behind_a_link(self, settings, theirs):
        names = ("handover", "natya.duckdb.handover-7", "natya.duckdb.new-1", "natya.duckdb.new")
        links = [theirs.with_name(name) for name in names]
        for link in links:
            link.symlink_to(theirs)
        before = contents(theirs)
        live(settings)
        rebuild(settings, [])
        compact(settings)

        assert contents(theirs) == before
        assert all(link.is_symlink() for link in links)

    def test_stays_beside_a_rebuild(self, settings, tmp_path):
        names = ("natya.duckdb.new", "natya.duckdb.new-1", "natya.duckdb.old-1")
        before = {folder: contents(folder) for folder in (a_strangers(tmp_path / name) for name in names)}
        rebuild(settings, [])
        compact(settings)

        assert {folder: contents(folder) for folder in before} == before

    def test_stays_in_a_folder_of_ours(self, settings, theirs, tmp_path):
        opened = open_database(settings, 1)
        handler = RequestHandler(opened.database, opened.folders)
        handler.perform(QueryToFile(sql="select 7"))
        opened.database.close()
        handover = opened.folders.handover.path
        (handover / "link").symlink_to(theirs)
        (handover / "9.parquet").symlink_to(theirs / "notes.txt")
        (handover / "notes.txt").write_text("theirs")
        before = contents(theirs)
        live(settings)

        assert contents(theirs) == before
        assert (handover / "notes.txt").read_text() == "theirs"
        assert not (handover / "1.parquet").exists()


class TestAFileOfAUsersOwn:
    @pytest.mark.parametrize("end", ["", ".wal"])
    def test_stays_beside_a_rebuild(self, settings, path, end):
        mine = path.with_name(f"natya.duckdb.old-1{end}")
        mine.write_text("theirs")
        path.with_name("natya.duckdb.wal").write_bytes(b"")
        _, old = rebuild(settings, [])

        assert mine.read_text() == "theirs"
        assert old.name == "natya.duckdb.old-2"

    @pytest.mark.parametrize("end", ["", ".wal", ".witness"])
    def test_stays_where_a_damaged_one_is_put_aside(self, settings, path, end):
        moment = "natya-market.duckdb.corrupt-19700101T000000Z"
        mine = path.with_name(f"{moment}{end}")
        mine.write_text("theirs")
        path.with_name("natya-market.duckdb").write_bytes(b"damage" * 1_000)
        path.with_name("natya-market.duckdb.wal").write_bytes(b"")
        opened = open_database(settings, 1)
        opened.database.close()

        assert mine.read_text() == "theirs"
        assert opened.put_aside == (str(path.with_name(f"{moment}-1")),)

    @pytest.mark.parametrize("end", ["", ".wal"])
    def test_stays_where_a_backup_would_be(self, database, tmp_path, end):
        for name in ("copy.duckdb", "natya.duckdb"):
            (tmp_path / "place").mkdir(exist_ok=True)
            (tmp_path / "place" / f"{name}{end}").write_text("theirs")
        with pytest.raises(FileExistsError, match="is there already"):
            snapshot(database, tmp_path / "place" / "copy.duckdb")
        with pytest.raises(FileExistsError, match="is there already"):
            back_up(database, tmp_path / "place")

        assert set(contents(tmp_path / "place").values()) == {b"theirs"}

    def test_with_the_name_of_a_witness_moves_aside(self, settings, path):
        witness = path.with_name("natya-market.duckdb.witness")
        witness.write_text("a user's own notes")
        open_database(settings, 1).database.close()
        open_database(settings, 2).database.close()

        assert path.with_name("natya-market.duckdb.witness.corrupt-1").read_text() == "a user's own notes"

    def test_with_the_name_of_a_lock_is_left_alone(self, settings, path):
        path.with_name("natya.duckdb.lock").write_text("a user's own notes")
        with pytest.raises(DatabaseUnreachable, match="holds something that is not ours"):
            open_database(settings, 1)
        assert path.with_name("natya.duckdb.lock").read_text() == "a user's own notes"


class TestALinkInThePlaceOfOurs:
    @pytest.mark.parametrize("name", ["natya.duckdb.lock", "natya-market.duckdb.witness"])
    @pytest.mark.parametrize("is_dangling", [False, True])
    def test_is_refused_and_its_target_stays(self, settings, path, tmp_path, name, is_dangling):
        victim = tmp_path / "victim"
        if not is_dangling:
            victim.write_text("1234 a key")
            victim.chmod(0o600)
        path.with_name(name).unlink()
        path.with_name(name).symlink_to(victim)

        with pytest.raises(DatabaseUnreachable, match="is a link"):
            open_database(settings, 1)
        assert is_dangling is not victim.exists()
        assert is_dangling or victim.read_text() == "1234 a key"

    def test_is_refused_as_the_lock_of_a_data_directory(self, tmp_path):
        (tmp_path / "victim").write_text("77")
        (tmp_path / "natya.lock").symlink_to(tmp_path / "victim")

        with pytest.raises(DataDirectoryError, match=r"natya\.lock is a link"):
            DataDirectory(tmp_path).take()
        assert (tmp_path / "victim").read_text() == "77"


class TestAFolderThatOthersMayWriteTo:
    @pytest.mark.parametrize("mode", [0o777, 0o770, 0o1777])
    def test_is_no_data_directory(self, tmp_path, mode):
        tmp_path.chmod(mode)
        with pytest.raises(DataDirectoryError, match=rf"mode {mode:04o}\): chmod go-w"):
            DataDirectory(tmp_path).take()
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("read_only", [True, False])
    def test_is_opened_by_no_command(self, path, tmp_path, read_only):
        settings = load_settings("paper", environment={}, overrides={"system.data_dir": str(tmp_path)})
        tmp_path.chmod(0o777)
        before = contents(tmp_path)
        with pytest.raises((DataDirectoryError, DatabaseUnreachable), match="chmod go-w"):
            OwnFiles(settings, read_only=read_only)
        assert contents(tmp_path) == before

    def test_holds_no_database(self, path, tmp_path):
        tmp_path.chmod(0o777)
        with pytest.raises(DatabaseUnreachable, match="chmod go-w"):
            DuckDBAdapter(path, max_connections=3)
        tmp_path.chmod(0o1777)  # as /tmp is
        DuckDBAdapter(path, max_connections=3).close()

    @only_root
    @pytest.mark.parametrize("read_only", [True, False])
    def test_and_belongs_to_one_of_them_is_refused(self, path, tmp_path, read_only):
        settings = load_settings("paper", environment={}, overrides={"system.data_dir": str(tmp_path)})
        os.chown(tmp_path, NOBODY, NOBODY)
        with pytest.raises((DataDirectoryError, DatabaseUnreachable), match=f"belongs to user {NOBODY}"):
            OwnFiles(settings, read_only=read_only)

    @only_root
    def test_is_no_archive(self, database, tmp_path, build):
        folders = Folders.beside(database.core_path, life="1")
        folders.archive.mkdir(mode=0o700)
        folders.archive.chmod(0o777)
        with pytest.raises(StatementFailed, match="chmod go-w"):
            RequestHandler(database, folders).perform(an_archiving(database, build))


def an_archiving(database, build):
    """Ask for the day of a tick that is there."""
    MarketStore(database).write([build.tick(1, exchange_ns=start_ns("2026-01-02T09:15:00"))])
    return ArchiveDay(day="2026-01-02")


class TestAnAnswerThatNamesAnotherFile:
    @pytest.mark.parametrize("how", ["elsewhere", "a link", "a link to its folder", "a climb"])
    def test_takes_nothing_and_deletes_nothing(self, settings, tmp_path, how):
        secret = tmp_path / "secret" / "key"
        secret.parent.mkdir()
        secret.write_text("a key")
        secret.chmod(0o600)
        opened = open_database(settings, 1)
        folder = opened.folders.handover.made()
        match how:
            case "elsewhere":
                named = secret
            case "a link":
                named = folder / "1.parquet"
                named.symlink_to(secret)
            case "a link to its folder":
                (folder / "sub").symlink_to(secret.parent)
                named = folder / "sub" / "key"
            case _:
                named = Path(f"{folder}/../secret/key")
        opened.database.close()

        with pytest.raises(OSError, match=r"left alone|symbolic link|Not a directory"):
            QueryResult(RowsFile(path=str(named), names=("a",), types=("INTEGER",), rows=1))
        with pytest.raises(OSError, match=r"left alone|symbolic link|Not a directory"):
            take(named, tmp_path / "target")
        assert secret.read_text() == "a key"
        assert not (tmp_path / "target").exists()


def test_a_database_that_is_not_there_is_not_made_in_a_strangers_folder(tmp_path):
    settings = load_settings("paper", environment={}, overrides={"system.data_dir": str(tmp_path / "none")})
    with pytest.raises(DatabaseMissing):
        OwnFiles(settings, read_only=True)
    assert not (tmp_path / "none").exists()


def test_what_is_handed_over_is_for_its_user_alone(settings):
    opened = open_database(settings, 1)
    folder = opened.folders.handover.made()
    opened.database.close()

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


STRANGERS = {
    "prices.csv": b"date,close\n2026-01-02,100\n",
    "empty.duckdb": b"",
    "zeros.duckdb": bytes(8_192),
    "notes.txt": b"buy low",
    "book.sqlite": b"SQLite format 3\0" + bytes(4_080),
    "chart.png": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40,
}


@pytest.fixture(params=sorted(STRANGERS))
def named_by_mistake(request, tmp_path):
    """A file that is no database where a database is looked for, and beside it what would be its log."""
    folder = tmp_path / "desk"
    folder.mkdir()
    (folder / request.param).write_bytes(STRANGERS[request.param])
    (folder / f"{request.param}.wal").write_bytes(b"the user's own")
    return folder / request.param


@pytest.fixture(scope="module")
def engine():
    """A DuckDB that has none of our files."""
    with duckdb.connect() as engine:
        yield engine


OPENED = {
    "owner": lambda path: open_database(of_the_file(path), 1),
    "rebuild": lambda path: rebuild(of_the_file(path), []),
    "compact": lambda path: compact(of_the_file(path)),
    "reader": lambda path: DuckDBAdapter(path, max_connections=3, read_only=True),
    "repository": MarketDataRepositoryImpl,
    "new repository": lambda path: OrderRepository(path, create=True),
}


def test_a_database_has_as_many_connections_as_the_settings_say(settings):
    with open_database(settings, 1).database as database:
        assert f"all {settings.max_connections - 2} reading connections" in str(database.exhausted(waiters=0))


class TestAFileThatIsNoDatabase:
    """Nothing is opened, moved, put aside or made: neither it nor what lies beside it."""

    @pytest.mark.parametrize(
        ("named_by_mistake", "who"),
        [*((name, "owner") for name in sorted(STRANGERS)), *(("prices.csv", who) for who in OPENED if who != "owner")],
        indirect=["named_by_mistake"],
    )
    def test_is_refused_by_name(self, named_by_mistake, who):
        before = contents(named_by_mistake.parent)
        with pytest.raises(DatabaseForeign, match="a file of DuckDB wanted, found") as refusal:
            OPENED[who](named_by_mistake)

        assert str(refusal.value).startswith(f"{named_by_mistake} cannot be opened")
        assert contents(named_by_mistake.parent) == before

    @pytest.mark.parametrize(
        "theirs",
        [
            "create table mine as select 42 as answer",
            "create view mine as select 42 as answer",
            "create table migrations (version varchar, applied timestamp)",
        ],
        ids=["table", "view", "ledger of its own"],
    )
    @pytest.mark.parametrize("name", ["natya.duckdb", "natya-market.duckdb"])
    def test_is_refused_where_it_is_a_database_of_somebody_else(self, settings, path, engine, theirs, name):
        for each in path.parent.glob("natya*"):
            each.unlink()
        file = path.with_name(name)
        engine.execute(f"attach '{file}' as stranger; use stranger; {theirs}; use memory; detach stranger")
        before = file.read_bytes()
        with pytest.raises(DatabaseForeign, match="a database of natya wanted, found one with mi") as refusal:
            open_database(settings, 1)

        assert str(refusal.value).startswith(f"{file}: ")
        assert file.read_bytes() == before

    def test_is_refused_where_the_market_file_would_be(self, settings, path):
        for each in path.parent.glob("natya*"):
            each.unlink()
        market = path.with_name("natya-market.duckdb")
        market.write_text("date,close\n")
        with pytest.raises(DatabaseForeign, match=r"natya-market\.duckdb cannot be opened"):
            open_database(settings, 1)

        assert market.read_text() == "date,close\n"

    @pytest.mark.parametrize("name", ["natya.duckdb", "natya-market.duckdb"])
    @pytest.mark.parametrize("begun", [0, 100, 4_096, 8_192, None], ids=str)
    def test_is_made_anew_where_an_owner_died_while_it_was_created(self, path, name, begun):
        """By whoever opens it, a command for one."""
        market = path.with_name("natya-market.duckdb")
        market.with_name(f"{market.name}.witness").unlink()
        if name == path.name:
            market.unlink()
        file = path.with_name(name)
        file.write_bytes(bytes(4_096) if begun is None else file.read_bytes()[:begun])
        with DuckDBAdapter(path, threads=1, memory_limit_mb=96) as database:
            assert database.query("select count(*) from ticks").rows == ((0,),)

        assert list(path.parent.glob("*corrupt*")) == []

    @pytest.mark.parametrize("kept", ["witness", "wal", "no lock"])
    def test_stays_where_something_may_have_been_in_it(self, path, kept):
        market = path.with_name("natya-market.duckdb")
        if kept != "witness":
            market.with_name(f"{market.name}.witness").unlink()
        if kept == "wal":
            market.with_name(f"{market.name}.wal").write_bytes(b"")
        if kept == "no lock":
            path.with_name(f"{path.name}.lock").unlink()
        market.write_bytes(b"")
        with pytest.raises(DatabaseDamaged if kept != "no lock" else DatabaseForeign):
            DuckDBAdapter(path, threads=1, memory_limit_mb=96)

        assert market.exists()

    @pytest.mark.parametrize("damage", [b"", b"\0" * 4_096, b"garbage" * 1_000], ids=["cut", "zeroed", "garbage"])
    def test_is_ours_and_damaged_where_the_witness_says_so(self, lived, path, damage):
        shutil.copytree(lived, path.parent, dirs_exist_ok=True)
        path.write_bytes(damage)
        opened = open_database(of_the_file(path), 1)
        opened.database.close()

        assert opened.put_aside == (str(path.with_name("natya.duckdb.corrupt-19700101T000000Z")),)

    def test_is_ours_by_the_mark_of_the_engine_alone(self, path, tmp_path):
        """Of a core file whose market file is gone with its witness: it is damaged, and none of somebody else's."""
        damaged = tmp_path / "damaged.duckdb"
        damaged.write_bytes(path.read_bytes()[:12].ljust(4_096, b"x"))

        assert stranger(str(damaged), witness=str(tmp_path / "none.witness"), was_begun=False) == ""
        damaged.write_bytes(b"x" * 4_096)
        assert "a file of DuckDB wanted" in stranger(
            str(damaged), witness=str(tmp_path / "none.witness"), was_begun=False
        )

    def test_is_not_ours_by_a_witness_that_is_none(self, named_by_mistake):
        market = named_by_mistake.with_name(f"{named_by_mistake.stem}-market{named_by_mistake.suffix}")
        market.with_name(f"{market.name}.witness").write_text("abc 12 00000000\n")

        with pytest.raises(DatabaseForeign):
            open_database(of_the_file(named_by_mistake), 1)


class TestAPathThatIsNoCoreFile:
    @pytest.fixture(scope="class")
    @classmethod
    def desk(cls, lived, tmp_path_factory):
        """One for all: each test shows that it has left it as it was."""
        desk = Path(shutil.copytree(lived, tmp_path_factory.mktemp("desk"), dirs_exist_ok=True))
        (desk / "alone").mkdir()
        shutil.copy(desk / "natya-market.duckdb", desk / "alone" / "ticks.duckdb")
        os.mkfifo(desk / "alone" / "pipe")
        return desk

    @pytest.mark.parametrize(
        ("name", "found"),
        [
            ("natya-market.duckdb", r"found its market file; name .*natya\.duckdb$"),
            ("alone/ticks.duckdb", "found a market file"),
            ("alone", r"found a folder; did you mean .*natya\.duckdb\?"),
            ("alone/pipe", "found what is no file"),
        ],
    )
    @pytest.mark.parametrize("repository", [MarketDataRepositoryImpl, OrderRepository])
    def test_is_refused_by_what_it_is(self, desk, name, found, repository):
        before = sorted(desk.rglob("*"))
        for create in (False, True):
            with pytest.raises(DatabasePathRefused, match=found):
                repository(desk / name, create=create)

        assert sorted(desk.rglob("*")) == before

    def test_is_one_all_the_same_where_only_its_name_says_so(self, tmp_path):
        for _ in range(2):
            with OrderRepository(tmp_path / "stock-market.duckdb", create=True) as repository:
                assert repository.count().data == 0
