"""The life of an actor in its cell, as a pure state machine: which step follows from which event.

A cell tells its `Life` what happened, is given steps, and takes them in order; what comes of a step, as of the start of
an instance, is told to the life in turn. No step is taken here, so every order of events can be tried without threads,
actors or messages (`tests/runtime/test_life.py`).

    state        start, restart   fails             suspend     resume    reject      stop
    NEW          RUNNING          SUSPENDED, DEAD   -           -         REJECTING   DEAD
    RUNNING      RUNNING          SUSPENDED, same   SUSPENDED   -         REJECTING   STOPPING
    SUSPENDED    RUNNING          SUSPENDED, DEAD   -           RUNNING   REJECTING   STOPPING, DEAD
    REJECTING    RUNNING          SUSPENDED, DEAD   -           RUNNING   REJECTING   DEAD
    STOPPING     STOPPING         same, DEAD        -           -         REJECTING   STOPPING

The trap is the orderly stop. What was queued before it is still to be handled, so an actor that fails meanwhile, or had
failed before, is restarted in place for the rest: but only if there is a rest, and if whoever stops it allows that.

A cell may also be killed from another thread at any moment, in the middle of a start or of a handler. That is the
cell's matter: a life is told of events by the cell's own thread alone, and after its end of none.
"""

from __future__ import annotations

import enum
from typing import Any, Final, TypeAlias

import msgspec

from .lifecycle import Reject


class State(enum.Enum):
    """Where in its life a cell is. Only a RUNNING one handles messages, and a STOPPING one what it still has to."""

    NEW = enum.auto()
    RUNNING = enum.auto()

    SUSPENDED = enum.auto()
    """It handles nothing and keeps what arrives."""

    REJECTING = enum.auto()
    """It handles nothing and refuses what arrives."""

    STOPPING = enum.auto()
    DEAD = enum.auto()


class Do(enum.Enum):
    """The steps that need to know no more; the others are structs."""

    BEGIN = enum.auto()
    """Make an instance and start it; then tell the life `began` or `start_failed`."""

    RENEW = enum.auto()
    """Take over the state of the instance, release it, and begin the next life with it."""

    ADMIT = enum.auto()
    """Let messages into the mailbox again."""

    GO_ON = enum.auto()
    """Take a turn."""

    KEEP = enum.auto()
    """Keep what arrives, and take no turn for it."""


class Refuse(msgspec.Struct, frozen=True):
    """Answer what arrives with `Unavailable`."""

    order: Reject


class TellStarted(msgspec.Struct, frozen=True):
    """Report that the start is complete."""

    hearers: tuple[Any, ...]


class TellStartFailed(msgspec.Struct, frozen=True):
    """Report that it failed."""

    hearers: tuple[Any, ...]
    error: BaseException


class TellFailed(msgspec.Struct, frozen=True):
    """Report to the supervisor that a handler raised."""

    hearer: Any
    error: BaseException


class End(msgspec.Struct, frozen=True):
    """Stop the instance, tell who must know, die."""

    requested: bool
    error: BaseException | None


Step: TypeAlias = Do | Refuse | TellStarted | TellStartFailed | TellFailed | End

# Bound once: to look a member up on its class takes Python 3.11 a quarter of a microsecond.
NEW, RUNNING, SUSPENDED, REJECTING, STOPPING, DEAD = State
BEGIN, RENEW, ADMIT, GO_ON, KEEP = Do

NOTHING: Final[tuple[Step, ...]] = ()


class Life:
    """The life of one cell, which tells it of each event, in order."""

    __slots__ = ("_afresh", "_starter", "is_up", "state", "supervisor", "to_handle")

    def __init__(self) -> None:
        self.state = NEW
        self._starter: Any = None
        """Who waits for the start; a failure before it is complete is a start that failed."""

        self.supervisor: Any = None
        """Who decides what follows a failure; None: nobody, and the actor restarts itself at once."""

        self.is_up = False
        """There is an instance whose `on_start` has returned and whose `on_stop` was not called; the cell says so."""

        self.to_handle = 0
        """Of what was queued when it was told to stop: messages that are still to be handled."""

        self._afresh = True

    # What it is told to do.

    def start(self, starter: Any, supervisor: Any) -> tuple[Step, ...]:
        """Begin: the first thing that a cell is told."""
        self._starter, self.supervisor = starter, supervisor
        return (BEGIN,)

    def restart(self) -> tuple[Step, ...]:
        """Begin the next life in place, in whatever state this one is."""
        if self.state is REJECTING:
            self.state = SUSPENDED
            return (KEEP, RENEW)  # what it asks in `on_start` may be answered at once
        return (RENEW,)

    def suspend(self) -> tuple[Step, ...]:
        """Handle nothing more."""
        if self.state is not RUNNING:
            return NOTHING
        self.state = SUSPENDED
        return (KEEP,)

    def resume(self) -> tuple[Step, ...]:
        """Go on with the instance that there is."""
        if self.state is not SUSPENDED and self.state is not REJECTING:
            return NOTHING
        self.state = RUNNING
        return (ADMIT, GO_ON)

    def reject(self, order: Reject) -> tuple[Step, ...]:
        """Stay down, and say so to whoever sends."""
        self.state = REJECTING
        return (KEEP, Refuse(order))

    def stop(self, waiting: int, *, afresh: bool) -> tuple[Step, ...]:
        """End in order: what waits is handled first, by one that runs or that may be restarted for it."""
        self._afresh = afresh
        down = self.state is SUSPENDED
        if self.state is RUNNING or self.state is STOPPING or (down and self.is_up and afresh and waiting):
            self.state, self.to_handle = STOPPING, waiting
            return (ADMIT, RENEW) if down else (ADMIT,)
        return self.end(requested=True)

    def end(self, *, requested: bool, error: BaseException | None = None) -> tuple[Step, ...]:
        """End before the next message."""
        self.state = DEAD
        return (End(requested, error),)

    # What became of a start.

    def began(self, *, ready: bool) -> tuple[Step, ...]:
        """`on_start` and `restore` have returned; not `ready`: the actor says itself when it is."""
        if self.state is STOPPING:
            return self.ready() if ready else NOTHING
        self.state = RUNNING
        return (ADMIT, GO_ON, TellStarted(self._hearers_of_the_start())) if ready else (ADMIT, GO_ON)

    def ready(self) -> tuple[Step, ...]:
        """The start is complete."""
        return (TellStarted(self._hearers_of_the_start()),)

    def start_failed(self, error: BaseException) -> tuple[Step, ...]:
        """Wait for the supervisor's decision; without a supervisor end."""
        report = TellStartFailed(self._hearers_of_the_start(), error)
        if self.supervisor is None:
            return (report, *self.end(requested=False, error=error))
        self.state = SUSPENDED
        return (KEEP, report)

    # What happens in a turn.

    def failed(self, error: BaseException) -> tuple[Step, ...]:
        """A handler raised."""
        if isinstance(error, SystemExit):
            return self.end(requested=False, error=error)
        if self.state is STOPPING:
            return self._failed_while_stopping(error)
        if self._starter is not None and self.state is RUNNING:
            return self.start_failed(error)
        if self.supervisor is None:
            return (RENEW,)
        self.state = SUSPENDED
        return (KEEP, TellFailed(self.supervisor, error))

    def _failed_while_stopping(self, error: BaseException) -> tuple[Step, ...]:
        if not self._afresh:
            return self.end(requested=True)
        if self.to_handle <= 0:  # a fresh instance would have nothing to do but to fail again
            return self.end(requested=True, error=error)
        return (RENEW,)

    def _hearers_of_the_start(self) -> tuple[Any, ...]:
        starter, self._starter = self._starter, None
        if starter is None:
            return () if self.supervisor is None else (self.supervisor,)
        return (starter,) if self.supervisor is None or self.supervisor is starter else (starter, self.supervisor)
