"""`natya db …` as a shell calls it: beside a system that trades on a recording, and on files that nobody owns."""

import contextlib
import csv
import importlib
import io
import json
import os
import shutil
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from types import SimpleNamespace

import duckdb
import pytest
from natya_processes import WAIT_S, await_that
from natya_recordings import IST, write_candles
from natya_starts import Natya, run_natya
from typer.testing import CliRunner

import natya
from natya.actors.control import NotRunningError
from natya.actors.database import DuckDBAdapter
from natya.actors.database.engine.lock import FileLock
from natya.actors.journal import Journal
from natya.cli.app import app
from natya.cli.commands.db import import_
from natya.client import QueryFailedError
from natya.config.data_directory import DataDirectory
from natya.messages.orders import OrderCancelled

pytestmark = pytest.mark.usefixtures("engines")

NO_NIGHT = 1_000_000
"""Minutes a day of a market that nobody has to wait for in the night."""

ENDLESS = "select count(*) from range(10_000_000_000) a, range(99) b where a.range + b.range < 0"
FIRST_DAY_MINUTES = 60
"""To midnight: a candle each, of four ticks."""

FIRST_DAY_END = datetime(2020, 1, 2, tzinfo=IST)
FIRST_DAY_END_NS = int(FIRST_DAY_END.timestamp()) * 10**9
BEGIN = FIRST_DAY_END - timedelta(minutes=FIRST_DAY_MINUTES)

KILL_SEED = int(os.environ.get("KILLS_SEED", "1"))
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("NATYA_")}


def command(*arguments):
    return ["db", *map(str, arguments)]


def shell(*arguments):
    """Call the command line; in this process, where only what has to be killed needs one of its own."""
    without = {name: None for name in os.environ if name not in ENVIRONMENT}
    return CliRunner().invoke(app, ["db", *map(str, arguments)], env=without, catch_exceptions=False)


def answered(*arguments):
    done = shell(*arguments)
    assert done.exit_code == 0, done.stderr
    return done.stdout


def json_of(*arguments):
    return json.loads(answered(*arguments, "--json"))


def row_of(*arguments):
    """Return the only row of an answer."""
    (row,) = json_of("query", *arguments)["rows"]
    return row


def write_ticks(path, count, start=datetime(2026, 1, 5, 9, 15, tzinfo=IST)):
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["time", "ltp", "ltq", "volume"])
        for number in range(count):
            moment = start + timedelta(milliseconds=100 * number)
            writer.writerow([moment.isoformat(), f"{100 + number % 500 * 0.05:.2f}", 1, number])
    return path


@pytest.fixture(scope="class")
def trading(tmp_path_factory):
    """The data directory of a system that trades on a recording, and goes on doing so."""
    folder = tmp_path_factory.mktemp("trading")
    recording = write_candles(folder / "candles.csv", 20_000, minutes_a_day=NO_NIGHT, begin=BEGIN)
    data_dir = folder / "data"
    arguments = ["run", "--replay", recording, "--symbol", "RELIANCE", "--speed", 1_500, "--data-dir", data_dir]
    process = Natya(
        [*map(str, arguments), "--summary", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT,
    )

    def has_filled():
        assert process.poll() is None, process.communicate()
        try:
            return value(data_dir, "select count(*) from fills") > 0
        except NotRunningError:
            return False

    await_that(has_filled)
    yield data_dir
    process.terminate()
    out, complaints = process.communicate(timeout=WAIT_S)
    assert process.returncode == 0, complaints
    summary = json.loads(out)
    assert (summary["restarts"], summary["dead_letters"]) == (0, 0), complaints


def value(data_dir, sql):
    """Ask the system that runs there for one number."""
    with natya.connect(data_dir) as system:
        return one_value(system, sql)


def one_value(system, sql):
    with system.query(sql) as result:
        return result.rows[0][0]


REPLAYED = "source like 'replay-%' and symbol = 'RELIANCE'"
"""What the system plays, and not what a test has imported beside it."""

RECORDED = f"select count(*) from all_ticks where {REPLAYED}"  # noqa: S608  our own text
FILLED = "select count(*) from fills"


class TestBesideASystemThatTrades:
    @pytest.fixture(autouse=True)
    def goes_on(self, trading):
        """Whatever is asked of it: ticks are recorded and orders filled, after it as before."""
        ticks = value(trading, RECORDED)
        yield
        with natya.connect(trading) as system:
            await_that(lambda: one_value(system, RECORDED) > ticks)

    def test_a_query_is_a_table(self, trading):
        lines = answered(
            "query", "select 'x' as name, 7 as number, null as nothing", "--data-dir", trading
        ).splitlines()

        assert lines[1].split("┃")[1:4] == [" name ", " number ", " nothing "]
        assert lines[3].split("│")[1:3] == [" x    ", "      7 "]
        assert lines[-1] == "1 row"

    def test_a_query_is_a_json_object_with_one_a_row(self, trading):
        sql = "select range as n from range(?::int)"

        found = [json_of("query", sql, rows, "--data-dir", trading) for rows in ("3", "0")]

        assert found == [{"schema": 1, "rows": [{"n": 0}, {"n": 1}, {"n": 2}]}, {"schema": 1, "rows": []}]

    def test_a_query_is_csv(self, trading):
        out = answered("query", "select 'a, \"b\"' as text, null as gap", "--csv", "--data-dir", trading)

        assert list(csv.reader(io.StringIO(out))) == [["text", "gap"], ['a, "b"', ""]]

    @pytest.mark.parametrize(
        ("sql", "options", "reason"),
        [
            ("delete from orders", [], "one SELECT wanted"),
            ("select nothing", [], "nothing"),
            ("from range(9)", ["--rows-max", 5], "at most 5 rows"),
            (ENDLESS, ["--timeout", 0.1], "interrupted"),
        ],
        ids=["writes", "wrong", "rows", "time"],
    )
    def test_a_query_that_cannot_be_answered_ends_with_1(self, trading, sql, options, reason):
        done = shell("query", sql, *options, "--data-dir", trading)

        assert (done.exit_code, done.stdout) == (1, "")
        assert reason in done.stderr

    def test_a_query_that_its_asker_left_ends(self, trading):
        asking = [
            Natya(
                command("query", ENDLESS, "--timeout", 3000, "--data-dir", trading),
                env=ENVIRONMENT,
                stderr=subprocess.DEVNULL,
            )
            for _ in range(2)
        ]
        for process in asking:
            await_that(lambda: connections(trading) > 1)
            process.kill()
            process.wait()
        await_that(lambda: connections(trading) == 1)

        assert value(trading, "select 1") == 1

    def test_an_import_is_made_once_and_disturbs_nobody(self, trading, tmp_path):
        path = write_ticks(tmp_path / "ticks.csv", 5_000)
        fills = value(trading, FILLED)
        first, second = (json_of("import", path, "--symbol", "TCS", "--data-dir", trading) for _ in range(2))

        assert (first["ticks"], first["written"], second["written"]) == (5_000, 5_000, 0)
        assert value(trading, "select count(*) from all_ticks where symbol = 'TCS'") == 5_000
        await_that(lambda: value(trading, FILLED) > fills)

    def test_an_import_of_a_broken_file_names_the_line_and_takes_the_others(self, trading, tmp_path):
        broken = tmp_path / "broken.csv"
        broken.write_text("time,ltp\n2026-01-05,1\nnever,2\n")
        good = write_ticks(tmp_path / "good.csv", 3)
        done = shell("import", broken, good, "--symbol", "INFY", "--data-dir", trading)

        assert done.exit_code == 65
        assert f"{broken}, line 3" in done.stderr
        assert f"{good}: 3 ticks of INFY, 3 written" in done.stdout
        assert value(trading, "select count(*) from all_ticks where symbol = 'INFY'") == 3

    def test_a_backup_opens_as_the_same_database(self, trading, tmp_path):
        found = json_of("backup", tmp_path / "copy.duckdb", "--data-dir", trading)

        assert [Path(each["file"]).name for each in found["files"]] == ["copy.duckdb", "copy-market.duckdb"]
        with DuckDBAdapter(tmp_path / "copy.duckdb", max_connections=3) as copy:
            assert copy.query(FILLED).rows[0][0] > 0
            assert copy.query("select count(*) = max(sequence) from facts").rows == ((True,),)

    def test_a_backup_replaces_nothing(self, trading, tmp_path):
        (tmp_path / "copy-market.duckdb").write_text("mine")
        done = shell("backup", tmp_path / "copy.duckdb", "--data-dir", trading)

        assert done.exit_code == 73
        assert "copy-market.duckdb is there already" in done.stderr
        assert not (tmp_path / "copy.duckdb").exists()

    def test_a_snapshot_is_one_file_that_plain_duckdb_reads(self, trading, tmp_path):
        answered("snapshot", tmp_path / "now.duckdb", "--data-dir", trading)
        with duckdb.connect(tmp_path / "now.duckdb", read_only=True) as copy:
            assert copy.execute("select count(*) > 0 from fills_utc, ticks_utc limit 1").fetchone() == (True,)

    def test_closed_days_go_to_the_archive_and_are_seen_all_the_same(self, trading):
        sql = f"{RECORDED} and exchange_ns < {FIRST_DAY_END_NS}"
        newest = f"select max(exchange_ns) from all_ticks where {REPLAYED}"  # noqa: S608  our own text
        await_that(lambda: value(trading, newest) > FIRST_DAY_END_NS)
        before = value(trading, sql)
        found = json_of("archive", "--before", "2020-01-02", "--data-dir", trading)

        assert [each["day"] for each in found["days"]] == ["2020-01-01"]
        assert value(trading, sql) == before == found["days"][0]["ticks"] == 4 * FIRST_DAY_MINUTES
        assert json_of("stat", "--data-dir", trading)["archived_days"] == 1

    def test_an_export_is_a_file_a_day_and_an_interval(self, trading, tmp_path):
        newest = f"select max(start_ns) from candles where {REPLAYED}"  # noqa: S608  our own text
        await_that(lambda: value(trading, newest) > FIRST_DAY_END_NS)
        arguments = ("--symbol", "RELIANCE", "--to", "2020-01-01", "--format", "csv", "--data-dir", trading, "--json")
        files = [json.loads(line) for line in answered("export", tmp_path / "out", *arguments).splitlines()]

        assert [(Path(each["file"]).name, each["rows"]) for each in files] == [
            ("ticks-2020-01-01.csv", 4 * FIRST_DAY_MINUTES),
            ("candles-60s.csv", FIRST_DAY_MINUTES),
        ]
        assert answered("export", tmp_path / "other", *("--symbol", "TCS", *arguments[2:])) == ""

    def test_an_export_onto_files_that_are_there_says_which_and_writes_none(self, trading, tmp_path):
        out = tmp_path / "out"
        out.mkdir()
        (out / "candles-60s.csv").write_text("mine")
        await_that(lambda: value(trading, "select count(*) from candles") > 0)
        done = shell("export", out, "--format", "csv", "--data-dir", trading)

        assert done.exit_code == 73
        assert done.stderr == f"natya: {out / 'candles-60s.csv'} is there already; nothing was written\n"
        assert [each.read_text() for each in out.iterdir()] == ["mine"]

    def test_a_check_finds_nothing_wrong(self, trading):
        assert json_of("check", "--data-dir", trading) == {"schema": 1, "ok": True, "problems": []}

    def test_what_needs_the_files_alone_names_who_has_them(self, trading):
        pid = (trading / "natya.lock").read_text().strip()
        for command in ("rebuild", "compact"):
            done = shell(command, "--data-dir", trading)

            assert done.exit_code == 75
            assert f"in use by process {pid}" in done.stderr


def connections(data_dir):
    with natya.connect(data_dir) as system:
        return system.ping("control").statistics.connections


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """A data directory that a system has left, with two thousand ticks of two days."""
    folder = tmp_path_factory.mktemp("left")
    recording = write_candles(folder / "candles.csv", 500, minutes_a_day=NO_NIGHT, begin=BEGIN)
    arguments = ["--replay", recording, "--symbol", "RELIANCE", "--speed", "max", "--data-dir", folder / "data"]
    run_natya("run", *arguments, env=ENVIRONMENT).check_returncode()
    return folder / "data"


@pytest.fixture
def files(left, tmp_path):
    """A copy of it to work on."""
    return shutil.copytree(left, tmp_path / "data")


class TestOnFilesThatNobodyOwns:
    def test_an_answer_comes_with_what_only_the_journal_knows(self, files):
        """As a system leaves them that was killed between a commit of the journal and that of the database."""
        journal = Journal(files / "journal", now_ns=time.time_ns)
        journal.open()
        fact = OrderCancelled(client_order_id="never-0-1", reason="none", occurred_ns=1)
        journal.append((fact, fact), "never-0-1")
        journal.commit()
        journal.close()
        done = shell("query", "select count(*) as facts from facts", "--data-dir", files)

        assert done.exit_code == 0
        assert done.stderr.startswith("the journal has 2 facts that these answers do not know: ")

    def test_everything_works_too(self, files, tmp_path):
        ticks = write_ticks(tmp_path / "ticks.csv", 100)
        fills = row_of("select count(*) as n from fills", "--data-dir", files)["n"]
        assert json_of("import", ticks, "--symbol", "TCS", "--data-dir", files)["written"] == 100
        assert len(json_of("archive", "--data-dir", files)["days"]) == 3  # two of candles, one of ticks
        rebuilt = json_of("rebuild", "--data-dir", files)
        compacted = json_of("compact", "--data-dir", files)
        answered("backup", tmp_path / "copy.duckdb", "--data-dir", files)
        found = json_of("stat", "--data-dir", files)

        assert json_of("check", "--data-dir", files)["ok"]
        assert (found["rows"]["fills"], found["rows"]["all_ticks"], found["rows"]["ticks"]) == (fills, 2_100, 0)
        assert found["projected_sequence"] == rebuilt["records"] == found["rows"]["facts"]
        assert [Path(each["old"]).name for each in compacted["files"]] == [
            "natya.duckdb.old-2",
            "natya-market.duckdb.old-1",
        ]

    def test_a_damaged_file_ends_with_65_and_the_core_file_can_be_rebuilt(self, files):
        core = files / "natya.duckdb"
        core.write_bytes(b"nonsense" * 10_000)
        done = shell("query", "select 1", "--data-dir", files)

        assert done.exit_code == 65
        assert str(core) in done.stderr
        answered("rebuild", "--data-dir", files)
        assert row_of("select count(*) > 0 as found from fills", "--data-dir", files) == {"found": True}

    def test_a_contradiction_ends_with_65(self, files):
        with DuckDBAdapter(files / "natya.duckdb", max_connections=3) as database:
            database.execute("delete from facts where sequence = 1")
        done = shell("check", "--data-dir", files, "--json")

        assert done.exit_code == 65
        assert "gap" in json.loads(done.stdout)["problems"][0]

    def test_an_import_that_is_killed_again_and_again_is_made_once(self, tmp_path):
        random, path, data_dir = Random(KILL_SEED), write_ticks(tmp_path / "ticks.csv", 20_000), tmp_path / "data"
        arguments = ["import", path, "--symbol", "TCS", "--data-dir", data_dir]
        for _ in range(3):
            wait_s = random.uniform(0.05, 0.4)
            print(f"seed {KILL_SEED}: killed after {wait_s:.3f} s")  # noqa: T201  how to see it again
            process = Natya(command(*arguments), env=ENVIRONMENT, stdout=subprocess.DEVNULL)
            try:
                process.wait(wait_s)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        answered(*arguments)
        sql = "select count(*) as n, count(distinct sequence) as once, max(sequence) as last from ticks"

        assert set(row_of(sql, "--data-dir", data_dir).values()) == {20_000}


class TestWithoutADatabase:
    @pytest.mark.parametrize(
        "arguments",
        [["query", "select 1"], ["stat"], ["check"], ["compact"], ["export", "out"], ["backup", "copy.duckdb"]],
        ids=lambda arguments: arguments[0],
    )
    def test_what_reads_ends_with_69_and_names_it(self, natya, tmp_path, monkeypatch, arguments):
        monkeypatch.chdir(tmp_path)
        done = natya("db", *arguments, "--data-dir", tmp_path / "none")

        assert done.exit_code == 69
        assert str(tmp_path / "none") in done.stderr
        assert not done.stdout

    def test_a_rebuild_wants_a_journal(self, natya, tmp_path):
        done = natya("db", "rebuild", "--data-dir", tmp_path)

        assert done.exit_code == 1
        assert "no journal" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["check"], ["query", "select 1"], ["snapshot", "copy"], ["backup", "copy"]], ids=lambda each: each[0]
)
def test_how_long_it_may_take_is_told_to_the_database_and_waited_for(natya, monkeypatch, tmp_path, arguments):
    asked = []

    def work(message, *, timeout_s):
        asked.append((message.timeout_s, timeout_s))
        raise QueryFailedError("DatabaseDown", "no space")

    command = importlib.import_module(f"natya.cli.commands.db.{arguments[0]}")
    monkeypatch.setattr(command, "owner_of", lambda *_: contextlib.nullcontext(SimpleNamespace(work=work)))
    monkeypatch.chdir(tmp_path)
    natya("db", *arguments, "--timeout", "7.5")

    assert asked == [(7.5, 7.5)]


def test_an_import_that_breaks_by_a_fault_of_ours_does_not_say_that_the_file_is_broken(natya, monkeypatch, tmp_path):
    def breaks(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(import_, "owner_of", lambda *_, **__: contextlib.nullcontext())
    monkeypatch.setattr("natya.transfer.import_file", breaks)
    done = natya("db", "import", write_ticks(tmp_path / "ticks.csv", 1), "--symbol", "TCS")

    assert isinstance(done.exception, ZeroDivisionError)
    assert "nothing of it was saved" not in done.stderr


class TestWithAnotherOwner:
    def test_a_query_ends_with_75_and_names_it(self, natya, tmp_path):
        (tmp_path / "natya.duckdb").touch()
        lock = FileLock(tmp_path / "natya.duckdb")
        done = natya("db", "query", "select 1", "--data-dir", tmp_path)
        lock.release()

        assert done.exit_code == 75
        assert f"in use by process {os.getpid()}" in done.stderr

    def test_an_import_ends_with_75_and_names_it(self, natya, tmp_path):
        directory = DataDirectory(tmp_path)
        directory.take()
        done = natya("db", "import", write_ticks(tmp_path / "a.csv", 1), "--symbol", "A", "--data-dir", tmp_path)
        directory.release()

        assert done.exit_code == 75
        assert f"in use by process {os.getpid()}" in done.stderr


class TestWrongUse:
    def test_of_settings_ends_with_78(self, natya):
        assert natya("db", "stat", "--profile", "papr").exit_code == 78

    @pytest.mark.parametrize(
        "arguments",
        [
            ["query"],
            ["query", "select 1", "--csv", "--json"],
            ["query", "select 1", "--rows-max", "0"],
            ["import"],
            ["export", "out", "--from", "yesterday"],
            ["archive", "--before", "now"],
            ["export", "out", "--format", "xml"],
        ],
        ids=" ".join,
    )
    def test_ends_with_2(self, natya, arguments):
        assert natya("db", *arguments).exit_code == 2

    def test_a_directory_that_cannot_be_made_ends_with_73(self, natya, tmp_path):
        (tmp_path / "file").touch()
        done = natya("db", "import", "a.csv", "--data-dir", tmp_path / "file" / "data")

        assert done.exit_code == 73


@pytest.mark.parametrize(
    "command",
    ["query", "snapshot", "import", "export", "archive", "backup", "check", "compact", "rebuild", "stat"],
)
def test_every_command_explains_itself_by_an_example(natya, command):
    assert f"natya db {command} " in natya("db", command, "--help").stdout.replace("\n", " ") + " "
