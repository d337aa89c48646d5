"""Reading a strategy's file and its helper modules anew, as they are on the disk now.

The modules of a strategy's project are those whose files lie in the folder of its own, or below: not those of natya, of
Python, or of what is installed. Changed or not they are imported anew together, so that none goes on with an old part
of another. What is replaced is put back where the new source cannot be imported, or its strategy does not begin: what
was refused has changed nothing. What ran before goes on with its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import importlib.util
import os
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from .errors import StrategyNotFoundError
from .loading import load_strategy

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import ModuleType

    from .actor import StrategyActor

APART: Final = frozenset({"site-packages", "dist-packages"})
"""Folders of what is installed."""

ELSEWHERE: Final = (*(f"/{name}/" for name in sorted(APART)), f"{sysconfig.get_paths()['stdlib']}/")
"""In a path: it is of what is installed, or of Python; 8 ms for a start of a strategy if each of them was looked at."""

OURS: Final = f"{__name__.partition('.')[0]}"
PYTHON: Final = os.path.join(sysconfig.get_path("stdlib"), "")  # noqa: PTH118  a text, to compare many with


class Reading(msgspec.Struct, frozen=True):
    """What one strategy was loaded of, until it is kept or put back."""

    loaded: type[StrategyActor]
    changed: tuple[str, ...]
    """Modules whose source is another than when the strategy of that name was loaded."""

    digests: dict[str, str]
    """Of each module of the project, as it is now."""

    fresh: dict[str, ModuleType]
    """Those that were imported for it."""


class Sources:
    """The sources of the strategies' projects, as they were when they were imported, and when each was loaded."""

    def __init__(self) -> None:
        """Know none yet."""
        self._digests: dict[str, str] = {}
        self._modules: dict[str, ModuleType] = {}
        self._loaded: dict[str, dict[str, str]] = {}

    def note(self, name: str, strategy: str) -> None:
        """Note the sources that a strategy of this name, `module:Class`, was imported of."""
        for module, path in project_of(strategy).items():
            self._digests.setdefault(module, _digest(path))
            self._modules[module] = sys.modules[module]
            self._loaded.setdefault(name, {})[module] = self._digests[module]

    def read(self, name: str, strategy: str, *, all_anew: bool = False) -> Reading:
        """Load a strategy; import its project anew where a source of it has changed, or if that is wanted in any case.

        What is imported stays only if it is kept: `put_back` undoes it.

        Raises:
            StrategyNotFoundError: there is no such class, or, of one to be imported anew, no file.
            StrategyBrokenError: a module cannot be imported, or the class has faults.
        """
        modules = project_of(strategy)
        if all_anew and not modules:
            raise StrategyNotFoundError(f"a strategy of a file of your own wanted, found {strategy!r}")
        digests = {module: _digest(path) for module, path in modules.items()}
        replaced = {module for module, digest in digests.items() if self._digests.get(module, digest) != digest}
        before = sys.modules.copy()
        if all_anew or replaced:
            forget(modules, changed=replaced)
        try:
            with _no_bytecode_written():
                loaded = load_strategy(strategy)
        except BaseException:
            for module in _of_user(sys.modules.keys() - before.keys()):
                del sys.modules[module]  # mended, it is to be read anew
            sys.modules.update({module: before[module] for module in modules})
            raise
        now = {module: digests.get(module) or _digest(path) for module, path in project_of(strategy).items()}
        fresh = {module: sys.modules[module] for module in now if sys.modules[module] is not before.get(module)}
        of_before = {**self._digests, **self._loaded.get(name, {})}
        changed = tuple(module for module, digest in digests.items() if of_before.get(module, digest) != digest)
        return Reading(loaded, changed, now, fresh)

    def keep(self, name: str, reading: Reading) -> None:
        """Keep what was imported: the strategy of this name runs."""
        self._loaded[name] = reading.digests
        for module, imported in reading.fresh.items():
            if sys.modules.get(module) is imported:
                self._modules[module], self._digests[module] = imported, reading.digests[module]

    def put_back(self, reading: Reading) -> None:
        """Have the modules that were kept in the places of those that were imported: the strategy does not run."""
        for module, imported in reading.fresh.items():
            if sys.modules.get(module) is not imported:
                continue
            if (kept := self._modules.get(module)) is None:
                del sys.modules[module]
            else:
                sys.modules[module] = kept


@contextlib.contextmanager
def _no_bytecode_written() -> Iterator[None]:
    """Keep what is imported from leaving files by which a source that is mended within the second is taken for it."""
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        yield
    finally:
        sys.dont_write_bytecode = before


def forget(modules: Mapping[str, Path], *, changed: Iterable[str]) -> None:
    """Have these modules imported anew when they are wanted next.

    Args:
        modules: their files, by module.
        changed: those whose source is another. Their bytecode is removed: it is known by the source's length and second
            alone, and would be taken for that of a source which is as long, and saved within the second.
    """
    for module in modules:
        sys.modules.pop(module, None)
    for module in changed:
        Path(importlib.util.cache_from_source(str(modules[module]))).unlink(missing_ok=True)
    importlib.invalidate_caches()


def is_of_user(module: str, file: str) -> bool:
    """Tell whether a module's file is neither natya's nor Python's, nor that of what is installed."""
    is_source = file.endswith(".py") and not file.startswith(PYTHON)
    return is_source and module.partition(".")[0] != OURS and APART.isdisjoint(Path(file).parts)


def project_of(strategy: str) -> dict[str, Path]:
    """Return the files of the imported modules of a strategy's project, by module."""
    own = sys.modules.get(strategy.partition(":")[0])
    file = getattr(own, "__file__", None)
    if file is None or strategy.startswith(f"{OURS}."):
        return {}
    folder = os.path.dirname(os.path.realpath(file))  # noqa: PTH120  texts: a system has a thousand modules, each start
    below = os.path.join(folder, "")  # noqa: PTH118
    elsewhere = tuple(each for each in ELSEWHERE if each not in below)
    folders: dict[str, str] = {}
    found = {}
    for name, module in tuple(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if path is None or name == "__main__" or name.partition(".")[0] == OURS or not path.endswith(".py"):
            continue
        if any(each in path for each in elsewhere):
            continue
        resolved = _resolved(path, folders)
        if resolved.startswith(below) and APART.isdisjoint(Path(resolved[len(below) :]).parts):
            found[name] = Path(resolved)
    return found


def _of_user(modules: Iterable[str]) -> list[str]:
    """Return those of them that lie in a file which is neither natya's nor Python's, nor that of what is installed."""
    return [name for name in modules if is_of_user(name, getattr(sys.modules.get(name), "__file__", None) or "")]


def _resolved(path: str, folders: dict[str, str]) -> str:
    """Return the path without symbolic links, and remember that of its folder."""
    if os.path.islink(path):  # noqa: PTH114
        return os.path.realpath(path)
    folder, name = os.path.split(path)
    if folder not in folders:
        folders[folder] = os.path.realpath(folder)
    return os.path.join(folders[folder], name)  # noqa: PTH118


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
