"""Hearing of an actor's end: whoever watches it gets `lifecycle.Terminated`, once, and is forgotten.

The watchers of an actor are a tuple in its cell, changed under one lock for all cells: watching is rare. An actor that
has gone is `dead` before its watchers are told, so whoever comes later is told at once; nobody falls between.
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
"""Of one actor; more are refused."""

_lock = threading.Lock()


@runtime_checkable
class Watched(Protocol):
    """An actor that can be watched: a cell of this process that runs a `RuntimeActor`."""

    name: str
    dead: bool
    watchers: tuple[Endpoint, ...]


def watch(watcher: Endpoint, watched: Endpoint) -> None:
    """Deliver `Terminated` to the watcher when the watched actor is gone; from any thread.

    Raises:
        WatchRefusedError: too many watch it, or it is no actor of this process.
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
    watcher.deliver(lifecycle.Terminated(name=watched.name), watched)  # it has gone in between


def take_watchers(watched: Watched) -> tuple[Endpoint, ...]:
    """Return who is to be told that this actor is gone; it is `dead` by now, so nobody joins them any more."""
    with _lock:
        watchers, watched.watchers = watched.watchers, ()
    return watchers


def _still_watches(watcher: Endpoint) -> bool:
    return not (watcher.future.cancelled() if isinstance(watcher, FutureReply) else getattr(watcher, "dead", False))
