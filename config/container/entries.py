"""Entries of a container: what is registered, its errors, and what is told of it."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

Kind: TypeAlias = Literal["instance", "shared", "scoped", "transient"]
Key: TypeAlias = str | type
"""What a dependency is registered under: a name, or a class."""

ABSENT: Final = object()
"""In the place of an instance that has not been made."""


class DependencyError(Exception):
    """Base of the container's errors."""


class NotRegisteredError(DependencyError):
    """Nothing is registered under that name; the message lists what is."""


class NoScopeError(DependencyError):
    """It is made once in each scope, and was asked for outside of one, or by something that outlives every scope."""


class DependencyCycleError(DependencyError):
    """A factory needs, directly or through others, what it makes; the message shows the chain."""


class Registration(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the container, at one moment."""

    name: str
    kind: Kind
    """`instance`: registered as it is; `shared`: made once; `scoped`: once a scope; `transient`: each time anew."""

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


class Entry:
    """A registration, and the instance made by it."""

    def __init__(
        self,
        kind: Kind,
        factory: Callable[..., Any],
        closing: Callable[[Any], object],
        ping: Callable[[Any], object] | None = None,
    ) -> None:
        self.kind: Kind = kind
        self.factory = factory
        self.closing = closing
        self.ping = ping
        self.made: Any = ABSENT
        self.resolutions = 0
        self.making_s = 0.0


def cycle(key: Key, making: list[Key]) -> DependencyCycleError:
    """Return the error of a way that comes back to its beginning."""
    way = " -> ".join(map(name_of, [*making, key]))
    return DependencyCycleError(f"{name_of(key)} is wanted while it is made: {way}")


def takes_one(factory: Callable[..., Any]) -> bool:
    """Tell whether the factory needs an argument; a function written in C may have no signature."""
    try:
        parameters = inspect.signature(factory).parameters.values()
    except ValueError:
        return False
    return any(
        one.default is one.empty and one.kind in {one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD} for one in parameters
    )


def name_of(key: Key) -> str:
    """Return what an entry is called."""
    return key if isinstance(key, str) else key.__qualname__


def close_made(made: Any) -> None:
    """Close what was made, if it can be."""
    close = getattr(made, "close", None)
    if close is not None:
        close()


def make_nothing() -> None:
    """Make nothing: an entry that only an override has."""


def fault_of(ping: Callable[[], object]) -> str:
    """Say why a ping failed; empty if it did not."""
    try:
        ping()
    except Exception as fault:  # noqa: BLE001  whichever it is, it is told
        return f"{type(fault).__name__}: {fault}"
    return ""


def leave_open(_instance: Any) -> None:
    """Do nothing: a registered instance is closed by its maker."""
