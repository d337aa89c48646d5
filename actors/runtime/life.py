"""The life of an actor in its cell, as a pure state machine: which steps follow from which event.

The problem. An actor is started, fails, is suspended, restarted, refused messages and stopped, and each of these may
come in any state of the others; an error here loses messages or leaves an actor for ever without a turn.

The idea. A cell calls its `Life` with each event, gets a tuple of steps, and carries them out in order; the outcome of
a step, such as a start, is the next event. Nothing is carried out here, so that all orders of events can be tested
without threads, actors or messages (`tests/runtime/test_life.py`).

    state        start, restart   fails             suspend     resume    reject      stop
    NEW          RUNNING          SUSPENDED, DEAD   -           -         REJECTING   DEAD
    RUNNING      RUNNING          SUSPENDED, same   SUSPENDED   -         REJECTING   STOPPING
    SUSPENDED    RUNNING          SUSPENDED, DEAD   -           RUNNING   REJECTING   STOPPING, DEAD
    REJECTING    RUNNING          SUSPENDED, DEAD   -           RUNNING   REJECTING   DEAD
    STOPPING     STOPPING         same, DEAD        -           -         REJECTING   STOPPING

The trap is the orderly stop. Messages queued before it must still be handled, so an actor that fails during the stop,
or had failed before it, is restarted in place for them: but only if there are any, and if `Stop.afresh` allows it.

A cell may also be killed from another thread at any moment, in the middle of a start or of a handler. That is handled
in the cell: a `Life` is called on the cell's own thread only, and no more after its end.
"""

from __future__ import annotations

import enum
from typing import Any, Final, TypeAlias

import msgspec

from .lifecycle import Reject


class State(enum.Enum):
    """The state of a cell. Only a RUNNING one handles messages, and a STOPPING one those queued before the stop."""

    NEW = enum.auto()
    RUNNING = enum.auto()

    SUSPENDED = enum.auto()
    """It handles nothing and keeps what arrives."""

    REJECTING = enum.auto()
    """It handles nothing and refuses what arrives."""

    STOPPING = enum.auto()
    DEAD = enum.auto()


class Do(enum.Enum):
    """The steps without arguments; the others are structs."""

    BEGIN = enum.auto()
    """Make an instance and start it; then report `began` or `start_failed`."""

    RENEW = enum.auto()
    """Take a snapshot of the instance, stop it, and start a fresh one with the snapshot."""

    ADMIT = enum.auto()
    """Let messages into the mailbox again."""

    GO_ON = enum.auto()
    """Schedule a turn."""

    KEEP = enum.auto()
    """Keep arriving messages, and take no turn for them."""


class Refuse(msgspec.Struct, frozen=True):
    """Answer arriving messages with `Unavailable`."""

    order: Reject


class TellStarted(msgspec.Struct, frozen=True):
    """Report that the start is complete."""

    hearers: tuple[Any, ...]


class TellStartFailed(msgspec.Struct, frozen=True):
    """Report that the start failed."""

    hearers: tuple[Any, ...]
    error: BaseException


class TellFailed(msgspec.Struct, frozen=True):
    """Report to the supervisor that a handler raised."""

    hearer: Any
    error: BaseException


class End(msgspec.Struct, frozen=True):
    """Stop the instance, report it, and be dead."""

    requested: bool
    error: BaseException | None


Step: TypeAlias = Do | Refuse | TellStarted | TellStartFailed | TellFailed | End

# Bound once, since looking up an enum member on its class takes a quarter of a microsecond in Python 3.11.
NEW, RUNNING, SUSPENDED, REJECTING, STOPPING, DEAD = State
BEGIN, RENEW, ADMIT, GO_ON, KEEP = Do

NOTHING: Final[tuple[Step, ...]] = ()


class Life:
    """The life of one cell, which calls it for each event, in order."""

    __slots__ = ("_afresh", "_starter", "is_up", "state", "supervisor", "to_handle")

    def __init__(self) -> None:
        self.state = NEW
        self._starter: Any = None
        """The address that waits for the start; a failure before the start is complete is a failed start."""

        self.supervisor: Any = None
        """The address that decides what follows a failure; None: the actor restarts by itself at once."""

        self.is_up = False
        """There is an instance whose `on_start` has returned and whose `on_stop` was not called; set by the cell."""

        self.to_handle = 0
        """During a stop: messages still to be handled of those that were queued before it."""

        self._afresh = True

    # Control messages.

    def start(self, starter: Any, supervisor: Any) -> tuple[Step, ...]:
        """Start: the first event of a cell."""
        self._starter, self.supervisor = starter, supervisor
        return (BEGIN,)

    def restart(self) -> tuple[Step, ...]:
        """Start a fresh instance in place, in any state."""
        if self.state is REJECTING:
            return (KEEP, RENEW)  # not rejecting: answers to requests made in `on_start` must arrive
        return (RENEW,)

    def suspend(self) -> tuple[Step, ...]:
        """Handle no more messages; keep them."""
        if self.state is not RUNNING:
            return NOTHING
        self.state = SUSPENDED
        return (KEEP,)

    def resume(self) -> tuple[Step, ...]:
        """Handle messages again, with the same instance."""
        if self.state is not SUSPENDED and self.state is not REJECTING:
            return NOTHING
        self.state = RUNNING
        return (ADMIT, GO_ON)

    def reject(self, order: Reject) -> tuple[Step, ...]:
        """Handle no messages, and answer senders `Unavailable`."""
        self.state = REJECTING
        return (KEEP, Refuse(order))

    def stop(self, waiting: int, *, afresh: bool) -> tuple[Step, ...]:
        """Stop in order: `waiting` messages are handled first, if it runs, or may be restarted (`afresh`) for them."""
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

    # The outcome of a start.

    def began(self, *, ready: bool) -> tuple[Step, ...]:
        """`on_start` and `restore` have returned; without `ready` the start is complete when the actor reports it."""
        if self.state is STOPPING:
            return self.ready() if ready else NOTHING
        self.state = RUNNING
        return (ADMIT, GO_ON, TellStarted(self._hearers_of_the_start())) if ready else (ADMIT, GO_ON)

    def ready(self) -> tuple[Step, ...]:
        """The start is complete."""
        return (TellStarted(self._hearers_of_the_start()),)

    def start_failed(self, error: BaseException) -> tuple[Step, ...]:
        """Wait for the supervisor's decision; without a supervisor end, before it is told: its name is free then."""
        report = TellStartFailed(self._hearers_of_the_start(), error)
        if self.supervisor is None:
            return (*self.end(requested=False, error=error), report)
        self.state = SUSPENDED
        return (KEEP, report)

    # What happens in a turn.

    def failed(self, error: BaseException) -> tuple[Step, ...]:
        """A handler raised."""
        if isinstance(error, SystemExit):
            return self.end(requested=False, error=error)
        if self.state is STOPPING:
            return self._failed_while_stopping(error)
        if self._starter is not None:
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
