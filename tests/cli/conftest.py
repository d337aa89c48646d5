"""A system that a test plays, in place of the real one, and views of it."""

import os
from decimal import Decimal

import msgspec
import pytest
from typer.testing import CliRunner

from natya.cli.app import app
from natya.config.loader import load_settings
from natya.messages.database import DatabaseStatistics
from natya.messages.events import EventsStatistics
from natya.messages.holdings import Position
from natya.messages.journal import JournalStatistics
from natya.messages.market import FeedStatistics, MarketEnded
from natya.messages.order_listing import OrdersStatistics
from natya.messages.settings import SettingChange, SettingsReloaded
from natya.messages.supervision import SupervisionTree, SupervisorStatistics
from natya.messages.system import StrategyStatistics
from natya.summary import DatabasePaths, Latency, Summary


class View(msgspec.Struct, frozen=True, kw_only=True):
    running_s: float
    dead_letters: int
    statistics: dict
    stalls: int = 0
    held_by: str = ""
    held_s: float = 0.0
    tree: SupervisionTree | None = None


def a_position(symbol="TCS", quantity=10, average="100.00", realized="5.50"):
    return Position(symbol=symbol, quantity=quantity, average_price=Decimal(average), realized_pnl=Decimal(realized))


def a_view(running_s=62.0, ticks=1_000, prices=None, positions=(), without=(), *, down="", lag=0, **orders):  # noqa: PLR0913  what a view may show
    counts = {"orders": 3, "fills": 2, "rejected": 1, "open_orders": 0, "uncertain_orders": 0, **orders}
    statistics = {
        "feed": FeedStatistics(
            ticks=ticks, candles=4, bad_rows=0, source="s", ended=False, last_prices=prices or {"TCS": 110.5}
        ),
        "orders": OrdersStatistics(risk_state="NORMAL", positions=tuple(positions), **counts),
        "events": EventsStatistics(ticks=1, facts=1, delivered=1, subscribers=1, dead_letters=0, last_sequence=1),
        "journal": JournalStatistics(records=40, appended=40, commits=9, bytes_written=1, path="/j"),
        "database": DatabaseStatistics(
            ticks=990,
            candles=4,
            duplicates=0,
            batches=1,
            projected_sequence=1,
            core_path="/c",
            market_path="/m",
            market_ticks=980,
            market_candles=2,
            down=down,
            lag=lag,
        ),
        "crossover": StrategyStatistics(
            strategy="crossover", ticks=1, orders=1, fills=1, tick_to_strategy_us_p50=12.0, tick_to_strategy_us_p99=40.0
        ),
        "strategies": SupervisorStatistics(children=1, failures=1, restarts=1, escalations=0),
        "system": SupervisorStatistics(children=9, failures=2, restarts=5, escalations=0),
    }
    return View(
        running_s=running_s,
        dead_letters=7,
        statistics={name: each for name, each in statistics.items() if name not in without},
    )


def a_summary(**changes):
    counted = Summary(
        profile="paper",
        ticks=1_000,
        recorded=1_000,
        candles=4,
        recorded_candles=4,
        orders=3,
        fills=2,
        rejected=1,
        refused={},
        events_journaled=40,
        unprojected=0,
        dead_letters=0,
        restarts=0,
        realized_pnl=Decimal("5.50"),
        unrealized_pnl=Decimal("-1.25"),
        positions={"TCS": -10},
        wall_s=2.0,
        ticks_per_s=500.0,
        tick_to_strategy_us=Latency(p50=12.0, p99=40.0),
        databases=DatabasePaths(core="/c", market="/m"),
        journal="/j",
    )
    return msgspec.structs.replace(counted, **changes)


class PlayedSystem:
    """Ends after so many waits; `on_wait` may do whatever a test is about, `counted` is what its summary says."""

    def __init__(self, waits=2, error="", on_wait=None, faults=(), **counted):
        self.counted = counted
        self.waits, self.error, self.on_wait, self.faults = waits, error, on_wait, dict(faults)
        self.calls = []
        self.notes = ()
        self.tree = None
        self.stop_bound_s = 150.0

    def start(self, *, until):
        self._say("start")

    def await_end(self, timeout_s=None):
        self._say("wait")
        if self.on_wait is not None:
            self.on_wait()
        self.waits -= 1
        return None if self.waits > 0 else MarketEnded(ticks=1, candles=0, error=self.error)

    def look(self):
        self._say("look")
        return msgspec.structs.replace(a_view(), tree=self.tree)

    def request_future(self, actor, message):
        raise AssertionError(f"nobody watches, and {actor} was asked {message}")

    def reload(self, *, who):
        self._say(f"reload by {who}")
        return SettingsReloaded(changes=(SettingChange(key="log.level", before='"info"', after='"debug"'),))

    def stop(self):
        self._say("stop")
        return a_summary(**self.counted)

    def _say(self, call):
        self.calls.append(call)
        if call in self.faults:
            raise self.faults[call]


@pytest.fixture
def play():
    return PlayedSystem


@pytest.fixture(scope="session")
def view():
    return a_view


@pytest.fixture(scope="session")
def position():
    return a_position


@pytest.fixture
def settings(tmp_path):
    return load_settings("paper", environment={}, overrides={"system.data_dir": str(tmp_path)})


@pytest.fixture
def natya(tmp_path, monkeypatch):
    """Call the command line as a shell does."""
    for name in [name for name in os.environ if name.startswith(("NATYA_", "BROKER_", "DATABASE_", "REDIS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments, environment=None):
        return CliRunner().invoke(app, [str(argument) for argument in arguments], env=environment)

    return call
