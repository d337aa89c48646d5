"""The live profile at an exchange of this machine: nothing of it knows that no money is at stake."""

import json
import os
import subprocess
import sys

import pytest
from natya_processes import await_that
from natya_web import ask

from natya import StrategyActor, TradingSystem
from natya.config.loader import load_settings

SERVE = [sys.executable, "-m", "natya", "exchange", "serve", "--always-open", "--by-hand"]
LIMITS = {"quantity_max": 10, "value_max_rupees": 25_000.0, "position_max": 20, "orders_in_flight_max": 10}


class Buyer(StrategyActor):
    """Buys once: some shares at the market, and others so low that they rest."""

    def on_begin(self) -> None:
        self._has_ordered = self.parameters["idle"]

    def on_tick(self, tick) -> None:
        if not self._has_ordered:
            self._has_ordered = True
            self.buy(tick.symbol, 2)
            self.buy(tick.symbol, 3, float(round(tick.price * 0.95)))


class Exchange:
    """`natya exchange serve`, in a process of its own."""

    def __init__(self, data_dir):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("NATYA")}
        self.process = subprocess.Popen(
            [*SERVE, "--data-dir", str(data_dir)], stdout=subprocess.PIPE, env=environment, text=True
        )
        self.first = json.loads(self.process.stdout.readline())

    def ask(self, method, path, body=None):
        url = self.first["rest"].removesuffix("/v2") + path
        headers = {"access-token": self.first["token"]}
        return json.loads(ask(method, url, None if body is None else json.dumps(body), headers)[1])

    def book(self):
        return [(row["orderStatus"], row["quantity"]) for row in self.ask("GET", "/v2/orders")]


@pytest.fixture
def exchange(tmp_path):
    served = Exchange(tmp_path / "exchange")
    yield served
    served.process.kill()
    served.process.communicate()


@pytest.fixture
def a_system(tmp_path, exchange):
    def build(*, idle=False, **given):
        environment = {
            "BROKER_BASE_URL": exchange.first["rest"],
            "BROKER_CLIENT_ID": exchange.first["client_id"],
            "BROKER_ACCESS_TOKEN": exchange.first["token"],
        }
        given = {
            "system.data_dir": str(tmp_path / "natya"),
            "feed.symbols": ["RELIANCE"],
            "control.enabled": False,
            "orders.session": "none",
            "strategies": [{"name": "buyer", "strategy": Buyer, "symbols": ["RELIANCE"], "parameters": {"idle": idle}}],
        } | given
        return TradingSystem(load_settings("live", environment=environment, overrides=given))

    return build


def counts(system):
    return system.look().statistics["orders"]


def test_orders_leave_only_with_leave_and_are_found_again_by_the_next_process(exchange, a_system):
    exchange.ask("POST", "/__market", {"symbol": "RELIANCE", "price": 1_526.0})
    with a_system() as dry:
        assert "a dry run: no order leaves for dhan" in dry.notes[-1]
        await_that(lambda: counts(dry).rejected == 2)
        assert exchange.book() == []

    live = {"broker.live": True, "broker.confirmed_limits": LIMITS}
    with a_system(**live) as first:
        assert not first.notes
        await_that(lambda: counts(first).fills == 1 and counts(first).open_orders == 1)
    with a_system(**live, idle=True) as second:
        found = await_that(lambda: (now := counts(second)).risk_state == "NORMAL" and now)

        assert (found.open_orders, found.uncertain_orders) == (1, 0)
        assert [(position.symbol, position.quantity) for position in found.positions] == [("RELIANCE", 2)]
    assert sorted(exchange.book()) == [("PENDING", 3), ("TRADED", 2)]
