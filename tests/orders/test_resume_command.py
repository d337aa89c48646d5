"""A halted system, from its journal to the command that lets orders pass again."""

import getpass
import json
import time

import pytest
from typer.testing import CliRunner

from natya.actors.control import ControlActor, ControlActorSettings
from natya.actors.journal import Journal, JournalActor
from natya.actors.orders import OrdersActor
from natya.actors.runtime import InProcessSystem
from natya.cli.app import app
from natya.config.sections.journal import JournalSettings
from natya.messages.risk_state import RiskStateChanged
from natya.messages.system import Ping

HALTED = RiskStateChanged(
    previous="NORMAL", state="HALTED", cause="order A-1 rose", changed_by="orders", occurred_ns=1_700_000_000
)


@pytest.fixture
def data_dir(tmp_path):
    """Where a process ended after a halt."""
    journal = Journal(tmp_path / "journal", now_ns=time.time_ns, segment_bytes=65_536)
    journal.open()
    journal.append([HALTED], correlation_id="risk state")
    journal.commit()
    journal.close()
    return tmp_path


@pytest.fixture
def running(data_dir, make):
    def start():
        system = InProcessSystem()
        system.start(
            "journal", JournalActor, JournalSettings.default(path=str(data_dir / "journal"), segment_bytes=65_536)
        )
        system.start("orders", OrdersActor, make.limits())
        system.start("control", ControlActor, ControlActorSettings(data_dir=data_dir))
        return system

    return start


def natya(*arguments):
    return CliRunner().invoke(app, [str(each) for each in arguments], env={"COLUMNS": "120"})


def state(system):
    return system.request("orders", Ping()).statistics.risk_state


def test_a_halt_is_ended_by_a_reason_alone_and_each_of_them_is_in_the_journal(data_dir, running):
    with running() as system:
        assert state(system) == "HALTED"
        refused = natya("resume", "--reason", " ", "--data-dir", data_dir)
        assert (refused.exit_code, state(system)) == (1, "HALTED")
        assert "a reason for going on wanted" in refused.stderr
        done = natya("resume", "--reason", "the broker called", "--data-dir", data_dir)
        again = natya("resume", "--reason", "the broker called", "--data-dir", data_dir)
    with running() as system:
        assert state(system) == "NORMAL"
    written = natya("journal", "tail", "--type", "RiskStateChanged", "--data-dir", data_dir)

    assert (done.exit_code, "order A-1 rose" in done.stdout) == (0, True)
    assert (again.exit_code, "risk state HALTED wanted, found NORMAL" in again.stderr) == (1, True)
    facts = [json.loads(line) for line in written.stdout.splitlines()]
    assert [(fact["state"], fact["cause"]) for fact in facts] == [
        ("HALTED", "order A-1 rose"),
        ("NORMAL", "the broker called"),
    ]


def test_a_system_that_is_not_there_is_not_resumed(tmp_path):
    assert natya("resume", "--reason", "x", "--data-dir", tmp_path).exit_code == 69


def test_a_limit_is_changed_by_a_command_and_listed_with_who_did_it_when_nothing_runs_any_more(data_dir, running):
    with running():
        loosened = natya("risk", "set", "quantity_max=200", "--reason", "more", "--data-dir", data_dir)
        done = natya("risk", "set", "quantity_max=3", "--reason", "calm", "--data-dir", data_dir, "--json")
        again = natya("risk", "set", "quantity_max=3", "--reason", "calm", "--data-dir", data_dir)
    listed = natya("limits", "--set", f"system.data_dir={data_dir}", "--set", "orders.quantity_max=100", "--json")

    assert (loosened.exit_code, done.exit_code, again.exit_code) == (1, 0, 0)
    assert "wanted quantity_max = 200 once more, since more may pass, found nothing" in loosened.stderr
    assert json.loads(done.stdout)["changes"] == [
        {"name": "quantity_max", "before": "100", "after": "3", "loosened": False, "configured": "100"}
    ]
    assert again.stdout == "nothing changed: the limits are so already\n"
    (rule,) = [each for each in json.loads(listed.stdout)["rules"] if each["rule"] == "quantity_max"]
    assert (rule["limit"], rule["origin"]) == ("3", f"{getpass.getuser()}: calm")
