"""The live profile at an exchange of this machine: nothing of it knows that no money is at stake."""

import signal
import time
from pathlib import Path

import pytest
from natya_live import LIMITS, Exchange
from natya_processes import await_that

from natya import StrategyActor, TradingSystem
from natya.config.heartbeat import HEARTBEAT_NAME, Heartbeat
from natya.config.loader import load_settings
from natya.summary import StoppedInStartError


class Buyer(StrategyActor):
    """Buys once: some shares at the market, and others so low that they rest."""

    def on_begin(self) -> None:
        self._has_ordered = self.parameters["idle"]

    def on_tick(self, tick) -> None:
        if not self._has_ordered:
            self._has_ordered = True
            self.buy(tick.symbol, 2)
            self.buy(tick.symbol, 3, float(round(tick.price * 0.95)))


@pytest.fixture
def exchange(tmp_path):
    served = Exchange(tmp_path / "exchange")
    yield served
    served.end()


@pytest.fixture
def a_system(tmp_path, exchange):
    def build(*, idle=False, **given):
        given = {
            "system.data_dir": str(tmp_path / "natya"),
            "feed.symbols": ["RELIANCE"],
            "control.enabled": False,
            "orders.session": "none",
            "orders.symbols": ["RELIANCE"],
            "strategies": [{"name": "buyer", "strategy": Buyer, "symbols": ["RELIANCE"], "parameters": {"idle": idle}}],
        } | given
        return TradingSystem(load_settings("live", environment=exchange.environment, overrides=given))

    return build


def counts(system):
    return system.look().statistics["orders"]


def test_a_start_ends_at_once_where_that_is_wanted_though_the_exchange_is_silent(exchange, a_system):
    live = {"broker.live": True, "broker.confirmed_limits": LIMITS}
    exchange.price(1_526.0)
    with a_system(**live) as first:
        await_that(lambda: counts(first).open_orders == 1)
        heart = Heartbeat(Path(first.settings.system.data_dir) / HEARTBEAT_NAME)
    exchange.process.send_signal(signal.SIGSTOP)
    began_s = time.monotonic()
    with pytest.raises(StoppedInStartError, match="before it was up"):
        a_system(**live, idle=True).begin(until=lambda: time.monotonic() > began_s + 1.0)

    assert time.monotonic() < began_s + 15.0
    assert heart.read().ended
    exchange.process.send_signal(signal.SIGCONT)
    with a_system(**live, idle=True) as next_one:
        await_that(lambda: counts(next_one).risk_state == "NORMAL" and counts(next_one).open_orders == 1)


def test_orders_leave_only_with_leave_and_are_found_again_by_the_next_process(exchange, a_system):
    exchange.price(1_526.0)
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
        heart = Heartbeat(Path(second.settings.system.data_dir) / HEARTBEAT_NAME)
        assert not heart.read().ended
    assert heart.read().ended
    assert sorted(exchange.book()) == [("PENDING", 3), ("TRADED", 2)]
