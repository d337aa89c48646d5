"""The container: makes what is resolved, once for all threads."""

from __future__ import annotations

import contextlib
import difflib
import functools
import threading
import time
from typing import TYPE_CHECKING, Any, TypeVar, overload

from .entries import (
    ABSENT,
    ContainerStatistics,
    Entry,
    NoScopeError,
    NotRegisteredError,
    Registration,
    close_made,
    cycle,
    fault_of,
    leave_open,
    make_nothing,
    name_of,
    takes_one,
)
from .scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from .entries import Key, Kind

T = TypeVar("T")


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
        self._entries: dict[Key, Entry] = {}
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
        entry = Entry("instance", lambda: instance, leave_open)
        entry.made = instance
        self._register(key, entry)

    def register_factory(  # noqa: PLR0913  each says one thing of the entry
        self,
        key: Key,
        factory: Callable[..., Any],
        *,
        shared: bool = True,
        scoped: bool = False,
        closing: Callable[[Any], object] | None = None,
        ping: Callable[[Any], object] | None = None,
    ) -> None:
        """Register a factory.

        Args:
            key: to resolve it by.
            factory: takes nothing, or the container.
            shared: made once, when first resolved, and kept; else made at each resolve, and closed by the caller.
            scoped: made once in each `scope`, and closed with it; whatever `shared` says.
            closing: closes what was made; None: calls its method `close`, if there is one.
            ping: raises if what was made does not work any more; see `health`.
        """
        kind: Kind = "scoped" if scoped else "shared" if shared else "transient"
        entry = Entry(kind, factory, closing or close_made, ping)
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
                raise self._missing(key)
            if entry.kind == "scoped":
                raise NoScopeError(f"{name_of(key)} is of a scope: `with container.scope() as scope: scope.resolve(…)`")
            me = threading.get_ident()
            if entry.kind == "shared":
                self._await_turn(key, me)
            if entry.made is not ABSENT:
                return entry.made
            making = self._making.setdefault(me, [])
            if key in making:
                raise cycle(key, making)
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

    @contextlib.contextmanager
    def scope(self) -> Iterator[Scope]:
        """Begin a scope: what is registered as scoped is made once in it, and closed at its end, the newest first.

        with container.scope() as scope:
            scope.resolve("Session")
        """
        scope = Scope(self)
        try:
            yield scope
        finally:
            scope.close()

    def describe(self) -> str:
        """Return a line for each entry: what it is, whether it is made, how often it was resolved, how long it took."""
        return "\n".join(
            f"{one.name}: {one.kind}{', made' if one.made else ''}{', overridden' if one.overridden else ''}, "
            f"resolved {one.resolutions}, made in {1_000 * one.making_s:.1f} ms"
            for one in self.registrations()
        )

    def health(self) -> dict[str, str]:
        """Ping every shared instance that is made and has a ping: why it does not work, by name; empty if it does."""
        return {name: fault_of(ping) for name, ping in self.pings().items()}

    def pings(self) -> dict[str, Callable[[], object]]:
        """Return what `health` calls, by name: each raises if its instance does not work."""
        with self._changed:
            return {
                name_of(key): functools.partial(entry.ping, entry.made)
                for key, entry in self._entries.items()
                if entry.ping is not None and entry.made is not ABSENT
            }

    def registrations(self) -> tuple[Registration, ...]:
        """Describe every entry, by name."""
        with self._changed:
            return tuple(
                Registration(
                    name=name_of(key),
                    kind=entry.kind,
                    made=entry.made is not ABSENT,
                    overridden=bool(self._overrides.get(key)),
                    resolutions=entry.resolutions,
                    making_s=entry.making_s,
                )
                for key, entry in sorted(self._entries.items(), key=lambda item: name_of(item[0]))
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
                    entry.made = ABSENT
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

    def entry_of(self, key: Key) -> tuple[Entry, Any]:
        """Return what a scope needs of an entry: it, and what overrides it, if anything does."""
        with self._changed:
            overrides = self._overrides.get(key)
            entry = self._entries.get(key)
            if entry is None and not overrides:
                raise self._missing(key)
            if entry is not None and entry.kind in {"scoped", "transient"}:
                entry.resolutions += 1
            return entry or Entry("instance", make_nothing, leave_open), overrides[-1] if overrides else ABSENT

    def _missing(self, key: Key) -> NotRegisteredError:
        names = sorted(map(name_of, self._entries))
        near = difflib.get_close_matches(name_of(key), names, n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        return NotRegisteredError(f"{name_of(key)} is not registered; there is {', '.join(names) or 'nothing'}{hint}")

    def _register(self, key: Key, entry: Entry) -> None:
        with self._changed:
            self._entries[key] = entry

    def _await_turn(self, key: Key, me: int) -> None:
        """Wait while another thread makes it; raise instead if that thread waits, in turn, for this one."""
        while self._makers.get(key, me) != me:
            waited_for: Key | None = key
            while waited_for is not None and (maker := self._makers.get(waited_for)) is not None:
                if maker == me:
                    raise cycle(key, self._making[me])
                waited_for = self._waits.get(maker)
            self._waits[me] = key
            try:
                self._changed.wait()
            finally:
                del self._waits[me]

    def _make(self, key: Key, entry: Entry, me: int) -> Any:
        made: Any = ABSENT
        began = time.perf_counter()
        try:
            made = entry.factory(self) if takes_one(entry.factory) else entry.factory()
            return made
        finally:
            with self._changed:
                entry.making_s = time.perf_counter() - began
                if made is ABSENT:
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
