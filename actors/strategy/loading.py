"""From `module:Class` to the strategy class it names."""

from __future__ import annotations

import importlib
from difflib import get_close_matches
from weakref import WeakSet

from ..runtime import reason_of, where_of
from .actor import StrategyActor
from .errors import StrategyBrokenError, StrategyNotFoundError
from .inspection import faults_of

_faultless: WeakSet[type[StrategyActor]] = WeakSet()
"""Classes that were looked at: a start loads each twice, and their sources are parsed. A reload makes classes anew."""


def load_strategy(name: str) -> type[StrategyActor]:
    """Import the module of `module:Class`, and return the class if no fault is found in it.

    Raises:
        StrategyNotFoundError: not of the form `module:Class`, no such module, no such class, or not a `StrategyActor`.
        StrategyBrokenError: the module raises when it is imported, or the class has methods that are never called, or
            that hide names of the base class; with file and line.
    """
    module_name, _, class_name = name.partition(":")
    if not (class_name.isidentifier() and all(part.isidentifier() for part in module_name.split("."))):
        raise StrategyNotFoundError(f"a strategy is named `module:Class`, found {name!r}")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as fault:
        # The missing module is the strategy's own, or one that it imports: the latter is a fault in the user's code.
        if not f"{module_name}.".startswith(f"{fault.name}."):
            raise StrategyBrokenError(_broken(name, fault)) from fault
        raise StrategyNotFoundError(f"module {fault.name!r} of strategy {name!r} was not found") from fault
    except (Exception, SystemExit) as fault:  # a module may raise anything while it is imported
        raise StrategyBrokenError(_broken(name, fault)) from fault
    found = getattr(module, class_name, None)
    if found is None:
        strategies = [each for each, value in vars(module).items() if _is_strategy(value)]
        near = get_close_matches(class_name, strategies, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; it has {', '.join(strategies) or 'no strategy'}"
        raise StrategyNotFoundError(f"module {module_name!r} has no class {class_name!r}{hint}")
    if not _is_strategy(found):
        raise StrategyNotFoundError(f"a subclass of StrategyActor wanted, found {name!r}: {found!r}")
    if found not in _faultless:
        if faults := faults_of(found, StrategyActor):
            raise StrategyBrokenError(f"strategy {name!r} would not work:\n" + "\n".join(faults))
        _faultless.add(found)
    return found  # type: ignore[no-any-return]  # checked above


def path_of(strategy: str | type[StrategyActor]) -> str:
    """Return `module:Class` of a class at the top of a module; a text as it is."""
    return strategy if isinstance(strategy, str) else f"{strategy.__module__}:{strategy.__qualname__}"


def _broken(name: str, fault: BaseException) -> str:
    place = f"{fault.filename}:{fault.lineno}" if isinstance(fault, SyntaxError) else where_of(fault)
    text = fault.msg if isinstance(fault, SyntaxError) else reason_of(fault)
    return f"strategy {name!r} cannot be imported: {place or 'nobody knows where'}: {type(fault).__name__}: {text}"


def _is_strategy(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, StrategyActor)
