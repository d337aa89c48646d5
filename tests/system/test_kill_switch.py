"""The kill switch of a live system at an exchange in another process: before the start, in a burst, and over a kill."""

import signal

import pytest
from natya_live import AT_ANY_HOUR, LIMITS, LiveDaemon, Rester, facts
from natya_processes import await_that

from natya import StrategyActor, TradingSystem
from natya.config.halt_file import HaltFile, HaltNote
from natya.config.heartbeat import HEARTBEAT_NAME, Heartbeat
from natya.config.loader import load_settings
from natya.messages.orders import OrderAccepted, OrderCancelled, OrderIntended, OrderRefused
from natya.messages.risk_state import RiskStateChanged


@pytest.fixture
def halt(tmp_path):
    return HaltFile(tmp_path / "natya" / "HALT")


@pytest.fixture
def system(tmp_path, exchange):
    given = {
        "system.data_dir": str(tmp_path / "natya"),
        "feed.symbols": ["RELIANCE"],
        "feed.ticks_per_s": 100.0,
        "control.enabled": False,
        "broker.live": True,
        **AT_ANY_HOUR,
        "broker.confirmed_limits": LIMITS,
        "strategies": [{"name": "rester", "strategy": Rester, "symbols": ["RELIANCE"]}],
    }
    return TradingSystem(load_settings("live", environment=exchange.environment, overrides=given))


def orders(system):
    return system.look().statistics["orders"]


def test_a_file_that_is_there_before_the_start_lets_no_order_leave(tmp_path, system, exchange, halt):
    halt.engage(HaltNote(reason="not today", person="asha"))
    with system:
        await_that(lambda: orders(system).rejected == Rester.COUNT)
        assert orders(system).risk_cause == "kill switch: not today"

    assert exchange.book() == []
    assert {refused.rule for refused in facts(tmp_path / "natya", OrderRefused)} == {"risk_state"}


def test_a_file_in_the_middle_of_a_burst_ends_it_and_everything_that_had_left_is_cancelled(system, exchange, halt):
    with system:
        await_that(lambda: orders(system).open_orders >= 3)
        halt.engage(HaltNote(reason="enough"))
        await_that(lambda: orders(system).risk_state == "HALTED" and orders(system).open_orders == 0)
        left = exchange.states()
        await_that(lambda: orders(system).orders == Rester.COUNT)

        assert orders(system).uncertain_orders == 0
        assert set(exchange.states()) == {"CANCELLED"}
        assert exchange.states() == left
        assert orders(system).rejected + left["CANCELLED"] == Rester.COUNT
    assert Heartbeat(halt.path.with_name(HEARTBEAT_NAME)).read().ended


def test_a_process_that_is_killed_between_the_file_and_the_cancellations_leaves_them_to_the_next(
    tmp_path, exchange, halt
):
    daemon = LiveDaemon(exchange, tmp_path)
    try:
        first = daemon.start()
        daemon.await_facts(OrderAccepted, Rester.COUNT)
        first.send_signal(signal.SIGSTOP)  # it hangs: neither the file nor the socket is of any use
        halt.engage(HaltNote(reason="it hangs", person="asha"))
        first.kill()
        first.wait()
        await_that(lambda: exchange.states() == {"PENDING": Rester.COUNT})  # accepted, they are in transit at first
        second = daemon.start()
        daemon.await_facts(OrderCancelled, Rester.COUNT)
        second.terminate()
        second.wait(timeout=60)
    finally:
        daemon.end()

    assert exchange.states() == {"CANCELLED": Rester.COUNT}, daemon.output()
    assert [(each.state, each.cause, each.changed_by) for each in daemon.facts(RiskStateChanged)] == [
        ("HALTED", "kill switch: it hangs", "asha")
    ]


class Holder(StrategyActor):
    """Buys five shares at the first price, and one more that rests."""

    def on_begin(self):
        self._has_ordered = False

    def on_tick(self, tick):
        if not self._has_ordered:
            self._has_ordered = True
            self.buy(tick.symbol, 5)
            self.buy(tick.symbol, 1, limit=float(round(tick.price * 0.95)))


def test_positions_are_closed_by_limit_orders_while_everything_is_halted(tmp_path, exchange, halt):
    given = {
        "system.data_dir": str(tmp_path / "natya"),
        "feed.symbols": ["RELIANCE"],
        "control.enabled": False,
        "broker.live": True,
        "broker.confirmed_limits": LIMITS,
        **AT_ANY_HOUR,
        "strategies": [{"name": "holder", "strategy": Holder, "symbols": ["RELIANCE"]}],
    }
    with TradingSystem(load_settings("live", environment=exchange.environment, overrides=given)) as system:
        await_that(lambda: orders(system).fills and orders(system).open_orders == 1)
        halt.engage(HaltNote(reason="close it all", flatten=True))
        await_that(lambda: [each.quantity for each in orders(system).positions] == [0])
        await_that(lambda: orders(system).open_orders == 0)

        assert orders(system).risk_state == "HALTED"
    sold = [each for each in facts(tmp_path / "natya", OrderIntended) if each.side == "SELL"]
    assert {each.order_type for each in sold} == {"LIMIT"}
    assert {each.strategy for each in sold} == {"holder"}
