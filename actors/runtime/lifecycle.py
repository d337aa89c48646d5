"""Messages between an actor and its supervisor: frozen structs that never leave the process.

A supervisor starts a child with `RuntimeActor.start_child` and controls it with `RuntimeActor.control(child, …)`.
Control messages are handled before the mailbox, except that `Stop` waits for the messages queued before it. The reports
of a child come to the supervisor as ordinary messages, for its `@handles`.

    Start   -> Started | StartFailed      Restart -> Started | StartFailed      Stop, Kill -> Stopped
    a handler raises -> ChildHandlerFailed, and the child handles nothing more until Restart, Reject, Resume or Stop
    the child ends by itself -> Stopped with requested=False

A child whose parent does not supervise it (a plain Thespian actor, a test) restarts by itself at once.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from thespian.actors import ActorAddress  # noqa: TC002  the types of a Struct are looked up at run time

from ...messages.system import Statistics


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """To a new child: its name and settings; run `on_start`. Sent by `start_child`."""

    name: str
    settings: Any = None

    starter: ActorAddress | None = None
    """Receives the first `Started` or `StartFailed`."""

    supervisor: ActorAddress | None = None
    """Receives all later reports; None: the child restarts by itself at once."""

    names: dict[str, Any] = {}
    """Addresses by name, for an actor on Thespian's `simpleSystemBase`, which has no names."""


class Restart(msgspec.Struct, frozen=True, kw_only=True):
    """To a child in any state: `on_stop`, then `on_start` of a fresh instance at the same address, then the mailbox.

    If the actor has `snapshot()` and `restore(state)`, the state of the old instance is handed to the new one, and, if
    its start fails, to the one after it. If `snapshot` raises, there is no state.
    """


class Suspend(msgspec.Struct, frozen=True, kw_only=True):
    """To a running child: handle no messages, and keep those that arrive."""


class Resume(msgspec.Struct, frozen=True, kw_only=True):
    """To a suspended or rejecting child: handle messages again, with the same instance."""


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """To a child that stays down: answer new messages with `Unavailable` at once; messages kept so far stay kept."""

    retry_after_s: float
    reason: str = "breaker open"
    for_good: bool = False
    """It will not be restarted: only requests are answered, and kept messages become dead letters."""


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """To a child: stop in order. Queued messages are handled first, then `is_drained` must hold, then `on_stop` runs.

    A child that has not started, or is rejecting, ends at once; its kept messages become dead letters.
    """

    afresh: bool = True
    """A child that has failed, or fails now, is restarted in place for the queued messages. False: it ends at once."""


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """To a child that did not stop in time: end before the next message; queued messages become dead letters.

    `on_stop` runs and `Stopped` is sent. If a handler never returns, the name is freed all the same, and the child's
    thread is abandoned.
    """


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """From a child: `on_start` returned (or, with `ready_when_told`, the actor called `ready()`)."""

    name: str
    address: ActorAddress


class StartFailed(msgspec.Struct, frozen=True, kw_only=True):
    """From a child: construction, `on_start` or `restore` raised. It is suspended; `Restart` tries again.

    With `ready_when_told` also: a handler raised before the actor called `ready()`.
    """

    name: str
    address: ActorAddress
    error: BaseException


class ChildHandlerFailed(msgspec.Struct, frozen=True, kw_only=True):
    """From a child: a handler, a timer's handler, an outcome's handler or `on_drained` raised. It is suspended.

    The message is in the dead letters and its sender has been answered `Failed` before this is sent.
    """

    name: str
    address: ActorAddress
    error: BaseException
    message: Any = None
    """The message being handled; None if `on_drained` raised."""

    got_past: bool | None = None
    """Whether, since its last restart, it has handled a message of the type at which it failed before that; None if
    this is its first failure, or the type is not known."""


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """From a child, its last report: it has ended, and its name is free."""

    name: str
    address: ActorAddress

    statistics: Statistics | None = None
    """Its final statistics, taken before `on_stop`; None if it never started, was killed, or `statistics` raised."""

    error: BaseException | None = None
    """What `on_stop` raised, or why it ended by itself."""

    requested: bool = True
    """False: it ended by itself, without a `Stop` (an exit request, or SystemExit in a handler)."""


class InternalMessage(msgspec.Struct, frozen=True):
    """Base of messages to an actor from itself or a thread of its own: no dead letter once the actor has ended."""


class Terminated(msgspec.Struct, frozen=True, kw_only=True):
    """To the watchers of an actor (`RuntimeActor.watch`): it has ended, and its mailbox with it; its name is free.

    A restart in place is no termination. A permanent child that ended is started again, as a new actor of that name.
    """

    name: str
    statistics: Statistics | None = None
    error: BaseException | None = None
    """As in `Stopped`."""


Control: TypeAlias = Start | Restart | Suspend | Resume | Reject | Stop | Kill
"""Messages from a supervisor to a child."""

Report: TypeAlias = Started | StartFailed | ChildHandlerFailed | Stopped
"""Messages from a child to its supervisor."""


class MailboxCounters(msgspec.Struct, frozen=True, kw_only=True):
    """Counters of a mailbox since its actor was created; from `RuntimeActor.mailbox_of(child)`."""

    depth: int
    """Messages waiting now."""

    high_water: int
    """Most messages that ever waited, measured once a turn."""

    dropped: int = 0
    """Messages refused or discarded at the limit."""

    conflated: int = 0
    """Messages replaced by a newer one of the same key."""

    handled: int = 0
    """Messages that handlers completed, over all lives of the actor."""

    failures: int = 0
    """What they raised, over all lives of the actor."""
