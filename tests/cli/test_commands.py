"""The table of commands."""

import json
import pkgutil

import pytest
from natya_command_tree import every_command

from natya.cli import app, commands

HELLO = '''
"""`natya hello`."""

from natya.cli.options import JsonOption
from natya.cli.session import tell_answer


def command(name: str, *, json: JsonOption = False) -> None:
    """Greet somebody."""
    tell_answer({"greeted": name}, f"hello {name}", json=json)
'''


@pytest.fixture
def add(tmp_path, monkeypatch):
    """Add a command: one file, and one line in the table."""

    def write(file, line):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(HELLO)
        monkeypatch.setattr(app, "COMMANDS", (*app.COMMANDS, line))

    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])
    return write


class TestACommand:
    def test_is_one_file_and_one_line(self, add, natya):
        add("hello.py", "hello")

        assert natya("hello", "Asha").output == "hello Asha\n"
        assert natya("hello", "Asha", "--json").output == '{"schema":1,"greeted":"Asha"}\n'
        assert "Greet somebody." in natya("--help").output

    def test_may_belong_to_a_group(self, add, natya, monkeypatch):
        monkeypatch.setitem(app.GROUPS, "people", "Whom there is to greet.")
        add("people/hello.py", "people.hello")

        assert natya("people", "hello", "Asha").output == "hello Asha\n"
        assert "Whom there is to greet." in natya("--help").output

    def test_that_does_not_exist_is_refused_with_the_nearest(self, natya):
        for arguments, nearest in ((("pin",), "ping"), (("db", "snapshoot"), "snapshot")):
            refused = natya(*arguments)

            assert refused.exit_code == 2
            assert f"Did you mean '{nearest}'?" in refused.output


BOUNDS = {
    ("--account", 0, None): ["orders"],
    ("--after", 0, None): ["journal export", "events replay"],
    ("--after", 1, 3_600): ["deadman"],
    ("--at-most", 1, 10_000): ["orders"],
    ("--filled", 1, None): ["order settle"],
    ("--interval", 0.1, 3_600): ["top"],
    ("--loss", 0, 10**12): ["deadman"],
    ("--max-bad-rows", 0, None): ["db import"],
    ("--older-days", 0, None): ["events dlq purge"],
    ("--pace", 0, None): ["events replay"],
    ("--port", 0, 65_535): ["exchange serve"],
    ("--records", 1, 10_000): ["audit list", "journal tail"],
    ("--rows", 0, 10_000): ["events tail"],
    ("--rows", 1, 1_000): ["events dlq list"],
    ("--rows-max", 1, 10_000): ["instruments find"],
    ("--rows-max", 1, 10**9): ["db query"],
    ("--since-ns", 0, None): ["audit list", "journal tail", "journal export", "events replay"],
    ("--tick-size", 1e-9, 1_000): ["db import"],
    ("--timeout", 0.001, 3_500): ["db query", "db snapshot", "db backup", "db check"],
    ("--until", 0, None): ["events replay"],
    ("--until-ns", 0, None): ["audit list", "journal tail", "journal export", "events replay"],
    ("--workers", 0, None): ["backtest"],
}
"""Of each option that has some, with the commands that it belongs to."""


class TestEveryCommand:
    def test_takes_numbers_within_the_bounds_of_its_options(self):
        bounds = {}
        for name, found in every_command():
            for each in found.params:
                of = getattr(each.type, "min", None), getattr(each.type, "max", None)
                if of != (None, None):
                    bounds.setdefault((each.opts[0], *of), []).append(name)

        assert bounds == BOUNDS

    def test_answers_as_one_object_of_json_where_that_is_wanted(self):
        lacking = {name for name, found in every_command() if not any("--json" in each.opts for each in found.params)}

        assert not lacking

    def test_that_makes_or_prints_something_tells_it_with_a_version(self, natya, tmp_path, monkeypatch):
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.chdir(tmp_path)

        made = json.loads(natya("init", tmp_path / "p", "--json").stdout)
        script = json.loads(natya("completion", "bash", "--json").stdout)
        unit = json.loads(natya("service", "show", "--json").stdout)

        assert (made["schema"], made["kept"], str(tmp_path / "p" / "natya.toml") in made["made"]) == (1, [], True)
        assert (script["schema"], script["shell"]) == (1, "bash")
        assert (unit["schema"], unit["is_there"]) == (1, False)
        assert "ExecStart=" in unit["unit"]


class TestTheTable:
    def test_names_every_file_once(self):
        files = [
            found.name.removeprefix(f"{commands.__name__}.").removesuffix("_").replace("_", "-")
            for found in pkgutil.walk_packages(commands.__path__, f"{commands.__name__}.")
            if not found.ispkg
        ]

        assert sorted(app.COMMANDS) == sorted(files)

    def test_is_listed_by_help_in_its_order(self, natya):
        lines = natya("--help").output.splitlines()

        heads = list(dict.fromkeys(name.split(".")[0] for name in app.COMMANDS))
        assert [head for line in lines for head in heads if line.startswith(f"  {head} ")] == heads
