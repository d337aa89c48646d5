import contextlib
import itertools
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import duckdb
import msgspec
import pytest
from natya_starts import run_natya
from rich.console import Console
from typer.testing import CliRunner

import natya.client
from natya.actors.control import (
    AskFailedError,
    ConnectionLostError,
    ControlActor,
    ControlActorSettings,
    ControlError,
    NotRunningError,
)
from natya.actors.database import DatabaseActor
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.cli.app import app
from natya.cli.views.tree import branches, tree_json, tree_table
from natya.config.files import MARK
from natya.config.sections.database import DatabaseSettings
from natya.messages.database import Query, QueryToFile
from natya.messages.supervision import ChildStatus, DescribeTree, SupervisionTree


def a_child(path, **changes):
    fields = {"state": "RUNNING", "host": "loop", "restarts": 0, "breaker": "closed", "mailbox_depth": 0}
    return ChildStatus(**{"path": path, "last_error": "", **fields, **changes})


ENDLESS = "select count(*) from range(10_000_000_000) a, range(1000) b where a.range + b.range < 0"

TREE = SupervisionTree(
    children=(
        a_child("system/journal", host="thread"),
        a_child("system/database", trouble="down: natya.duckdb is in use by process 4711"),
        a_child("system/strategies"),
        a_child("system/strategies/fast", restarts=3, last_error="ValueError: broke"),
        a_child("system/strategies/slow", state="UNAVAILABLE", breaker="open", mailbox_depth=42),
        a_child("system/feed"),
    )
)


class Root(RuntimeActor):
    @handles(DescribeTree)
    def describe(self, _, sender):
        self.send(sender, TREE)


def a_database(folder):
    return DatabaseSettings.default(
        path=str(folder / "natya.duckdb"),
        max_connections=4,
        memory_limit_mb=96,
        threads=2,
        batch_rows_max=100,
        batch_wait_s=0.02,
    )


@pytest.fixture
def running(tmp_path):
    with InProcessSystem() as system:
        system.start("system", Root)
        system.start("database", DatabaseActor, a_database(tmp_path))
        system.start("control", ControlActor, ControlActorSettings(data_dir=tmp_path))
        yield tmp_path


def left_in(data_dir):
    """List what was handed over and not fetched."""
    return [each for each in data_dir.glob("*.handover-*/*") if each.name != MARK]


@pytest.fixture
def shell():
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "120"})


class TestAConnection:
    @pytest.fixture
    def connection(self, running):
        with natya.client.connect(running) as connected:
            yield connected

    def test_shows_the_tree(self, connection):
        assert connection.tree() == TREE

    def test_queries_the_database(self, connection):
        with connection.query("select ? as text, 2 as number", ["x"]) as result:
            assert (result.names, result.rows) == (("text", "number"), (("x", 2),))

    def test_leaves_no_file_behind_a_query(self, connection, running):
        with connection.query("select 1"):
            assert left_in(running) == []

    def test_takes_a_million_rows(self, connection):
        sql = "select range as number, 'text ' || range as text from range(1_000_000) order by number desc"
        with connection.query(sql) as result:
            numbers = result.columns()["number"]

            assert (len(result), numbers[0], numbers.sum()) == (1_000_000, 999_999, 499_999_500_000)
            assert next(iter(result)) == (999_999, "text 999999")

    def test_says_what_is_wrong_with_a_query(self, connection):
        with pytest.raises(natya.client.QueryFailedError, match="one SELECT") as caught:
            connection.query("delete from orders")
        assert caught.value.error == "QueryRefused"

    def test_says_when_there_are_more_rows_than_wanted(self, connection, running):
        with pytest.raises(natya.client.QueryFailedError, match="at most 5 rows"):
            connection.query("from range(6)", rows_max=5)
        assert left_in(running) == []

    def test_says_when_a_query_takes_too_long(self, connection):
        with pytest.raises(natya.client.QueryFailedError) as caught:
            connection.query(ENDLESS, timeout_s=0.05)
        assert caught.value.error == "QueryTimedOut"

    def test_takes_a_snapshot_that_plain_duckdb_reads(self, connection, tmp_path):
        path = connection.snapshot(tmp_path / "copy.duckdb")

        with duckdb.connect(path, read_only=True) as copy:
            assert copy.execute("select count(*) from orders_utc, all_ticks").fetchall() == [(0,)]
        with pytest.raises(FileExistsError, match=r"copy\.duckdb is there already"):
            connection.snapshot(path)

    def test_pings_an_actor(self, connection):
        assert connection.ping("database").actor == "database"

    def test_tells_where_a_named_question_went(self, connection):
        connection.request("database", Query(sql="select ?", parameters=("x",)), correlation_id="mine")
        connection.ping("database")

        assert [(hop.actor, hop.message_type) for hop in connection.trace("mine")][:1] == [("database", "Query")]
        assert connection.trace("another") == ()

    def test_says_that_an_actor_does_not_run(self, connection):
        with pytest.raises(AskFailedError, match="nobody"):
            connection.ping("nobody")


class TestTraceOnTheCommandLine:
    def test_shows_the_hops_of_a_question(self, running, shell):
        with natya.client.connect(running) as connection:
            connection.request("database", Query(sql="select ?", parameters=("x",)), correlation_id="mine")
            connection.ping("database")

        shown = shell("trace", "mine", "--data-dir", running)
        listed = shell("trace", "--data-dir", running)

        assert (shown.exit_code, listed.exit_code) == (0, 0)
        assert "database" in shown.output
        assert "Query to database" in listed.output

    def test_says_that_nothing_is_known_of_another(self, running, shell):
        result = shell("trace", "another", "--data-dir", running)

        assert result.exit_code == 1
        assert "nothing is known of 'another'" in result.output


class TestWhoeverLeaves:
    def test_ends_his_query(self, running):
        """A reader that works for nobody would be busy for as long as the query was given."""
        with natya.client.connect(running) as system:
            leaving = [threading.Thread(target=_ask_and_leave, args=(running,)) for _ in range(4)]
            for thread in leaving:
                thread.start()
            for thread in leaving:
                thread.join()
            with system.query("select 1", timeout_s=20) as result:
                assert result.rows == ((1,),)


class TestASystemThatStops:
    def test_waits_for_no_answer_to_others(self, tmp_path):
        """The query was given most of an hour."""
        with InProcessSystem() as system, ThreadPoolExecutor(1) as threads:
            system.start("database", DatabaseActor, a_database(tmp_path))
            system.start("control", ControlActor, ControlActorSettings(data_dir=tmp_path))
            connected = threading.Event()

            def ask():
                with natya.client.connect(tmp_path) as connection:
                    connected.set()
                    connection.query(ENDLESS, timeout_s=3_000)

            asking = threads.submit(ask)
            connected.wait(60)
            with natya.client.connect(tmp_path) as other:
                pings = itertools.count(1)
                while other.ping("control").statistics.asks == next(pings):
                    pass  # the query has not come yet
            system.stop("control")
            system.stop("database")

            with pytest.raises(ConnectionLostError):
                asking.result(60)


def _ask_and_leave(running):
    """Ask for what takes for ever, and hang up when it has begun."""
    with natya.client.connect(running) as system, contextlib.suppress(ControlError):
        system.request("database", QueryToFile(sql=ENDLESS, timeout_s=3_000), timeout_s=0.2)


class TestConnecting:
    def test_is_a_public_name(self):
        assert natya.connect is natya.client.connect

    def test_where_nothing_runs_names_the_directory(self, tmp_path):
        with pytest.raises(NotRunningError, match=str(tmp_path)):
            natya.client.connect(tmp_path)

    def test_without_a_directory_takes_the_one_of_the_profile(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

        with pytest.raises(NotRunningError) as caught:
            natya.client.connect(profile="backtest")
        assert caught.value.data_dir == tmp_path / "natya" / "backtest"


class TestTheTree:
    def test_is_drawn_with_its_branches(self):
        assert branches([child.path for child in TREE.children]) == [
            "journal",
            "database",
            "strategies",
            "├── fast",
            "└── slow",
            "feed",
        ]

    def test_goes_on_beside_a_branch_that_is_not_the_last(self):
        paths = ["s", "s/a", "s/a/x", "s/b", "s/b/y"]

        assert branches(paths) == ["s", "├── a", "│   └── x", "└── b", "    └── y"]

    def test_of_nothing_is_nothing(self):
        assert branches([]) == []

    def test_says_everything_in_eighty_columns(self):
        console = Console(width=80)
        with console.capture() as captured:
            console.print(tree_table(TREE))
        lines = captured.get().splitlines()

        rows = {name: line for line in lines for name in ("fast", "slow") if name in line.split()[:2]}
        assert max(map(len, lines)) <= 80
        assert rows["fast"].split() == ["├──", "fast", "RUNNING", "loop", "3", "closed", "0", "ValueError:", "broke"]
        assert rows["slow"].split() == ["└──", "slow", "UNAVAILABLE", "loop", "0", "open", "42"]

    def test_says_what_keeps_an_actor_from_its_work(self):
        console = Console(width=160)
        with console.capture() as captured:
            console.print(tree_table(TREE))

        assert captured.get().splitlines()[2].rstrip().endswith("down: natya.duckdb is in use by process 4711")

    def test_says_what_an_actor_was_not_given(self):
        slow = a_child("system/slow", mailbox_depth=3, conflated=12_000, dropped=1)
        console = Console(width=160)
        with console.capture() as captured:
            console.print(tree_table(SupervisionTree(children=(slow,))))

        assert "3, 0 handled, 12,000 conflated, 1 dropped" in captured.get()

    def test_says_below_who_held_the_loop_too_long(self):
        console = Console(width=80)
        with console.capture() as captured:
            console.print(tree_table(msgspec.structs.replace(TREE, stalls=2, last_stall="fast")))

        assert captured.get().splitlines()[-1].strip() == "the event loop was held too long 2 times, last by fast"

    def test_is_objects_by_name_in_json(self):
        children = json.loads(tree_json(TREE))["children"]

        assert [child["path"] for child in children] == [child.path for child in TREE.children]
        assert children[1]["trouble"] == "down: natya.duckdb is in use by process 4711"
        assert children[3]["last_error"] == "ValueError: broke"


class TestTheCommands:
    def test_tree_shows_every_actor(self, running, shell):
        result = shell("tree", "--data-dir", running)

        assert result.exit_code == 0
        assert all(child.path.rpartition("/")[2] in result.output for child in TREE.children)

    def test_tree_in_json_is_one_object(self, running, shell):
        result = shell("tree", "--data-dir", running, "--json")

        assert len(json.loads(result.stdout)["children"]) == len(TREE.children)

    def test_ping_shows_what_the_actor_counts(self, running, shell):
        result = shell("ping", "database", "--data-dir", running)

        assert result.exit_code == 0
        assert "database answered in" in result.output
        assert "projected_sequence 0" in result.output

    def test_ping_in_json_is_one_object(self, running, shell):
        assert json.loads(shell("ping", "--data-dir", running, "--json").stdout)["actor"] == "system"

    def test_ping_to_an_actor_that_does_not_run_exits_with_69(self, running, shell):
        result = shell("ping", "nobody", "--data-dir", running)

        assert result.exit_code == 69
        assert "nobody" in result.stderr

    @pytest.mark.parametrize("command", ["tree", "ping"])
    def test_without_a_running_system_exit_with_69_and_name_the_directory(self, tmp_path, shell, command):
        result = shell(command, "--data-dir", tmp_path)

        assert result.exit_code == 69
        assert result.stdout == ""
        assert str(tmp_path) in result.stderr

    def test_with_a_wrong_profile_exit_with_78(self, shell):
        assert shell("tree", "--profile", "papr").exit_code == 78

    def test_of_another_process_reach_the_system(self, running):
        asked = run_natya("tree", "--json", "--data-dir", running)

        assert asked.returncode == 0
        assert len(json.loads(asked.stdout)["children"]) == len(TREE.children)
