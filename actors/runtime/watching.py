"""Watching an actor: each watcher gets `lifecycle.Terminated` once, when the actor has ended.

The watchers of an actor are a tuple in its cell, changed under one lock for all cells, since watching is rare. A cell
is `dead` before its watchers are notified, so a watcher that comes later is notified at once, and none is missed.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from . import lifecycle
from .errors import WatchRefusedError
from .requests import FutureReply

if TYPE_CHECKING:
    from .endpoint import Endpoint

WATCHERS_MAX: Final = 1_000
"""Watchers of one actor; more are refused."""

_lock = threading.Lock()


@runtime_checkable
class Watched(Protocol):
    """An actor that can be watched: a `RuntimeCell` of this process."""

    name: str
    dead: bool
    watchers: tuple[Endpoint, ...]


def watch(watcher: Endpoint, watched: Endpoint) -> None:
    """Deliver `Terminated` to the watcher when the watched actor has ended; thread-safe.

    Raises:
        WatchRefusedError: `WATCHERS_MAX` watch it already, or it is no actor of this process.
    """
    if not isinstance(watched, Watched):
        raise WatchRefusedError(f"an actor of this process is wanted, found {watched}")
    with _lock:
        if watcher in watched.watchers:
            return
        watchers = tuple(each for each in watched.watchers if _still_watches(each))
        if len(watchers) >= WATCHERS_MAX:
            raise WatchRefusedError(f"at most {WATCHERS_MAX} may watch {watched.name}")
        if not watched.dead:
            watched.watchers = (*watchers, watcher)
            return
    watcher.deliver(lifecycle.Terminated(name=watched.name), watched)  # it has ended in between


def take_watchers(watched: Watched) -> tuple[Endpoint, ...]:
    """Return and clear the watchers of an actor; it is `dead` by now, so that none is added later."""
    with _lock:
        watchers, watched.watchers = watched.watchers, ()
    return watchers


def _still_watches(watcher: Endpoint) -> bool:
    return not (watcher.future.cancelled() if isinstance(watcher, FutureReply) else getattr(watcher, "dead", False))
