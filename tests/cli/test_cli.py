import json
import re
import subprocess
import sys
from importlib.metadata import version

import pytest

from natya import system
from natya.cli import foreground
from natya.cli.app import COMMANDS, GROUPS
from natya.cli.options import Profile
from natya.config.loader import PROFILES

CANARY = "canary-7f3a91"


@pytest.fixture
def run(natya, monkeypatch, tmp_path):
    """Call `natya run` and return the settings it would have performed with, and the format of the summary."""
    performed = []

    def perform(settings, make_system, *, summary_format):
        performed.append((settings, summary_format))
        assert make_system.func is system.TradingSystem
        assert make_system.keywords["read_again"]().settings == settings
        return 0

    monkeypatch.setattr(foreground, "perform", perform)
    monkeypatch.setattr(sys, "path", list(sys.path))

    def call(*arguments):
        result = natya("run", "--data-dir", tmp_path, *arguments)
        assert result.exit_code == 0, result.output
        return performed[-1]

    return call


class TestRun:
    def test_is_a_synthetic_market_on_paper_by_default(self, run, tmp_path):
        settings, summary_format = run()

        assert (settings.system.profile, settings.feed.source, summary_format) == ("paper", "synthetic", "text")
        assert settings.system.data_dir == str(tmp_path)

    def test_lets_real_orders_leave_only_when_it_is_told_to(self, run):
        limits = "{ quantity_max = 10, value_max_rupees = 25000.0, position_max = 20, orders_in_flight_max = 10 }"
        given = ["broker.client_id=1", "broker.base_url=http://127.0.0.1:1/v2", f"broker.confirmed_limits={limits}"]
        arguments = ["--profile", "live", *(part for each in given for part in ("--set", each))]

        assert not run(*arguments)[0].broker.live
        assert run(*arguments, "--live")[0].broker.live

    def test_replays_a_recording(self, run):
        arguments = "--replay day.csv --symbol TCS --speed max --max-bad-rows 3 --duration 1.5 --summary json"
        settings, summary_format = run(*arguments.split())

        feed = settings.feed
        assert (feed.source, feed.recording, feed.symbol) == ("replay", "day.csv", "TCS")
        assert (feed.speed, feed.bad_rows_max, feed.duration_s, summary_format) == (0.0, 3, 1.5, "json")

    def test_replays_several_recordings(self, run):
        settings, _ = run("--replay", "a.csv", "--replay", "b.csv", "--interval", "5m")

        assert (settings.feed.source, settings.feed.recordings) == ("replay", ("a.csv", "b.csv"))
        assert settings.feed.interval == "5m"

    def test_makes_a_synthetic_market_of_one_symbol_and_seed(self, run):
        settings, _ = run("--symbol", "TCS", "--seed", "11", "--speed", "2.5")

        assert (settings.feed.symbols, settings.feed.seed, settings.feed.speed) == (("TCS",), 11, 2.5)

    @pytest.mark.parametrize(
        ("paths", "names"),
        [
            (["a:Dip", "b:Grid"], ["dip", "grid"]),
            (["a:Dip", "a:Dip", "b:DIP"], ["dip", "dip2", "dip3"]),
            (["a:Dip2", "a:Dip", "a:Dip"], ["dip2", "dip", "dip3"]),
            (["a:Orders", "a:Flat"], ["orders2", "flat2"]),
        ],
        ids=["two", "one class", "a name that is taken", "names of the system"],
    )
    def test_takes_several_strategies_each_by_a_name_of_its_own(self, run, paths, names):
        settings, _ = run(*(argument for path in paths for argument in ("--strategy", path)))

        assert [strategy.strategy for strategy in settings.strategies] == paths
        assert [strategy.name for strategy in settings.strategies] == names

    def test_takes_another_strategy(self, run):
        settings, _ = run("--strategy", "my.module:Mine")

        (strategy,) = settings.strategies
        assert (strategy.name, strategy.strategy) == ("mine", "my.module:Mine")

    def test_gives_it_parameters_each_by_its_type_or_as_text(self, run):
        given = ("fast=10", "dip=0.5", 'symbols=["TCS"]', "side=long", "short=true")
        settings, _ = run("--strategy", "my.module:Mine", *(part for each in given for part in ("--param", each)))

        assert settings.strategies[0].parameters == {
            "fast": 10,
            "dip": 0.5,
            "symbols": ["TCS"],
            "side": "long",
            "short": True,
        }

    def test_takes_any_setting(self, run):
        settings, _ = run("--set", "orders.quantity_max=5", "--set", "feed.symbols=A,B")

        assert (settings.orders.quantity_max, settings.feed.symbols) == (5, ("A", "B"))

    def test_takes_a_file_of_settings(self, run, tmp_path):
        path = tmp_path / "mine.toml"
        path.write_text("[feed]\nseed = 12\n")
        settings, _ = run("--config", path)

        assert settings.feed.seed == 12

    def test_ends_with_the_code_of_the_performance(self, natya, monkeypatch):
        monkeypatch.setattr(foreground, "perform", lambda *_, **__: 75)

        assert natya("run").exit_code == 75


class TestWrongUse:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["run", "--profile", "papper"],
            ["run", "--speed", "fast"],
            ["run", "--set", "feed.seed"],
            ["run", "--seed", "x"],
            ["run", "--unknown"],
            ["walk"],
        ],
        ids=" ".join,
    )
    def test_ends_with_2(self, natya, arguments):
        assert natya(*arguments).exit_code == 2


class TestWrongSettings:
    @pytest.mark.parametrize(
        ("arguments", "problem"),
        [
            (["--set", "feed.sed=1"], "natya: command line: feed.sed: unknown key; did you mean feed.seed?"),
            (["--strategy", "Mine"], "natya: command line: strategies[0].strategy: wanted module:Class, found 'Mine'"),
            (["--profile", "live"], "natya: default.toml: broker.client_id: wanted the number of the account"),
            (["--config", "/none.toml"], "natya: /none.toml: cannot be read: No such file or directory"),
        ],
        ids=["key", "strategy", "live", "file"],
    )
    def test_end_a_run_with_78(self, natya, arguments, problem):
        result = natya("run", *arguments)

        assert result.exit_code == 78
        assert result.stderr.startswith(problem)
        assert not result.stdout


class TestConfigShow:
    def test_prints_every_setting_and_its_origin(self, natya):
        result = natya("config", "show", "--set", "feed.seed=9", environment={"REDIS_DB": "3"})

        assert result.exit_code == 0
        assert re.search(r"^feed\.seed = 9 +# command line$", result.stdout, re.MULTILINE)
        assert re.search(r"^redis\.db = 3 +# environment REDIS_DB$", result.stdout, re.MULTILINE)
        assert re.search(r"^orders\.quantity_max = 100 +# default\.toml$", result.stdout, re.MULTILINE)

    def test_masks_secrets(self, natya):
        environment = {"BROKER_ACCESS_TOKEN": CANARY}
        shown = natya("config", "show", environment=environment).output
        shown += natya("config", "show", "--json", environment=environment).output

        assert CANARY not in shown
        assert 'broker.access_token = "***"' in shown

    def test_prints_one_json_object(self, natya):
        shown = json.loads(natya("config", "show", "--json", "--set", "feed.seed=9").stdout)

        assert shown["schema"] == 1
        assert shown["settings"]["feed.seed"] == {"value": 9, "origin": "command line"}
        assert shown["settings"]["strategies"]["value"][0]["name"] == "crossover"


class TestConfigCheck:
    def test_says_when_all_is_right(self, natya):
        result = natya("config", "check")

        assert (result.exit_code, result.stdout) == (0, "the settings are right\n")

    def test_lists_what_is_wrong_and_ends_with_78(self, natya):
        result = natya("config", "check", "--set", "a.b=1", "--set", "feed.seed=x")

        assert result.exit_code == 78
        assert len(result.stderr.splitlines()) == 2

    def test_prints_one_json_object(self, natya):
        assert json.loads(natya("config", "check", "--json").stdout) == {"schema": 1, "ok": True, "problems": []}
        assert not json.loads(natya("config", "check", "--json", "--set", "a.b=1").stdout)["ok"]


class TestTheProgram:
    def test_says_its_version(self, natya):
        assert natya("--version").stdout == f"natya {version('natya')}\n"

    def test_says_of_each_group_the_whole_line(self, natya):
        told = " ".join(natya("--help").stdout.split())

        assert all(text in told for path, text in GROUPS.items() if "." not in path)

    @pytest.mark.parametrize("path", GROUPS)
    def test_explains_a_group_to_who_asks_for_nothing_of_it(self, natya, path):
        words = path.split(".")

        assert natya(*words).output == natya(*words, "--help").output

    @pytest.mark.parametrize("path", ["", *GROUPS, *COMMANDS])
    def test_explains_every_command(self, natya, path):
        words = ["natya", *path.split(".")] if path else ["natya"]

        assert f"Usage: {' '.join(words)}" in natya(*words[1:], "--help").stdout

    def test_knows_every_profile_there_is(self):
        assert {profile.value for profile in Profile} == set(PROFILES)

    def test_runs_as_a_module(self):
        done = subprocess.run([sys.executable, "-m", "natya", "--version"], capture_output=True, text=True, check=True)

        assert done.stdout == f"natya {version('natya')}\n"

    def test_explains_itself_without_loading_a_room(self):
        rooms = "'natya.actors', 'natya.cli.commands.db.query'"
        told = f"print({{'thespian', 'duckdb', 'numpy', 'msgspec', 'rich', 'pydantic', {rooms}}} & {{*sys.modules}})"
        calls = "; ".join(f"app({words}, standalone_mode=False)" for words in (["positions", "--help"], ["--help"]))
        program = f"import sys; from natya.cli.app import app; {calls}; {told}"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

        assert "ask it, fill it" in done.stdout
        assert done.stdout.endswith("\nset()\n")

    def test_makes_a_paper_system_without_loading_http_or_what_serves_others(self):
        rooms = "'natya.actors.exchange.serving', 'natya.actors.broker.bodies.dhan', 'natya.actors.web.server'"
        told = f"print({{'requests', 'urllib3', 'asyncio', {rooms}}} & {{*sys.modules}})"
        program = f"import sys; import natya.composition; {told}"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

        assert done.stdout == "set()\n"
