"""A strategy that fails for good is parked and named; the others trade on, and the run ends with its summary."""

import json

import pytest
from natya_processes import await_that

import natya
from natya.messages.order_listing import ReadOrders
from natya.messages.supervision import ChildStatus
from natya.system import TradingSystem

pytestmark = pytest.mark.usefixtures("forked_starts")

CONFIGURATION = """
[supervision]
fail_max = 1
reset_timeout_s = 0.05
escalate_after = 2

[[strategies]]
name = "good"
strategy = "natya_strategies:Good"

[[strategies]]
name = "mortal"
strategy = "natya_strategies:{mortal}"
host = "{host}"
"""


def settings(directory, **changes):
    path = directory / "natya.toml"
    path.write_text(CONFIGURATION.format(**({"host": "loop"} | changes)))
    overrides = {"system.data_dir": str(directory / "data"), "feed.speed": 1000.0, "control.enabled": False}
    return natya.load_settings(config=path, environment={}, overrides=overrides)


def status(system, name) -> ChildStatus:
    return next(each for each in system.supervision_tree().children if each.path.endswith(f"/{name}"))


def fills(system, name):
    return system.look().statistics[name].fills


def open_orders(system, name):
    return system.request("orders", ReadOrders(strategy=name, open_only=True), timeout_s=5).orders


def events(directory, name):
    """Lines of the log, as the disk has them, of one event."""
    lines = map(json.loads, (directory / "data" / "natya.log").read_text().splitlines())
    return [line for line in lines if line["event"] == name]


class TestAStrategyThatFailsForGood:
    @pytest.mark.parametrize("host", ["loop", "process"])
    def test_is_parked_and_named_while_its_neighbour_trades_on(self, tmp_path, host):
        with TradingSystem(settings(tmp_path, mortal="Dying", host=host)) as system:
            await_that(lambda: status(system, "mortal").state == "PARKED", timeout_s=20)
            parked, before = status(system, "mortal"), fills(system, "good")
            await_that(lambda: fills(system, "good") > before + 20, timeout_s=20)
            await_that(lambda: events(tmp_path, "child.left_open"), timeout_s=20)
            summary = system.stop()

        assert parked.last_error == "ZeroDivisionError: division by zero"
        assert parked.raised_at.endswith("on_tick")
        assert "natya_strategies.py:" in parked.raised_at
        assert "self.heard = 1 / 0" in parked.last_traceback
        assert [each.partition(" (")[0] for each in summary.parked] == [
            f"mortal: {parked.last_error} at {parked.raised_at}"
        ]
        assert summary.fills >= before + 20
        assert summary.error == ""
        left = events(tmp_path, "child.left_open")[0]["fields"]
        assert left["child"] == "mortal"
        assert all(each.startswith("mortal-") for each in left["orders"])
        assert left["orders"]

    def test_has_its_orders_cancelled_where_it_says_so(self, tmp_path):
        with TradingSystem(settings(tmp_path, mortal="DyingAlone")) as system:
            await_that(lambda: events(tmp_path, "child.orders_cancelled"), timeout_s=20)
            cancelled = events(tmp_path, "child.orders_cancelled")[0]["fields"]["orders"]
            await_that(lambda: open_orders(system, "mortal") == (), timeout_s=20)

        assert cancelled
        assert all(each.startswith("mortal-") for each in cancelled)

    def test_leaves_its_traceback_in_the_log(self, tmp_path):
        of_all = settings(tmp_path, mortal="Dying")
        with TradingSystem(of_all) as system:
            await_that(lambda: status(system, "mortal").state == "PARKED", timeout_s=20)

        first = events(tmp_path, "handler.failed")[0]
        assert (first["actor"], first["level"]) == ("mortal", "error")
        assert "natya_strategies.py" in first["error"]
        assert "self.heard = 1 / 0" in first["error"]

    def test_at_its_start_keeps_nobody_from_starting(self, tmp_path):
        with TradingSystem(settings(tmp_path, mortal="Stillborn")) as system:
            assert status(system, "mortal").state in {"PARKED", "UNAVAILABLE"}
            await_that(lambda: status(system, "mortal").state == "PARKED", timeout_s=20)
            await_that(lambda: fills(system, "good"), timeout_s=20)
