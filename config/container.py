"""A container of dependencies: each is made when first resolved, and closed with the container.

It knows nothing of natya; natya's own registrations are in `natya.services`.
"""

from __future__ import annotations

import contextlib
import inspect
import threading
import time
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar, overload

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

T = TypeVar("T")

Kind: TypeAlias = Literal["instance", "shared", "transient"]
Key: TypeAlias = str | type
"""What a dependency is registered under: a name, or a class."""

_ABSENT = object()


class DependencyError(Exception):
    """Base of the container's errors."""


class NotRegisteredError(DependencyError):
    """Nothing is registered under that name; the message lists what is."""


class DependencyCycleError(DependencyError):
    """A factory needs, directly or through others, what it makes; the message shows the chain."""


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the container, at one moment."""

    name: str
    kind: Kind
    """`instance`: registered as it is; `shared`: made once; `transient`: made anew each time."""

    made: bool
    """Whether the shared instance has been made; True for a registered instance."""

    overridden: bool
    """Whether an `override` block is active."""

    resolutions: int
    """Times it was resolved."""

    making_s: float
    """Seconds that its factory took, the last time."""


class ContainerStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """What the container counts since it was made or cleared."""

    registered: int
    made: int
    """Shared instances that exist now."""

    resolutions: int
    failures: int
    """Factory calls that raised."""


class _Entry:
    """A registration, and the instance made by it."""

    def __init__(self, kind: Kind, factory: Callable[..., Any], closing: Callable[[Any], object]) -> None:
        self.kind = kind
        self.factory = factory
        self.closing = closing
        self.made: Any = _ABSENT
        self.resolutions = 0
        self.making_s = 0.0


class DependencyContainer:
    """Makes what is resolved, once for all threads; a context manager that closes what it made.

        container.register_factory("Store", lambda: Store("a.db"))
        container.register_factory("Report", lambda container: Report(container.resolve("Store")))
        container.resolve("Report")

    A factory takes nothing, or the container. Of two registrations under one name the last counts. Instances made by a
    factory are closed with the container, if they have a method `close`, the newest first; a registered instance is
    left open, since its maker owns it.
    """

    def __init__(self) -> None:
        self._entries: dict[Key, _Entry] = {}
        self._overrides: dict[Key, list[Any]] = {}
        self._closing = contextlib.ExitStack()
        self._changed = threading.Condition()
        """Guards all of these; notified when a factory has returned."""

        self._makers: dict[Key, int] = {}
        """Which thread is making a shared instance, by key."""

        self._making: dict[int, list[Key]] = {}
        """What each thread is making, the outermost first."""

        self._waits: dict[int, Key] = {}
        """Which key each thread waits for, while another thread makes it."""

        self._failures = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __contains__(self, key: Key) -> bool:
        return key in self._entries or bool(self._overrides.get(key))

    def register_instance(self, key: Key, instance: Any) -> None:
        """Register an existing object; it is never closed by the container."""
        entry = _Entry("instance", lambda: instance, _leave_open)
        entry.made = instance
        self._register(key, entry)

    def register_factory(
        self,
        key: Key,
        factory: Callable[..., Any],
        *,
        shared: bool = True,
        closing: Callable[[Any], object] | None = None,
    ) -> None:
        """Register a factory.

        Args:
            key: to resolve it by.
            factory: takes nothing, or the container.
            shared: made once, when first resolved, and kept; else made at each resolve, and closed by the caller.
            closing: closes what was made; None: calls its method `close`, if there is one.
        """
        entry = _Entry("shared" if shared else "transient", factory, closing or _close)
        self._register(key, entry)

    @overload
    def resolve(self, key: type[T]) -> T: ...
    @overload
    def resolve(self, key: str) -> Any: ...
    def resolve(self, key: Key) -> Any:
        """Return what is registered, made now if necessary.

        Raises:
            NotRegisteredError, DependencyCycleError: see there.
            Exception: whatever the factory raised; the next call tries again.
        """
        with self._changed:
            overrides = self._overrides.get(key)
            entry = self._entries.get(key)
            if entry is not None:
                entry.resolutions += 1
            if overrides:
                return overrides[-1]
            if entry is None:
                known = ", ".join(sorted(map(_name, self._entries))) or "nothing"
                raise NotRegisteredError(f"{_name(key)} is not registered; there is {known}")
            me = threading.get_ident()
            if entry.kind == "shared":
                self._await_turn(key, entry, me)
            if entry.made is not _ABSENT:
                return entry.made
            making = self._making.setdefault(me, [])
            if key in making:
                raise self._cycle(key, making)
            making.append(key)
            if entry.kind == "shared":
                self._makers[key] = me
        return self._make(key, entry, me)

    @contextlib.contextmanager
    def override(self, key: Key, instance: Any) -> Iterator[None]:
        """Resolve to this instance, for every thread, inside the block; what was resolved before is not changed.

        with container.override("MarketDataRepository", a_fake):
            ...
        """
        with self._changed:
            self._overrides.setdefault(key, []).append(instance)
        try:
            yield
        finally:
            with self._changed:
                # By identity: blocks of two threads may end in another order than they began.
                overrides = self._overrides[key]
                del overrides[max(at for at, one in enumerate(overrides) if one is instance)]

    def registrations(self) -> tuple[Registration, ...]:
        """Describe every entry, by name."""
        with self._changed:
            return tuple(
                Registration(
                    name=_name(key),
                    kind=entry.kind,
                    made=entry.made is not _ABSENT,
                    overridden=bool(self._overrides.get(key)),
                    resolutions=entry.resolutions,
                    making_s=entry.making_s,
                )
                for key, entry in sorted(self._entries.items(), key=lambda item: _name(item[0]))
            )

    def statistics(self) -> ContainerStatistics:
        """Return the counts."""
        registrations = self.registrations()
        return ContainerStatistics(
            registered=len(registrations),
            made=sum(one.made and one.kind == "shared" for one in registrations),
            resolutions=sum(one.resolutions for one in registrations),
            failures=self._failures,
        )

    def close(self) -> None:
        """Close what was made, the newest first; registrations stay, and are made anew when resolved again.

        Raises:
            Exception: the last error raised while closing; closing all of them was tried.
        """
        with self._changed:
            closing, self._closing = self._closing, contextlib.ExitStack()
            for entry in self._entries.values():
                if entry.kind == "shared":
                    entry.made = _ABSENT
        closing.close()

    def clear(self) -> None:
        """Close what was made, and forget every registration.

        Raises:
            Exception: see `close`; the registrations are removed all the same.
        """
        try:
            self.close()
        finally:
            with self._changed:
                self._entries.clear()
                self._failures = 0

    def _register(self, key: Key, entry: _Entry) -> None:
        with self._changed:
            self._entries[key] = entry

    def _await_turn(self, key: Key, entry: _Entry, me: int) -> None:
        """Wait while another thread makes it; raise instead if that thread waits, in turn, for this one."""
        while entry.made is _ABSENT and self._makers.get(key, me) != me:
            waited_for: Key | None = key
            while waited_for is not None and (maker := self._makers.get(waited_for)) is not None:
                if maker == me:
                    raise self._cycle(key, self._making[me])
                waited_for = self._waits.get(maker)
            self._waits[me] = key
            try:
                self._changed.wait()
            finally:
                del self._waits[me]

    def _make(self, key: Key, entry: _Entry, me: int) -> Any:
        made: Any = _ABSENT
        began = time.perf_counter()
        try:
            made = entry.factory(self) if _takes_one(entry.factory) else entry.factory()
            return made
        finally:
            with self._changed:
                entry.making_s = time.perf_counter() - began
                if made is _ABSENT:
                    self._failures += 1
                elif entry.kind == "shared":
                    entry.made = made
                    self._closing.callback(entry.closing, made)
                self._making[me].pop()
                if not self._making[me]:
                    del self._making[me]
                if entry.kind == "shared":
                    del self._makers[key]
                    self._changed.notify_all()

    @staticmethod
    def _cycle(key: Key, making: list[Key]) -> DependencyCycleError:
        way = " -> ".join(map(_name, [*making, key]))
        return DependencyCycleError(f"{_name(key)} is wanted while it is made: {way}")


def _takes_one(factory: Callable[..., Any]) -> bool:
    """Tell whether the factory needs an argument; a function written in C may have no signature."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:
        return False
    return any(
        one.default is one.empty and one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD} for one in parameters
    )


def _name(key: Key) -> str:
    return key if isinstance(key, str) else key.__qualname__


def _close(made: Any) -> None:
    close = getattr(made, "close", None)
    if close is not None:
        close()


def _leave_open(_instance: Any) -> None:
    """Do nothing: a registered instance is closed by its maker."""
