import json
import subprocess
import sys

import msgspec
import pytest
from rich.console import Console
from typer.testing import CliRunner

import natya.remote
from natya.actors.control import AskFailedError, ControlActor, ControlActorSettings, NotRunningError
from natya.actors.runtime import InProcessSystem, RuntimeActor, handles
from natya.cli import app
from natya.messages.database import Query, QueryFailed, Rows
from natya.messages.supervision import ChildStatus, DescribeTree, SupervisionTree
from natya.tree_view import branches, tree_json, tree_table


def a_child(path, **changes):
    fields = {"state": "RUNNING", "host": "loop", "restarts": 0, "breaker": "closed", "mailbox_depth": 0}
    return ChildStatus(**{"path": path, "last_error": "", **fields, **changes})


TREE = SupervisionTree(
    children=(
        a_child("system/journal", host="thread"),
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


class Database(RuntimeActor):
    @handles(Query)
    def query(self, query, sender):
        if query.sql == "wrong":
            self.send(sender, QueryFailed(error="QueryRefused", reason="one SELECT is wanted"))
        else:
            self.send(sender, Rows(columns=("sql", "parameter"), rows=((query.sql, query.parameters[0]),)))


@pytest.fixture
def running(tmp_path):
    with InProcessSystem() as system:
        system.start("system", Root)
        system.start("database", Database)
        system.start("control", ControlActor, ControlActorSettings(data_dir=tmp_path))
        yield tmp_path


@pytest.fixture
def shell():
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "120"})


class TestAConnection:
    @pytest.fixture
    def connection(self, running):
        with natya.remote.connect(running) as connected:
            yield connected

    def test_shows_the_tree(self, connection):
        assert connection.tree() == TREE

    def test_queries_the_database(self, connection):
        rows = connection.query("select ?", ["x"])

        assert rows == Rows(columns=("sql", "parameter"), rows=(("select ?", "x"),))

    def test_says_what_is_wrong_with_a_query(self, connection):
        with pytest.raises(natya.remote.QueryFailedError, match="one SELECT") as caught:
            connection.query("wrong")
        assert caught.value.error == "QueryRefused"

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
        with natya.remote.connect(running) as connection:
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


class TestConnecting:
    def test_is_a_public_name(self):
        assert natya.connect is natya.remote.connect

    def test_where_nothing_runs_names_the_directory(self, tmp_path):
        with pytest.raises(NotRunningError, match=str(tmp_path)):
            natya.remote.connect(tmp_path)

    def test_without_a_directory_takes_the_one_of_the_profile(self, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

        with pytest.raises(NotRunningError) as caught:
            natya.remote.connect(profile="backtest")
        assert caught.value.data_dir == tmp_path / "natya" / "backtest"


class TestTheTree:
    def test_is_drawn_with_its_branches(self):
        assert branches([child.path for child in TREE.children]) == [
            "journal",
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

        assert len(lines) == 1 + len(TREE.children)
        assert lines[3].split() == ["├──", "fast", "RUNNING", "loop", "3", "closed", "0", "ValueError:", "broke"]
        assert lines[4].split() == ["└──", "slow", "UNAVAILABLE", "loop", "0", "open", "42"]

    def test_says_below_who_held_the_loop_too_long(self):
        console = Console(width=80)
        with console.capture() as captured:
            console.print(tree_table(msgspec.structs.replace(TREE, stalls=2, last_stall="fast")))

        assert captured.get().splitlines()[-1].strip() == "the event loop was held too long 2 times, last by fast"

    def test_is_objects_by_name_in_json(self):
        children = json.loads(tree_json(TREE))["children"]

        assert [child["path"] for child in children] == [child.path for child in TREE.children]
        assert children[2]["last_error"] == "ValueError: broke"


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
        assert "failures 0" in result.output

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
        asked = subprocess.run(
            [sys.executable, "-m", "natya", "tree", "--json", "--data-dir", str(running)],
            capture_output=True,
            check=True,
            timeout=30,
        )

        assert len(json.loads(asked.stdout)["children"]) == len(TREE.children)
