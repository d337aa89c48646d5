"""Paper trading over HTTP (`broker.wire`): the code that trades at Dhan, at the paper exchange of the same system."""

import pytest
from natya_live import facts

from natya import StrategyActor, TradingSystem
from natya.config.errors import SettingsError
from natya.config.loader import load_settings
from natya.messages.reconciliation import PositionMismatch
from natya.messages.system import Ping


class Rester(StrategyActor):
    """Buys once, so low that it never trades; and once at the market."""

    def on_begin(self) -> None:
        self._has_ordered = bool(self.parameters.get("idle"))

    def on_tick(self, tick) -> None:
        if not self._has_ordered:
            self._has_ordered = True
            self.buy(tick.symbol, 3, round(tick.price * 0.9, 2))
            self.buy(tick.symbol, 2)


class Buyer(StrategyActor):
    """Buys at each tick, so that there are updates whenever the socket is open."""

    def on_tick(self, tick) -> None:
        self.buy(tick.symbol, 1)


@pytest.fixture
def played(tmp_path):
    """Play a market to its end, in one data directory; return what each actor counted."""

    def play(**parameters):
        strategy = {"name": "rester", "strategy": Rester, "symbols": ["ABC"], "parameters": parameters}
        given = {
            "system.data_dir": str(tmp_path),
            "broker.wire": True,
            "feed.symbols": ["ABC"],
            "feed.ticks_per_s": 2.0,
            "feed.duration_s": 30.0,
            "feed.speed": 0.0,
            "control.enabled": False,
            "strategies": [strategy],
        }
        with TradingSystem(load_settings("paper", overrides=given, environment={})) as system:
            system.await_end(30)
            return system.look()

    return play


class TestPaperOnTheWire:
    def test_trades_over_http_and_leaves_nothing_in_doubt(self, played):
        view = played()
        orders, web = view.statistics["orders"], view.statistics["web"]

        assert (orders.orders, orders.open_orders, orders.uncertain_orders, orders.rejected) == (2, 1, 0, 0)
        assert sum(position.quantity for position in orders.positions) == 2
        assert view.statistics["exchange"].orders == 2
        assert web.requests > 4
        assert web.failures == view.dead_letters == 0

    def test_finds_its_open_orders_again_in_a_new_process_and_sends_none_again(self, played):
        played()
        view = played(idle=True)
        orders = view.statistics["orders"]

        assert (orders.open_orders, orders.uncertain_orders, orders.risk_state) == (1, 0, "NORMAL")
        assert sum(position.quantity for position in orders.positions) == 2
        exchange = view.statistics["exchange"]
        assert (exchange.orders, exchange.trades, exchange.resting_orders) == (2, 1, 1)

    def test_holds_what_the_account_holds_also_after_the_hour_of_the_square_off(self, tmp_path):
        recording = tmp_path / "day.csv"
        rows = [f"2026-11-25 15:{minute:02}:00,100,101,99,100,50" for minute in range(10, 29)]
        recording.write_text("\n".join(["date,open,high,low,close,volume", *rows, ""]))
        given = {
            "system.data_dir": str(tmp_path / "data"),
            "broker.wire": True,
            "feed.source": "replay",
            "feed.recording": str(recording),
            "feed.symbol": "ABC",
            "feed.speed": 0.0,
            "control.enabled": False,
            "strategies": [{"name": "rester", "strategy": Rester}],
        }
        with TradingSystem(load_settings("paper", overrides=given, environment={})) as system:
            system.await_end(30)
            statistics = system.look().statistics

        assert [(each.symbol, each.quantity) for each in statistics["orders"].positions] == [("ABC", 2)]
        assert (statistics["exchange"].orders, statistics["exchange"].trades) == (2, 1)

    def test_is_of_the_paper_broker_alone(self):
        given = {"broker.wire": True, "broker.name": "dhan"}

        with pytest.raises(SettingsError, match=r"broker\.name: wanted one of paper, found 'dhan'"):
            TradingSystem(load_settings("paper", overrides=given, environment={}))


def counts_of_updates(system):
    return system.request("broker-updates", Ping(), timeout_s=10).statistics


class TestPaperOnTheWireInRealTime:
    def test_hears_of_its_orders_by_the_exchange_s_socket_and_holds_what_is_held_there(self, tmp_path):
        strategy = {"name": "buyer", "strategy": Buyer, "symbols": ["ABC"]}
        given = {
            "system.data_dir": str(tmp_path),
            "broker.wire": True,
            "feed.symbols": ["ABC"],
            "feed.ticks_per_s": 5.0,
            "feed.duration_s": 60.0,
            "feed.speed": 1.0,
            "control.enabled": False,
            "broker.compare_interval_s": 0.1,
            "strategies": [strategy],
        }
        with TradingSystem(load_settings("paper", overrides=given, environment={})) as system:
            while system.look().statistics["orders"].fills < 1:
                pass  # each look waits for the answers of all
            while (updates := counts_of_updates(system)).updates < 3:
                pass
            while (compared := system.look().statistics["reconciliation"]).rounds < 3 or compared.differences:
                pass  # what is on its way for long counts as a difference, and ends

        assert (updates.connected, updates.connections, updates.refused, updates.without_id) == (True, 1, 0, 0)
        assert facts(tmp_path, PositionMismatch) == []
