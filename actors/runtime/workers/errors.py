"""What can go wrong with a worker process; its supervisor sees each as a failure of the actor that runs there."""

from __future__ import annotations

from ..errors import ActorRuntimeError


class WorkerDiedError(ActorRuntimeError):
    """The process ended unexpectedly. A restart starts another; messages sent to it may have been handled."""


class WorkerRefusedError(ActorRuntimeError):
    """The process would run other code than its parent, or cannot import the actor. Restart the whole system."""

    restart_helps = False


class NotHostableError(ActorRuntimeError):
    """This actor, or its settings, cannot be described to another process. Run it on the loop, or on a thread."""

    restart_helps = False


class RemoteError(Exception):
    """An exception of an actor in a worker process: a subclass with the name of its type there, and its text."""

    raised_at: str = ""
    """`file:line in function` there; see `where_of`."""

    restart_helps: bool = True
    """As of the error there, or of one that caused it; see `restart_helps`."""

    fails_start: bool = True
