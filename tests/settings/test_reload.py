"""Settings read anew while a system runs, from a file that a person edits: all of a change, or none."""

import json
import logging
from unittest import mock

import pytest
from typer.testing import CliRunner

import natya
from natya.actors.runtime import InProcessSystem
from natya.actors.runtime.simulation import SimulatedSystemBase
from natya.actors.settings.actor import FROM_A_PROGRAM, GOES_ON, SettingsActor, SettingsActorSettings
from natya.cli.app import app
from natya.cli.journals import journal_of
from natya.config.in_force import InForce
from natya.config.loader import load_with_origins
from natya.messages.health import ShowAlarms
from natya.messages.settings import ReloadRefused, ReloadSettings, SettingsChanged
from natya.messages.system import Ping

pytestmark = pytest.mark.usefixtures("engines")


class Edited:
    """A settings file, and how it is read."""

    def __init__(self, folder):
        self.path, self.data_dir = folder / "mine.toml", folder / "data"
        self.write("")

    def write(self, text):
        self.path.write_text(text)
        self.path.chmod(0o600)

    def read(self):
        overrides = {"system.data_dir": str(self.data_dir), "feed.symbols": ["TCS"]}
        return load_with_origins("paper", config=self.path, environment={}, overrides=overrides)


@pytest.fixture
def edited(tmp_path):
    return Edited(tmp_path)


@pytest.fixture
def system(edited):
    with natya.TradingSystem(edited.read().settings, read_again=edited.read) as running:
        yield running


@pytest.fixture
def shell(edited):
    """The command line, at that system's directory."""
    return lambda *arguments: CliRunner().invoke(app, ["reload", "--data-dir", str(edited.data_dir), *arguments])


def facts_of(system):
    return [each.fact for each in journal_of(system.settings).find(types=("SettingsChanged",))]


class TestAChange:
    def test_of_level_and_alarms_is_in_force_and_journaled(self, system, edited):
        edited.write('[log]\nlevel = "debug"\n[notifications]\ncommand = ["true"]\nwebhook = "https://x/canary-7f3a91"')
        answer = system.reload()

        assert [each.key for each in answer.changes] == ["log.level", "notifications.command", "notifications.webhook"]
        assert logging.getLogger("natya").level == logging.DEBUG
        assert system.request("alarms", ShowAlarms(), timeout_s=10).ways == ("command", "webhook")
        (fact,) = facts_of(system)
        assert fact.changes == answer.changes
        assert "canary" not in repr(fact)
        assert "canary" not in (edited.data_dir / "natya.log").read_text()

    def test_of_an_alarms_secret_that_is_rotated_is_in_force_at_once(self, system, edited):
        words = ["secrets", "rotate", "notifications.webhook", "--json", "--data-dir", str(edited.data_dir)]
        rotated = CliRunner().invoke(app, words, input="https://x/canary-7f3a91\n")

        assert (rotated.exit_code, json.loads(rotated.stdout)["system"]) == (0, "taken"), rotated.output
        assert system.request("alarms", ShowAlarms(), timeout_s=10).ways == ("webhook",)
        assert [each.key for fact in facts_of(system) for each in fact.changes] == ["notifications.webhook"]

    def test_is_none_the_second_time(self, system, edited):
        edited.write('[log]\nlevel = "debug"')

        assert (len(system.reload().changes), system.reload().changes) == (1, ())
        assert len(facts_of(system)) == 1

    @pytest.mark.parametrize(
        ("text", "problem"),
        [
            ('[log]\nlevel = "debug"\n[orders]\nquantity_max = 7', "orders.quantity_max: only a start takes another"),
            ('[log]\nlevel = "loud"\n[notifications]\ncommand = ["true"]', "wanted one of debug, info"),
            ('[log]\nlevel = "debug', "wanted TOML, found an error"),
        ],
    )
    def test_that_cannot_be_taken_whole_is_not_taken_at_all(self, system, edited, text, problem):
        before = logging.getLogger("natya").level
        edited.write(text)
        answer = system.reload()

        assert isinstance(answer, ReloadRefused)
        assert any(problem in each for each in answer.problems)
        assert logging.getLogger("natya").level == before
        assert system.request("alarms", ShowAlarms(), timeout_s=10).ways == ()
        assert facts_of(system) == []

    def test_of_the_schedule_of_instruments_is_taken(self, system, edited):
        edited.write('[instruments]\nrefresh = "daily"\nurl = "http://127.0.0.1:9/list.csv"\nretry_s = 3600.0')
        system.reload()

        counted = system.request("instruments", Ping(), timeout_s=10).statistics
        while not counted.refused:  # fetched at once, since there is no list of today, and nobody is there
            counted = system.request("instruments", Ping(), timeout_s=10).statistics


class TestTheCommand:
    def test_shows_what_changed_and_who_asked_is_in_the_audit(self, system, edited, shell):
        edited.write('[log]\nlevel = "debug"')
        checked = shell("--check", "--json")
        applied = shell("--json")
        again = shell()

        change = {"key": "log.level", "before": '"info"', "after": '"debug"'}
        assert json.loads(checked.stdout) == {"schema": 1, "applied": False, "changes": [change], "problems": []}
        assert json.loads(applied.stdout) == {"schema": 1, "applied": True, "changes": [change], "problems": []}
        assert again.stdout == "no setting has changed\n"
        asked = [each.fact.operation for each in journal_of(system.settings).find(types=("OperationAsked",))]
        assert asked == ["reload-settings"] * 3

    def test_is_not_needed_for_the_audit_to_know_who_had_it_done(self, system, edited):
        edited.write('[log]\nlevel = "debug"')
        system.reload(who="SIGHUP")
        system.reload()

        facts = [each.fact for each in journal_of(system.settings).find(types=("OperationAsked",))]
        assert [(each.operation, each.who) for each in facts] == [
            ("reload-settings", "SIGHUP"),
            ("reload-settings", "its own process"),
        ]

    def test_ends_with_78_and_names_every_key_that_only_a_start_takes(self, system, edited, shell):
        edited.write('[log]\nlevel = "debug"\n[orders]\nquantity_max = 7\n[feed]\nseed = 8')
        refused = shell()

        assert refused.exit_code == 78
        assert "orders.quantity_max" in refused.output
        assert "feed.seed" in refused.output
        assert "log.level" not in refused.output

    def test_ends_with_69_where_nothing_runs(self, shell):
        assert shell().exit_code == 69


class TestAlone:
    """The actor in virtual time, between a journal and an owner of alarms that the test plays."""

    @pytest.fixture
    def stage(self, edited):
        with InProcessSystem(SimulatedSystemBase(seed=1)) as system:
            yield system, system.probe("journal"), system.probe("alarms")

    def start(self, system, in_force):
        system.start("settings", SettingsActor, SettingsActorSettings(in_force=in_force))

    def test_tells_that_a_program_gave_the_settings(self, stage, edited):
        system, *_ = stage
        self.start(system, InForce(edited.read().settings))

        assert system.request("settings", ReloadSettings(), timeout_s=5).problems == (FROM_A_PROGRAM,)

    def test_changes_nothing_that_the_journal_did_not_take(self, stage, edited):
        system, journal, alarms = stage
        in_force = InForce(edited.read().settings, edited.read)
        self.start(system, in_force)
        edited.write('[notifications]\ncommand = ["true"]')
        asked = system.request_future("settings", ReloadSettings())
        system.base.run_for(1)
        (fact,) = journal.receive().facts
        system.base.run_for(60)

        assert isinstance(fact, SettingsChanged)
        assert "the journal did not take it" in asked.result(0).problems[0]
        assert in_force.settings.notifications.command == ()
        assert alarms.is_empty()

    def test_that_is_only_to_be_checked_is_told_and_changes_nothing(self, stage, edited):
        system, journal, alarms = stage
        in_force = InForce(edited.read().settings, edited.read)
        self.start(system, in_force)
        edited.write('[notifications]\ncommand = ["true"]')
        told = system.request("settings", ReloadSettings(check_only=True), timeout_s=5)

        assert [each.key for each in told.changes] == ["notifications.command"]
        assert in_force.settings.notifications.command == ()
        assert (journal.is_empty(), alarms.is_empty()) == (True, True)

    def test_refuses_another_while_the_journal_writes_the_first(self, stage, edited):
        system, *_ = stage
        self.start(system, InForce(edited.read().settings, edited.read))
        edited.write('[log]\nlevel = "debug"')
        system.request_future("settings", ReloadSettings())
        system.base.run_for(1)
        second = system.request_future("settings", ReloadSettings())
        system.base.run_for(1)

        assert second.result(0).problems == (GOES_ON,)

    def test_fails_once_by_a_fault_of_reading_and_is_asked_again(self, stage, edited):
        system, *_ = stage
        read = mock.Mock(side_effect=[MemoryError("none left"), edited.read()])
        self.start(system, InForce(edited.read().settings, read))
        system.request_future("settings", ReloadSettings())
        system.base.run_for(5)

        assert system.request("settings", ReloadSettings(), timeout_s=5).changes == ()
