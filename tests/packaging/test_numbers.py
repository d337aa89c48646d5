"""The numbers that have a name, and what is taken where nothing is said, pinned in `numbers.txt`, a line each.

Bounds, times and defaults are chosen, each for a reason; that one is another must not come from a slip. Who means it
writes the line anew that the test shows.
"""

import importlib
import inspect
import pkgutil
from pathlib import Path

import msgspec
import pytest

import natya

ROOMS = (
    "actors.alarms",
    "actors.broker",
    "actors.control",
    "actors.database",
    "actors.events",
    "actors.exchange",
    "actors.external",
    "actors.feed",
    "actors.history",
    "actors.instruments",
    "actors.journal",
    "actors.kill_switch",
    "actors.nodes",
    "actors.observability",
    "actors.orders",
    "actors.reconciliation",
    "actors.runtime",
    "actors.settings",
    "actors.strategy",
    "actors.supervision",
    "actors.telemetry",
    "actors.web",
    "backtest",
    "cli",
    "client",
    "composition",
    "config",
    "domain",
    "testing",
    "transfer",
)
"""All but `messages`, whose defaults are pinned in their own `defaults.txt`."""

PARTS = (
    "bodies",
    "events_system",
    "exchange_system",
    "node_system",
    "services",
    "strategy_changes",
    "summary",
    "supervised_system",
    "system",
    "system_services",
)
PINNED = Path(__file__).with_name("numbers.txt").read_text().splitlines()


def modules_of(room):
    package = importlib.import_module(f"natya.{room}")
    yield package
    for found in pkgutil.walk_packages(getattr(package, "__path__", ()), f"{package.__name__}."):
        yield importlib.import_module(found.name)


def is_number(value):
    return isinstance(value, bool | int | float)


def numbers_of(module):
    """Constants, fields of structs that may be left out, class variables, and arguments that may be."""
    at = module.__name__.removeprefix("natya.")
    for name, value in tuple(vars(module).items()):
        if is_number(value) and name.lstrip("_").isupper() and name in getattr(module, "__annotations__", {}):
            yield f"{at} {name} = {value!r}"
        if getattr(value, "__module__", "") != module.__name__:
            continue
        if inspect.isclass(value):
            yield from of_class(at, name, value)
        elif inspect.isfunction(value):
            yield from of_function(f"{at} {name}", value)


def of_class(at, name, kind):
    if issubclass(kind, msgspec.Struct):
        fields, defaults = kind.__struct_fields__, kind.__struct_defaults__
        said_nothing = dict(zip(fields[len(fields) - len(defaults) :], defaults, strict=True))
        yield from (f"{at} {name}.{field} = {value!r}" for field, value in said_nothing.items() if is_number(value))
    for member, value in tuple(vars(kind).items()):
        if inspect.isfunction(value) and value.__module__ == kind.__module__:
            yield from of_function(f"{at} {name}.{member}", value)
        elif is_number(value) and not member.startswith("_"):
            yield f"{at} {name}.{member} = {value!r}"


def of_function(named, function):
    for parameter in inspect.signature(function).parameters.values():
        if is_number(parameter.default):
            yield f"{named}({parameter.name}={parameter.default!r})"


@pytest.mark.parametrize("room", [*ROOMS, *PARTS])
def test_a_number_that_is_another_is_meant_to_be(room):
    found = {line for module in modules_of(room) for line in numbers_of(module)}
    pinned = {line for line in PINNED if line.startswith((f"{room}.", f"{room} "))}

    assert sorted(pinned - found) == [], "these have changed, or are gone, in numbers.txt"
    assert sorted(found - pinned) == [], "write these into numbers.txt"


def test_the_rooms_are_there():
    assert natya.__name__ == "natya"
    assert {line.split()[0].split(".")[0] for line in PINNED} <= {room.split(".")[0] for room in (*ROOMS, *PARTS)}
