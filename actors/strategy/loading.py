"""From `module:Class`, or a file, to the strategy class it names."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from difflib import get_close_matches
from pathlib import Path
from weakref import WeakSet

from ..runtime import reason_of, where_of
from .actor import StrategyActor
from .errors import StrategyBrokenError, StrategyNotFoundError
from .inspection import faults_of, strategies_in

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
    """Return `module:Class` of a class at the top of a module, of a file with one strategy, and of `file.py:Class`.

    A file's folder joins `sys.path`, at its end; nothing is imported. `module:Class` is returned as it is.

    Raises:
        StrategyNotFoundError: there is no such file, it has not one strategy, or its name is that of another module.
    """
    if isinstance(strategy, type):
        return f"{strategy.__module__}:{strategy.__qualname__}"
    name, colon, class_name = strategy.partition(":")
    if not name.endswith(".py"):
        return strategy
    path = Path(name).absolute()
    if not path.is_file():
        raise StrategyNotFoundError(f"a strategy is module:Class or a file, found no file {path}")
    if not path.stem.isidentifier():
        raise StrategyNotFoundError(f"a file whose name can be imported is wanted, found {path.name}")
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    if not _is_found_there(path):
        raise StrategyNotFoundError(f"a name of its own is wanted: another module is {path.stem!r} beside {path}")
    return f"{path.stem}:{class_name if colon else _only_strategy(path)}"


def _is_found_there(path: Path) -> bool:
    """Whether importing the name of this file imports this file."""
    importlib.invalidate_caches()  # it may be younger than the last look into its folder
    imported = sys.modules.get(path.stem)
    spec = importlib.util.find_spec(path.stem) if imported is None else imported.__spec__
    return spec is not None and spec.origin is not None and Path(spec.origin).resolve() == path.resolve()


def _only_strategy(path: Path) -> str:
    try:
        found = strategies_in(path)
    except (SyntaxError, ValueError) as fault:
        raise StrategyBrokenError(_broken(path.name, fault)) from fault
    if len(found) != 1:
        there = f"{len(found)}: {', '.join(found)}" if found else "none"
        raise StrategyNotFoundError(
            f"a file with one subclass of StrategyActor is wanted, found {there} ({path.name}:Class names one)"
        )
    return found[0]


def _broken(name: str, fault: BaseException) -> str:
    place = f"{fault.filename}:{fault.lineno}" if isinstance(fault, SyntaxError) else where_of(fault)
    text = fault.msg if isinstance(fault, SyntaxError) else reason_of(fault)
    return f"strategy {name!r} cannot be imported: {place or 'nobody knows where'}: {type(fault).__name__}: {text}"


def _is_strategy(value: object) -> bool:
    return isinstance(value, type) and issubclass(value, StrategyActor)
