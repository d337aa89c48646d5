"""What each kind of system starts: on which base, in whose time, and under which root supervisor."""

import functools
from concurrent.futures import Future

import pytest

from natya import events_system, exchange_system, node_system, supervised_system, system
from natya.actors.feed import RecordingError
from natya.actors.runtime import InProcessSystemBase
from natya.actors.supervision import StopChildren
from natya.actors.supervision.protocol import ChildrenStopped
from natya.composition.events import events_children
from natya.composition.nodes import node_children
from natya.composition.trading import children
from natya.config.loader import load_settings
from natya.config.secrets import Secret

RATES = {"system.stall_warn_s": 0.3, "system.trace_every": 11, "system.shutdown_s": 21.0, "feed.seed": 12}


class StartedError(Exception):
    """Ends a start when the root would begin."""


@pytest.fixture
def started(monkeypatch, tmp_path):
    """Start a system as far as its root; return what its base and its root were given, and the settings."""
    given, roots = [], []

    def new_base(**how):
        given.append(how)
        return InProcessSystemBase(**how)

    def start_root(_runtime, root, *_):
        roots.append(root)
        raise StartedError

    for module in (events_system, exchange_system, node_system, system):
        monkeypatch.setattr(module, "InProcessSystemBase", new_base)
    for module in (supervised_system, system):
        monkeypatch.setattr(module, "start_root", start_root)

    def started(make, profile="paper", **changes):
        overrides = RATES | {"system.data_dir": str(tmp_path / "data")}
        overrides |= {name.replace("__", "."): value for name, value in changes.items()}
        settings = load_settings(profile, environment={}, overrides=overrides, only_looks=True)
        with pytest.raises(StartedError):
            make(settings).start()
        return given[0], roots[0], settings

    return started


def exchange(settings, **how):
    serving = exchange_system.Serving(token=Secret("t"), client_id="7", **how)
    return exchange_system.ExchangeSystem(settings, serving)


SIMULATED = {"market_opening_ns", "seed", "stall_warn_s", "trace_every"}
KINDS = {
    "trading": (system.TradingSystem, {}, SIMULATED, "journal"),
    "events": (events_system.EventsSystem, {}, set(), "journal"),
    "a node": (node_system.NodeSystem, {"profile": "node", "nodes__play": "p"}, {"stall_warn_s", "trace_every"}, ""),
    "the exchange": (exchange, {}, SIMULATED, "journal"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_system_has_the_rates_of_its_settings_and_is_the_root_of_all(started, kind):
    make, changes, names, journal = KINDS[kind]

    base, root, settings = started(make, **changes)

    assert set(base) == names
    wanted = {"seed": 12, "stall_warn_s": 0.3, "trace_every": 11}
    assert {name: value for name, value in base.items() if name in wanted} == {
        name: value for name, value in wanted.items() if name in names
    }
    assert (root.root, root.shutdown_s, root.policy, root.journal) == (True, 21.0, settings.supervision, journal)
    assert root.children


@pytest.mark.parametrize(
    ("make", "changes", "is_simulated"),
    [
        (system.TradingSystem, {}, True),
        (system.TradingSystem, {"feed__speed": 1.0}, True),
        (system.TradingSystem, {"feed__source": "dhan"}, False),
        (exchange, {"feed__speed": 9.0}, True),
        (exchange, {"feed__speed": 1.0}, False),
        (exchange, {"feed__source": "dhan", "feed__speed": 9.0}, False),
        (functools.partial(exchange, has_market=False), {"feed__speed": 9.0}, False),
    ],
)
def test_the_time_of_a_market_that_is_made_up_is_its_own(started, make, changes, is_simulated):
    base, *_ = started(make, **changes)

    assert (base["market_opening_ns"] is not None) == is_simulated


def test_a_recording_of_longer_candles_than_a_strategy_wants_is_not_begun(started, tmp_path):
    recording = tmp_path / "hourly.csv"
    rows = "\n".join(f"2026-01-30T{hour:02}:15:00+05:30,1,2,1,2,9" for hour in range(9, 15))
    recording.write_text(f"date,open,high,low,close,volume\n{rows}\n")
    strategies = [{"name": "mine", "strategy": "natya.examples.grid:Grid", "candles": ["5m"]}]
    feed = {"feed__source": "replay", "feed__recording": [str(recording)], "feed__symbol": "TCS"}

    started(system.TradingSystem, **feed)
    with pytest.raises(RecordingError, match="candles of 5m are wanted by a strategy, found those of 1h"):
        started(system.TradingSystem, **feed, strategies=strategies)


class Played:
    """In the place of a runtime: notes how long a stop may take."""

    def __init__(self, _base):
        self.waits = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def request(self, _actor, message, *, timeout_s):
        assert isinstance(message, StopChildren)
        self.waits.append(timeout_s)
        return ChildrenStopped(statistics={})

    def request_future(self, *_):
        return Future()


@pytest.mark.parametrize("kind", ["events", "a node"])
def test_a_stop_may_take_as_long_as_each_actor_and_the_root_may(monkeypatch, tmp_path, kind):
    make, changes, *_ = KINDS[kind]
    monkeypatch.setattr(supervised_system, "InProcessSystem", Played)
    monkeypatch.setattr(supervised_system, "start_root", lambda *_: None)
    monkeypatch.setattr(supervised_system, "settle", lambda _: None)
    overrides = RATES | {"system.data_dir": str(tmp_path / "data")}
    overrides |= {"nodes.play": changes["nodes__play"]} if changes else {}
    settings = load_settings(changes.get("profile", "paper"), environment={}, overrides=overrides, only_looks=True)

    with make(settings) as started:
        runtime = started.runtime

    actors = events_children(settings) if kind == "events" else node_children(settings)
    bounds = [each.shutdown_s or 21.0 for each in actors]
    assert runtime.waits == [started.stop_bound_s] == [sum(bounds) + len(bounds) + 10.0]


def test_a_stop_of_a_trading_system_may_take_as_long_as_each_actor_and_strategy_and_the_root_may():
    strategies = [{"name": name, "strategy": "natya.examples.grid:Grid"} for name in ("a", "b")]
    overrides = RATES | {"system.data_dir": "/nowhere/natya", "strategies": strategies}
    settings = load_settings("paper", environment={}, overrides=overrides)

    bounds = {child.name: child.shutdown_s or 21.0 for child in children(settings)}

    assert system.TradingSystem(settings).stop_bound_s == sum(bounds.values()) + len(bounds) + 2 * 22.0 + 10.0
