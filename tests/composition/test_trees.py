"""What each kind of system is made of: every actor in its order, and what it is given, pinned in `trees.txt`.

A table of the settings that an actor is given whole is named by its key, so that another one in its place shows; of all
else each field is told that is not what its class has where nothing is said. Where a tree is meant to be another, what
the test says it found goes into the file.
"""

import functools
from pathlib import Path
from types import FunctionType, MethodType

import msgspec
import pytest

from natya.actors.supervision import ChildSpec, stop_bound_s
from natya.composition.events import events_children
from natya.composition.exchange import exchange_children
from natya.composition.nodes import node_children
from natya.composition.stopping import actors_stop_s
from natya.composition.trading import children
from natya.config.loader import load_settings
from natya.config.secrets import Secret
from natya.config.sections.strategy import StrategySettings

PINNED = Path(__file__).with_name("trees.txt").read_text()

COMMON = {
    "system.data_dir": "/nowhere/natya",
    "journal.path": "/apart/journal",
    "system.shutdown_s": 21.0,
    "orders.quantity_max": 101,
    "orders.value_max_rupees": 102_000.0,
    "orders.price_age_max_s": 103.0,
    "orders.checkpoint_facts": 104,
    "kill_switch.look_interval_s": 0.105,
    "kill_switch.heartbeat_interval_s": 1.06,
    "broker.compare_interval_s": 107.0,
    "broker.client_id": "1100000008",
    "broker.base_url": "https://broker.example",
    "feed.symbols": ["INFY", "TCS"],
    "feed.speed": 9.0,
    "control.http_port": 8110,
}
STRATEGIES = (
    StrategySettings(name="here", strategy="natya.examples.grid:Grid", symbols=("TCS", "SBIN")),
    StrategySettings(name="there", strategy="natya.examples.pair:Pair", symbols=("ITC",), host="node"),
    StrategySettings(
        name="yonder", strategy="natya.examples.opening_range:OpeningRange", symbols=("ITC", "LT"), host="node"
    ),
)
TOKEN = {"BROKER_ACCESS_TOKEN": "t" * 30}


def settings_of(profile="paper", *, strategies=(), environment=(), **changes):
    overrides = COMMON | {name.replace("__", "."): value for name, value in changes.items()}
    settings = load_settings(profile, environment=dict(environment), overrides=overrides, only_looks=True)
    return msgspec.structs.replace(settings, strategies=strategies)


def served(**changes):
    settings = settings_of(web__port=8111)
    return settings, exchange_children(settings, token=Secret("t"), client_id="7", **changes)


def of(make, **changes):
    settings = settings_of(**changes)
    return settings, make(settings)


LIVE_FEED = {"feed__source": "dhan", "environment": TOKEN}
WIRE = {"broker__wire": True}
TREES = {
    "paper, a market that is made up": lambda: of(children),
    "paper, at the speed of the world": lambda: of(
        children, feed__speed=1.0, redis__node="pune", telemetry__endpoint="http://x"
    ),
    "paper, a replay": lambda: of(children, feed__source="replay", feed__recording=["/nowhere/a.csv"]),
    "paper, a replay on an account that goes on": lambda: of(
        children,
        feed__source="replay",
        feed__recording=["/nowhere/a.csv"],
        orders__account="session",
        feed__exchange="none",
    ),
    "paper, a live feed": lambda: of(children, **LIVE_FEED, strategies=STRATEGIES[:1]),
    "paper, without control": lambda: of(children, control__enabled=False),
    "paper, with http": lambda: of(children, control__http=True, kill_switch__heartbeat_interval_s=0.0),
    "paper over HTTP": lambda: of(children, **WIRE),
    "paper over HTTP, at the speed of the world": lambda: of(children, **WIRE, feed__speed=1.0),
    "with other machines": lambda: of(children, feed__speed=1.0, nodes__play="p", strategies=STRATEGIES),
    "a play without strategies elsewhere": lambda: of(children, feed__speed=1.0, nodes__play="p"),
    "strategies elsewhere without a play": lambda: of(children, feed__speed=1.0, strategies=STRATEGIES[1:2]),
    "with other machines that hear all": lambda: of(
        children,
        feed__speed=1.0,
        nodes__play="p",
        strategies=(STRATEGIES[1], msgspec.structs.replace(STRATEGIES[2], symbols=())),
    ),
    "a dry run": lambda: of(children, profile="live", **LIVE_FEED, strategies=STRATEGIES[:1]),
    "live": lambda: of(children, profile="live", **LIVE_FEED, broker__live=True, kill_switch__at_broker=True),
    "live, without looks at the account": lambda: of(
        children,
        profile="live",
        **LIVE_FEED,
        broker__live=True,
        broker__compare_interval_s=0.0,
        kill_switch__loss_exit_times=0.0,
        orders__checkpoint_facts=0,
    ),
    "a machine that runs strategies": lambda: of(
        node_children, profile="node", nodes__play="p", strategies=STRATEGIES[1:]
    ),
    "a machine that runs strategies, without control": lambda: of(
        node_children, profile="node", nodes__play="p", control__enabled=False, feed__exchange="none"
    ),
    "events by themselves": lambda: of(events_children, redis__node="pune"),
    "the exchange by itself": served,
    "the exchange by itself, with all that is asked for": lambda: served(
        has_market=False, has_faults=True, is_limited=False, consent_redirect="http://127.0.0.1:9/"
    ),
}


FIRST = next(iter(TREES))
SECTIONS_OF = {"OrdersActorSettings": "orders", "ExchangeSettings": "exchange", "BrokerSettings": "broker"}
"""Which table of the settings is told of these by the number of fields that are as there."""


class Telling:
    """Tells a tree in lines."""

    def __init__(self, settings):
        self._settings = settings
        self.tables = {id(getattr(settings, name)): f"[{name}]" for name in settings.__struct_fields__}

    def tree(self, specs, depth=1):
        for spec in specs:
            yield "  " * depth + f"{spec.name}: {spec.actor.__name__}"
            told = {field: getattr(spec, field) for field in spec.__struct_fields__[2:]}
            yield from self.fields(spec, told, depth + 1)

    def fields(self, owner, told, depth):
        defaults = owner.__struct_defaults__
        said_nothing = dict(zip(owner.__struct_fields__[::-1], defaults[::-1], strict=False))
        rows = getattr(self._settings, SECTIONS_OF.get(type(owner).__name__, ""), None)
        if rows is not None:
            alike = [name for name, value in told.items() if getattr(rows, name, told) == value]
            told = {name: value for name, value in told.items() if name not in alike}
            yield "  " * depth + f"as [{rows.TABLE}]: {len(alike)} fields"
        for name, value in told.items():
            if name in said_nothing and (value == said_nothing[name] or value in ((), {}, frozenset())):
                continue
            if isinstance(value, tuple) and value and all(isinstance(each, ChildSpec) for each in value):
                yield "  " * depth + f"{name}:"
                yield from self.tree(value, depth + 1)
            elif isinstance(value, tuple) and len(value) > 1 and isinstance(value[0], msgspec.Struct):
                yield "  " * depth + f"{name}:"
                yield from ("  " * (depth + 1) + self.value(each) for each in value)
            elif isinstance(value, msgspec.Struct) and id(value) not in self.tables:
                yield "  " * depth + f"{name}: {type(value).__name__}"
                yield from self.fields(
                    value, {each: getattr(value, each) for each in value.__struct_fields__}, depth + 1
                )
            else:
                yield "  " * depth + f"{name}: {self.value(value)}"

    def value(self, value):  # noqa: PLR0911  a table
        match value:
            case _ if id(value) in self.tables:
                return self.tables[id(value)]
            case None | bool() | int() | float() | str():
                return repr(value)
            case Path():
                return str(value)
            case functools.partial():
                return f"{self.value(value.func)} of {', '.join(map(self.value, value.args))}"
            case type() | FunctionType() | MethodType():
                return value.__qualname__
            case tuple() | list():
                return f"({', '.join(map(self.value, value))})"
            case dict():
                return f"{{{', '.join(f'{self.value(key)}: {self.value(each)}' for key, each in value.items())}}}"
            case set() | frozenset():
                return f"{{{', '.join(sorted(map(self.value, value)))}}}"
            case msgspec.Struct():
                fields = {name: getattr(value, name) for name in value.__struct_fields__}
                inner = (line.strip() for line in self.fields(value, fields, 0))
                return f"{type(value).__name__}({', '.join(inner)})"
            case _:
                return type(value).__name__


def told(name):
    """Of an actor that is what it is in the first tree only the name is told."""
    lines = [name]
    for spec, text in actors_of(name).items():
        lines.append(f"  {spec}" if name != FIRST and actors_of(FIRST).get(spec) == text else text)
    return "\n".join([*lines, ""])


@functools.cache
def actors_of(name):
    settings, specs = TREES[name]()
    return {spec.name: "\n".join(Telling(settings).tree((spec,))) for spec in specs}


@pytest.mark.parametrize("name", TREES)
def test_a_system_is_made_of_these(name):
    pinned = dict(part.split("\n", 1) for part in PINNED.strip().split("\n\n"))

    assert told(name).split("\n", 1)[1].rstrip() == pinned[name].rstrip()


def test_no_tree_is_pinned_that_there_is_not():
    assert [part.split("\n", 1)[0] for part in PINNED.strip().split("\n\n")] == list(TREES)


@pytest.mark.parametrize("name", [name for name in TREES if "by itself" not in name and "by themselves" not in name])
def test_a_service_manager_is_told_how_long_all_of_these_may_take_to_stop(name):
    settings, specs = TREES[name]()

    assert actors_stop_s(settings) == stop_bound_s(specs, settings.system.shutdown_s)
