"""Reading a strategy's file and its helper modules anew, as they are on the disk now.

The modules of a strategy's project are those whose files lie in the folder of its own, or below: not those of natya, of
Python, or of what is installed. Changed or not they are imported anew together, so that none goes on with an old part
of another. What is replaced is put back where the new source cannot be imported. What ran before goes on with its own.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .errors import StrategyNotFoundError
from .loading import load_strategy

if TYPE_CHECKING:
    from types import ModuleType

    from .actor import StrategyActor

APART: Final = frozenset({"site-packages", "dist-packages"})
"""Folders of what is installed."""

OURS: Final = f"{__name__.partition('.')[0]}"


class Sources:
    """The sources of the strategies' projects, as they were when they were imported."""

    def __init__(self) -> None:
        """Know none yet."""
        self._digests: dict[str, str] = {}

    def note(self, strategy: str) -> None:
        """Note the sources that a strategy, `module:Class`, was imported of."""
        for name, path in project_of(strategy).items():
            self._digests.setdefault(name, _digest(path))

    def reload(self, strategy: str) -> tuple[type[StrategyActor], tuple[str, ...]]:
        """Import the project of a strategy anew; return its class, and the modules whose source has changed.

        Raises:
            StrategyNotFoundError: its module has no file, or the class is gone.
            StrategyBrokenError: a module cannot be imported, or the class has faults.
        """
        modules = project_of(strategy)
        if not modules:
            raise StrategyNotFoundError(f"a strategy of a file of your own wanted, found {strategy!r}")
        digests = {name: _digest(path) for name, path in modules.items()}
        changed = tuple(name for name, digest in digests.items() if self._digests.get(name) != digest)
        before: dict[str, ModuleType] = {name: sys.modules.pop(name) for name in modules}
        for name in changed:  # a source that is as long, and of the same second, would be taken for the old one
            Path(importlib.util.cache_from_source(str(modules[name]))).unlink(missing_ok=True)
        importlib.invalidate_caches()
        try:
            loaded = load_strategy(strategy)
        except BaseException:
            for name in modules:
                sys.modules.pop(name, None)
            sys.modules.update(before)
            raise
        self._digests.update(digests)
        self.note(strategy)
        return loaded, changed


def project_of(strategy: str) -> dict[str, Path]:
    """Return the files of the imported modules of a strategy's project, by module."""
    own = sys.modules.get(strategy.partition(":")[0])
    file = getattr(own, "__file__", None)
    if file is None or strategy.startswith(f"{OURS}."):
        return {}
    folder = os.path.dirname(os.path.realpath(file))  # noqa: PTH120  texts: a system has a thousand modules, each start
    below = os.path.join(folder, "")  # noqa: PTH118
    folders: dict[str, str] = {}
    found = {}
    for name, module in tuple(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if path is None or name == "__main__" or name.partition(".")[0] == OURS or not path.endswith(".py"):
            continue
        resolved = _resolved(path, folders)
        if resolved.startswith(below) and APART.isdisjoint(Path(resolved[len(below) :]).parts):
            found[name] = Path(resolved)
    return found


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
