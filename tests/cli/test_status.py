"""`natya status`: what a person asks first, of a system that is a double here, or that is none."""

import json
import os
from decimal import Decimal

import msgspec
import pytest
from typer.testing import CliRunner

from natya.cli.app import app
from natya.client import Connection
from natya.messages.addresses import ALARMS, CONTROL, ORDERS
from natya.messages.control import HttpShown, ShowHttp
from natya.messages.health import Alarm, AlarmsShown, Component, Health, ReadHealth, ShowAlarms
from natya.messages.holdings import Position
from natya.messages.supervision import Unavailable
from natya.messages.system import Ping, Pong

NOON_NS = 1_790_000_000 * 10**9
HEALTH = Health(
    live=True,
    ready=False,
    reason="orders has not reconciled",
    risk_state="RECONCILING",
    components=(
        Component(name="journal", state="ok"),
        Component(name="orders", state="down", reason="it is restarted"),
        Component(name="alarms", state="ok"),
    ),
)
ALARM = Alarm(rule="halted", subject="orders", severity="critical", text="trading is halted", since_ns=NOON_NS)


def held(symbol, quantity):
    return Position(symbol=symbol, quantity=quantity, average_price=Decimal(0), realized_pnl=Decimal(0))


class Wire:
    daemon_pid = 4711

    def __init__(self, answers):
        self.answers, self.asked = answers, []

    def request(self, actor, message, *, timeout_s, correlation_id=""):
        self.asked.append((actor, message))
        return self.answers[actor, type(message)]

    def close(self):
        pass


@pytest.fixture
def status(tmp_path, monkeypatch):
    """Ask a system that gives these answers; without one none runs."""

    def status(*options, health=HEALTH, orders=None, alarms=(), url=""):
        wire = Wire(
            {
                (CONTROL, ReadHealth): health,
                (CONTROL, ShowHttp): HttpShown(url=url, token_file=""),
                (ORDERS, Ping): orders,
                (ALARMS, ShowAlarms): AlarmsShown(alarms=alarms, ways=()),
            }
        )
        monkeypatch.setattr("natya.client.connect", lambda *_, **__: Connection(wire))
        return CliRunner().invoke(app, ["status", "--data-dir", str(tmp_path), *options]), wire

    (tmp_path / "natya.lock").touch()
    os.utime(tmp_path / "natya.lock", ns=(NOON_NS, NOON_NS))
    return status


class TestASystemThatRuns:
    def test_is_shown_in_a_few_lines(self, status, view, tmp_path):
        counts = view(orders=71, fills=72, positions=(held("TCS", 10), held("INFY", 0))).statistics["orders"]
        well = msgspec.structs.replace(HEALTH, ready=True, reason="", risk_state="NORMAL")
        shown, _ = status(
            health=well, orders=Pong(actor=ORDERS, statistics=counts), alarms=(ALARM,), url="http://127.0.0.1:8711"
        )

        assert shown.exit_code == 0, shown.output
        assert shown.stdout.splitlines() == [
            f"process 4711 runs in {tmp_path} since 2026-09-21 19:43:20 IST",
            "ready, risk state NORMAL",
            "  orders down: it is restarted",
            "71 orders, 72 fills, 1 rejected, 0 open, 0 in doubt",
            "positions: TCS +10",
            "alarm: trading is halted",
            "HTTP at http://127.0.0.1:8711",
        ]

    def test_is_shown_while_its_orders_do_not_answer(self, status, tmp_path):
        (tmp_path / "natya.lock").unlink()
        shown, _ = status(orders=Unavailable(actor=ORDERS, reason="it is restarted", retry_after_s=1.0))

        assert shown.stdout.splitlines() == [
            f"process 4711 runs in {tmp_path}",
            "not ready, risk state RECONCILING: orders has not reconciled",
            "  orders down: it is restarted",
            "no alarm",
        ]

    def test_without_orders_of_its_own_is_not_asked_for_them(self, status):
        node = msgspec.structs.replace(HEALTH, components=(Component(name="nodes", state="ok"),))
        _, wire = status(health=node)

        assert [actor for actor, _ in wire.asked] == [CONTROL, CONTROL]

    def test_says_the_same_as_one_object_of_json(self, status, tmp_path):
        shown, _ = status("--json", orders=None, alarms=(ALARM,))
        told = json.loads(shown.stdout)

        assert (told["schema"], told["pid"], told["data_dir"]) == (1, 4711, str(tmp_path))
        assert (told["since_ns"], told["orders"], told["url"]) == (NOON_NS, None, "")
        assert (told["health"]["ready"], told["alarms"]["alarms"][0]["rule"]) == (False, "halted")


def test_ends_with_69_where_nothing_runs(tmp_path):
    assert CliRunner().invoke(app, ["status", "--data-dir", str(tmp_path)]).exit_code == 69
