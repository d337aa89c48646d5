"""Modules of a loaded source, for that source alone.

The problem: Thespian's loader is made for actors that have a process of their own. Its finder answers for every module
of the process, and each module that it loads replaces `builtins.__import__`: a zip with a `wave.py` would be `wave` to
all others, and every import would look into the zip first. The idea: the finder answers for names with the source's
root alone, one of which is `builtins`: the loader writes the root before what a source imports of itself, so a source
that replaces `__import__`, as the loader does, replaces its own.
"""

from __future__ import annotations

import builtins
import importlib
import sys
from collections.abc import Mapping
from importlib.abc import Loader
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Final, Self

from thespian.system import sourceLoader

_BUILTINS: Final = builtins.__name__
_thespian: Any = sourceLoader  # it has no types


class Finder(_thespian.SourceHashFinder):  # type: ignore[misc]
    """Finds what is asked for within its source."""

    @classmethod
    def of(cls, source_hash: str, data: bytes) -> Self:
        """Return the one of this zip."""
        return cls(source_hash, lambda value: value, data)

    def getZipTopLevelNames(self) -> set[str]:  # noqa: N802  as Thespian calls it
        """Return the names that are imported with the root before them."""
        return {*super().getZipTopLevelNames(), _BUILTINS}

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the spec of a module of this source; None of any other."""
        root = self.hashRoot()
        if not fullname.startswith(root):
            return None
        if fullname == root + _BUILTINS:
            return ModuleSpec(fullname, _BuiltinsLoader())
        spec: ModuleSpec | None = super().find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, sourceLoader.HashLoader):
            spec.loader = _Loader(self, spec.loader.isModuleDir)
        return spec


class _BuiltinsLoader(Loader):
    """Makes the `builtins` of a source: all that the interpreter has."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = ModuleType(spec.name)
        vars(module).update((name, value) for name, value in vars(builtins).items() if name not in vars(module))
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Do nothing more."""


class _Loader(_thespian.HashLoader):  # type: ignore[misc]
    """Lets a module begin with the `builtins` of its source."""

    def exec_module(self, module: ModuleType) -> None:
        own = importlib.import_module(self.finder.hashRoot() + _BUILTINS)
        vars(own)["__import__"] = self.finder.src_hashimporter
        vars(module)["__builtins__"] = vars(own)
        super().exec_module(module)


def class_of(zips: Mapping[str, bytes], source_hash: str, module: str, name: str) -> Any:
    """Return the class of that name in that source.

    Raises:
        InvalidActorSourceHash: there is no such zip.
        ImportError: it has no such module.
    """
    data = zips.get(source_hash)
    if data is not None and all(getattr(finder, "srcHash", None) != source_hash for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder.of(source_hash, data))
    return _thespian.loadModuleFromHashSource(source_hash, zips, module, name)
