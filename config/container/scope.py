"""What lives as long as a piece of work."""

from __future__ import annotations

import contextlib
import threading
import time
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, overload

from .entries import ABSENT, cycle, takes_one

if TYPE_CHECKING:
    from .entries import Entry, Key

T = TypeVar("T")


class Container(Protocol):
    """What a scope wants of the container that it is of."""

    def entry_of(self, key: Key) -> tuple[Entry, Any]:
        """Return what is registered under a key, and what overrides it."""

    def resolve(self, key: Key) -> Any:
        """Return what is shared."""


class Scope:
    """What is made once for a piece of work, such as a request; from `DependencyContainer.scope`. For many threads.

    Factories of scoped and transient entries that take the container get the scope; those of shared ones get the
    container itself, so that nothing that lives on holds what ends with a scope.
    """

    def __init__(self, container: Container) -> None:
        self._container = container
        self._made: dict[Key, Any] = {}
        self._making: list[Key] = []
        self._closing = contextlib.ExitStack()
        self._lock = threading.RLock()

    @overload
    def resolve(self, key: type[T]) -> T: ...
    @overload
    def resolve(self, key: str) -> Any: ...
    def resolve(self, key: Key) -> Any:
        """Return what is registered, made now if necessary; raises what `DependencyContainer.resolve` does."""
        entry, override = self._container.entry_of(key)
        if override is not ABSENT:
            return override
        if entry.kind not in {"scoped", "transient"}:
            return self._container.resolve(key)
        with self._lock:
            if key in self._made:
                return self._made[key]
            if key in self._making:
                raise cycle(key, self._making)
            self._making.append(key)
            began = time.perf_counter()
            try:
                made = entry.factory(self) if takes_one(entry.factory) else entry.factory()
            finally:
                self._making.pop()
                entry.making_s = time.perf_counter() - began
            if entry.kind == "scoped":
                self._made[key] = made
                self._closing.callback(entry.closing, made)
            return made

    def close(self) -> None:
        """Close what was made in it, the newest first; called at the end of the `with` block."""
        with self._lock:
            self._made.clear()
            self._closing.close()
