"""What can go wrong with the runtime itself; one type for each decision a caller can take."""

from __future__ import annotations


def reason_of(error: BaseException) -> str:
    """Return its text; of one that has none to give, since its `__str__` raises, say that."""
    try:
        return str(error)
    except Exception as fault:  # noqa: BLE001  whatever it is, the first error is the one to report
        return f"its text could not be had: {type(fault).__name__}"


class ActorRuntimeError(Exception):
    """Base of all of them."""


class UnknownActorError(ActorRuntimeError):
    """No actor of that name runs here. Start it, or correct the name."""


class NameTakenError(ActorRuntimeError):
    """An actor of that name runs already. Choose another name."""


class RequestTimedOut(ActorRuntimeError):  # noqa: N818  reads as what happened, as in `except RequestTimedOut`
    """No answer within the time given; the request may still be handled. A late answer goes to the dead letters."""


class WouldDeadlockError(ActorRuntimeError):
    """A blocking request on the thread that would have to answer it. Send, and handle the answer."""


class SystemStoppedError(ActorRuntimeError):
    """The system was shut down, or belongs to the process that forked this one. Start another."""


class OffloadRefusedError(ActorRuntimeError):
    """Too many jobs are waiting on this actor's threads. Slow down, or raise `offloads_max`."""


class WatchRefusedError(ActorRuntimeError):
    """Too many watch that actor, or it is in another process."""


class UnsupportedBaseError(ActorRuntimeError):
    """Our actors do not run on this Thespian system base; the reason is in the text."""


class MessageRefusedError(ActorRuntimeError):
    """An actor of ours was told what it cannot use, or what is not for this sender to say. Correct the message."""
