"""Names of a package that are imported on first use: a command that needs one does not pay for all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Any, Generic, TypeVar

T = TypeVar("T")


def lazily(package: str, homes: Mapping[str, tuple[str, ...]]) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package whose names are loaded when they are looked up, and kept.

    Args:
        package: its `__name__`.
        homes: the names by the module that has them, such as `.errors`. None is that of such a module: whoever has
            imported the module would find it in the place of the name.
    """
    assert not {f".{name}" for names in homes.values() for name in names} & homes.keys(), f"{package}: a module's name"
    home_of = {name: home for home, names in homes.items() for name in names}

    def get(name: str) -> Any:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(home_of[name], package), name)
        setattr(sys.modules[package], name, value)
        return value

    return get


class LoadedByName(MutableMapping[str, T], Generic[T]):
    """A table whose entries are loaded when they are looked up: to know the names, and to choose one, loads no other.

    Args:
        package: the `__name__` that the homes are relative to.
        homes: by name, the module and what is looked up in it, such as `.paper:PaperBroker`.
    """

    def __init__(self, package: str, homes: Mapping[str, str]) -> None:
        self._package = package
        self._homes = dict(homes)
        self._loaded: dict[str, T] = {}

    def __getitem__(self, name: str) -> T:
        if name not in self._loaded:
            home, _, member = self._homes[name].partition(":")
            self._loaded[name] = getattr(import_module(home, self._package), member)
        return self._loaded[name]

    def __setitem__(self, name: str, value: T) -> None:
        self._loaded[name] = value

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._loaded or name in self._homes

    def __iter__(self) -> Iterator[str]:
        return iter(self._homes | self._loaded)

    def __len__(self) -> int:
        return len(self._homes | self._loaded)
