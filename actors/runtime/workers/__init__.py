"""Actors in processes of their own: joined by a socket pair, ended with their parent, supervised like any other.

In the parent:

stand_in.py        the actor's address, mailbox and supervision there
worker_process.py  one process: launched, written to, read, ended
dues.py            its timers in a simulated market, and what that waits for; far_market.py is their other end
assignment.py      which actor it is to run; build.py, that both run the same code
process.py         how it is launched, and what it does to itself at its start

In the process:

hosting.py         one actor in a system of its own, for which every other name is in the parent
reading_loop.py    its loop, which reads the socket too
far_market.py      the parent's market there: its time, its timers, what it waits for
__main__.py        where it begins

In both:

link.py            the socket pair; wire.py, the frames on it; own_types.py, messages of the actor's author
addresses.py       addresses by number
errors.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import NotHostableError, RemoteError, WorkerDiedError, WorkerRefusedError
from .stand_in import UNHANDLED_MAX, StandIn, StandInSettings

if TYPE_CHECKING:
    from ..actor import RuntimeActor


def in_process(
    actor: type[RuntimeActor], settings: Any = None, *, turn_limit_s: float = 0.0, memory_limit_mb: int = 0
) -> tuple[type[StandIn], StandInSettings]:
    """Return what to start instead of an actor, so that it runs in a process of its own.

    With a limit a process that holds one turn longer is killed; that is a failure of the actor. In one that has so many
    MiB of memory, what wants more raises `MemoryError`.
    """
    return StandIn, StandInSettings(actor, settings, turn_limit_s, memory_limit_mb)


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
