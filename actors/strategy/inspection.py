"""Faults of a strategy class, found before anything runs (pure).

A misspelt `on_tick` is never called, and an `async` one is never awaited: such a strategy would run and do nothing. A
method that has the name of one of the base class's would break it, at the first call or silently.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import msgspec

from ...domain.candles import interval_of
from .state import fault_of_state

HOOKS: Final = {
    "on_begin": 0, "on_tick": 1, "on_candle": 1, "on_fill": 1, "on_order": 1, "on_timer": 1, "on_session": 1,
    "on_stop": 0, "on_drained": 0,
}  # fmt: skip
"""Methods that the runtime calls, with their numbers of arguments."""

OPTIONS: Final = frozenset({
    "TOPICS", "background", "behavior", "blocking", "conflates", "is_drained", "mailbox", "offload_threads_max",
    "offloads_max", "restore", "snapshot", "stash_max", "statistics", "trouble",
})  # fmt: skip
"""Names of the base class that a subclass may define, besides those in `_DECLARED`."""


BARS_MAX: Final = 50_000
"""Candles of one symbol and length that a strategy may keep: 4.8 MB."""

SETTABLE: Final = frozenset({"behavior", "trace", "trouble", "random"})
"""Attributes of the base class that a strategy may set."""

_MADE: Final = frozenset({"front_table", "handler_table", "keeps_state", "overrides_on_drained"})
"""Attributes that the base class itself sets on each subclass."""


def _squeezed(name: str) -> str:
    return name.replace("_", "").lower()


_SQUEEZED: Final = {_squeezed(hook): hook for hook in HOOKS}
"""Hooks by their names in any style: `onTick`, `ON_TICK`, `ontick`."""


_MEANT: Final = {"on_start": "a strategy begins in on_begin"}
"""What a name of the base was meant to be, where authors from elsewhere expect it."""


def faults_of(strategy: type, base: type) -> tuple[str, ...]:
    """Return the faults of a strategy class, a sentence each with file and line; `base` is `StrategyActor`."""
    found: list[str] = []
    own = [each for each in strategy.__mro__ if issubclass(each, base) and each is not base]
    mixed_in = [each for each in strategy.__mro__ if not issubclass(base, each) and not issubclass(each, base)]
    for each in (*own, *mixed_in):
        found.extend(_faults_in(each, base))
    return tuple(found) or tuple(_fault_of_silence(strategy, (*own, *mixed_in)))


def strategies_in(path: Path) -> tuple[str, ...]:
    """Return the subclasses of `StrategyActor` at the top of a file, as its text says; nothing is imported.

    Raises:
        SyntaxError, ValueError: it is no Python.
    """
    base, found = "StrategyActor", list[str]()
    bases = {base}
    for statement in ast.parse(path.read_bytes(), str(path)).body:
        if isinstance(statement, ast.ImportFrom):
            bases.update(each.asname or base for each in statement.names if each.name == base)
        elif isinstance(statement, ast.ClassDef) and bases.intersection(map(_last_name, statement.bases)):
            bases.add(statement.name)
            found.append(statement.name)
    return tuple(found)


def _last_name(base: ast.expr) -> str:
    return base.attr if isinstance(base, ast.Attribute) else base.id if isinstance(base, ast.Name) else ""


def _fault_of_silence(strategy: type, classes: tuple[type, ...]) -> Iterator[str]:
    """Yield a fault if the class has methods, and none of them is a hook or a handler."""
    defined = {name: value for each in classes for name, value in vars(each).items()}
    methods = [name for name in defined if inspect.isfunction(defined[name]) and not name.startswith("_")]
    if set(methods) - OPTIONS and not any(
        name in HOOKS or hasattr(defined[name], "_handles_types") for name in methods
    ):
        there_are = f"there are {', '.join(HOOKS)}"
        yield f"{_place(strategy, strategy)}: {strategy.__name__}: nobody calls {', '.join(methods)}: {there_are}"


def _faults_in(described: type, base: type) -> Iterator[str]:
    for name, value in vars(described).items():
        if name == "__init__":
            fault = _fault_of_call(value, 0)
            fault = fault and f"__init__ is called without arguments: {fault}; prepare in on_begin"
        elif name.startswith("__") or name in _MADE or hasattr(value, "_handles_types"):
            continue
        elif name in HOOKS:
            fault = _fault_of_hook(name, value)
        elif name in _DECLARED:
            fault = _DECLARED[name](value)
        elif (name.startswith("on_") or _squeezed(name) in _SQUEEZED) and not hasattr(base, name):
            fault = _nobody_calls(name)
        elif hasattr(base, name) and name not in OPTIONS:
            fault = f"{name} is a name of {base.__name__}: {_MEANT.get(name, 'choose another')}"
        else:
            continue
        if fault:
            yield f"{_place(described, value)}: {described.__name__}.{name}: {fault}"
    yield from _faults_of_attributes(described, base)


def _faults_of_attributes(described: type, base: type) -> Iterator[str]:
    """Yield a fault for each attribute that a method sets although the base has something of that name."""
    for value in vars(described).values():
        if not inspect.isfunction(value):
            continue
        try:
            lines, first = inspect.getsourcelines(value)
            (function,) = ast.parse(textwrap.dedent("".join(lines))).body
        except (OSError, SyntaxError, ValueError):  # made by code, or a lambda within a line
            continue
        if not (isinstance(function, ast.FunctionDef) and function.args.args):
            continue
        itself = function.args.args[0].arg
        for node in ast.walk(function):
            if not (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == itself):
                continue
            if isinstance(node.ctx, ast.Store) and hasattr(base, node.attr) and node.attr not in SETTABLE:
                place = f"{value.__code__.co_filename}:{first + node.lineno - 1}"
                yield f"{place}: {described.__name__}: {node.attr} is a name of {base.__name__}: choose another"


def _nobody_calls(name: str) -> str:
    near = [_SQUEEZED[_squeezed(name)]] if _squeezed(name) in _SQUEEZED else get_close_matches(name, HOOKS, n=1)
    hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(HOOKS)}"
    return f"nobody calls {name}: {hint}"


def _fault_of_candles(value: Any) -> str:
    if not isinstance(value, tuple) or not all(isinstance(each, str) for each in value):
        return f'a tuple of texts such as ("5m",) is wanted, found {value!r}'
    try:
        for each in value:
            interval_of(each)
    except ValueError as fault:
        return str(fault)
    return ""


def _fault_of_warm_up(value: Any) -> str:
    wanted = 'a dict such as {"5m": 200} is wanted'
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value):
        return f"{wanted}, found {value!r}"
    for interval, bars in value.items():
        if fault := _fault_of_candles((interval,)):
            return fault
        if isinstance(bars, bool) or not isinstance(bars, int) or not 1 <= bars <= BARS_MAX:
            return f"{wanted}, 1 to {BARS_MAX:,} bars of each length, found {bars!r}"
    return ""


def _fault_of_symbols(value: Any) -> str:
    """Refuse what nobody reads: the class would hear, and may trade, the symbols of all others, too."""
    return (
        'what it hears is named by symbols = ["…"] in its table of the settings, or by --symbol, and not in its class: '
        f"found {value!r} there"
    )


def _fault_of_truth(value: Any) -> str:
    return "" if isinstance(value, bool) else f"True or False is wanted, found {value!r}"


def _fault_of_parameters(value: Any) -> str:
    is_struct = isinstance(value, type) and issubclass(value, msgspec.Struct)
    return "" if is_struct else f"a class Parameters(msgspec.Struct) is wanted, found {value!r}"


_DECLARED: Final = {
    "cancel_on_failure": _fault_of_truth,
    "cancel_on_stop": _fault_of_truth,
    "candles": _fault_of_candles,
    "symbols": _fault_of_symbols,
    "warm_up": _fault_of_warm_up,
    "Parameters": _fault_of_parameters,
    "State": fault_of_state,
}
"""What a class declares beside its hooks, and what finds a fault in it."""


def _fault_of_hook(name: str, value: Any) -> str:
    if not inspect.isfunction(value):
        return f"a method is wanted, found {type(value).__name__}"
    if inspect.iscoroutinefunction(value) or inspect.isasyncgenfunction(value):
        return f"a plain method is wanted, found an async one, for which nobody waits: use def {name}"
    if inspect.isgeneratorfunction(value):
        return "a plain method is wanted, found a generator, which nobody runs: there is a yield in it"
    return _fault_of_call(value, HOOKS[name])


def _fault_of_call(value: Any, count: int) -> str:
    try:
        signature = inspect.signature(value)
        signature.bind(None, *range(count))
    except TypeError:
        called = ", ".join(["self", *("message" for _ in range(count))])
        return f"it is called as ({called}), found {signature}"
    return ""


def _place(described: type, value: Any) -> str:
    code = getattr(inspect.unwrap(value) if callable(value) else value, "__code__", None)
    if code is not None:
        return f"{code.co_filename}:{code.co_firstlineno}"
    try:
        return f"{inspect.getsourcefile(described)}:{inspect.getsourcelines(described)[1]}"
    except (OSError, TypeError):  # defined interactively, or by code
        return described.__module__
