"""Actors in processes of their own: joined by a socket pair, ended with their parent, supervised like any other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import NotHostableError, RemoteError, WorkerDiedError, WorkerRefusedError
from .stand_in import UNHANDLED_MAX, StandIn, StandInSettings

if TYPE_CHECKING:
    from ..actor import RuntimeActor


def in_process(
    actor: type[RuntimeActor], settings: Any = None, *, turn_limit_s: float = 0.0
) -> tuple[type[StandIn], StandInSettings]:
    """Return what to start instead of an actor, so that it runs in a process of its own.

    With a limit a process that holds one turn longer is killed; that is a failure of the actor.
    """
    return StandIn, StandInSettings(actor, settings, turn_limit_s)


__all__ = [
    "UNHANDLED_MAX",
    "NotHostableError",
    "RemoteError",
    "StandIn",
    "StandInSettings",
    "WorkerDiedError",
    "WorkerRefusedError",
    "in_process",
]
