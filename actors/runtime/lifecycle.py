"""What an actor and its supervisor say to each other: plain frozen values that never leave the process.

A supervisor starts a child with `RuntimeActor.start_child` and later steers it with `RuntimeActor.control(child, …)`;
control messages overtake the mailbox, all but `Stop`, which waits for what was queued before it. What the child has to
say comes to the supervisor as ordinary messages, for its `@handles`.

    Start   -> Started | StartFailed      Restart -> Started | StartFailed      Stop, Kill -> Stopped
    a handler raises -> ChildHandlerFailed, and the child handles nothing more until Restart, Reject, Resume or Stop
    the child ends by itself -> Stopped with requested=False

A child without a supervisor of ours (its parent is plain Thespian, or a test) restarts itself at once.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import msgspec
from thespian.actors import ActorAddress  # noqa: TC002  the types of a Struct are looked up at run time

from ...messages.system import Statistics


class Start(msgspec.Struct, frozen=True, kw_only=True):
    """To a new child: this is your name, these are your settings; run `on_start`. Sent by `start_child`."""

    name: str
    settings: Any = None

    starter: ActorAddress | None = None
    """Who hears the first `Started` or `StartFailed`."""

    supervisor: ActorAddress | None = None
    """Who hears of everything later; None: nobody, and the child restarts itself at once."""

    names: dict[str, Any] = {}
    """Addresses by name, for an actor on `simpleSystemBase`; ours keeps its own."""


class Restart(msgspec.Struct, frozen=True, kw_only=True):
    """To a child in any state: `on_stop`, then `on_start` of a fresh instance at the same address, then the mailbox.

    If the actor has `snapshot()` and `restore(state)`, the state of the old instance is handed to the new one, and on
    to the next one where a start fails; a snapshot that raises is left out.
    """


class Suspend(msgspec.Struct, frozen=True, kw_only=True):
    """To a running child: handle nothing; keep what arrives."""


class Resume(msgspec.Struct, frozen=True, kw_only=True):
    """To a suspended or rejecting child: handle again, with the instance there is."""


class Reject(msgspec.Struct, frozen=True, kw_only=True):
    """To a child that stays down: answer every new message with `Unavailable` at once; what is stored stays stored."""

    retry_after_s: float
    reason: str = "breaker open"
    for_good: bool = False
    """It is not coming back: nobody is told but who waits for an answer, and nothing is kept for it."""


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """To a child: end in order. What is queued is handled first, then `is_drained` must hold, then `on_stop` runs.

    A child that did not start, or rejects, ends at once; its stored messages go to the dead letters.
    """

    afresh: bool = True
    """One that has failed, or fails now, is restarted in place for what is queued. False: it ends at once as well."""


class Kill(msgspec.Struct, frozen=True, kw_only=True):
    """To a child that did not stop in time: end before the next message; the stored ones go to the dead letters.

    `on_stop` runs and `Stopped` comes, unless a handler never returns: then the name is freed all the same and the
    child's thread is abandoned.
    """


class Started(msgspec.Struct, frozen=True, kw_only=True):
    """From a child: `on_start` returned (or, with `ready_when_told`, the actor called `ready()`)."""

    name: str
    address: ActorAddress


class StartFailed(msgspec.Struct, frozen=True, kw_only=True):
    """From a child: construction, `on_start` or `restore` raised. It is suspended; `Restart` tries again.

    To whoever waits for its start alone, also: a handler raised before it called `ready()`.
    """

    name: str
    address: ActorAddress
    error: BaseException


class ChildHandlerFailed(msgspec.Struct, frozen=True, kw_only=True):
    """From a child: a handler, a timer's handler, an outcome's handler or `on_drained` raised. It is suspended.

    The message is in the dead letters and its sender has been told `Failed` before this is sent.
    """

    name: str
    address: ActorAddress
    error: BaseException
    message: Any = None
    """What it was handling; None when it was `on_drained`."""

    got_past: bool | None = None
    """Whether, since it was restarted, it handled any message of the kind at which it failed the time before; None
    where there was no time before, or nobody knows the kind."""


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """From a child, its last word: it is gone, its name is free."""

    name: str
    address: ActorAddress

    statistics: Statistics | None = None
    """Its final statistics, taken before `on_stop`; None if it could not tell (never started, killed, or raised)."""

    error: BaseException | None = None
    """What `on_stop` raised, or why it ended by itself."""

    requested: bool = True
    """False: nobody sent `Stop`; it ended by itself (an exit request, or SystemExit in a handler)."""


class News(msgspec.Struct, frozen=True):
    """What an actor hears from a thread of its own: to one who is gone nothing is lost with it."""


class Terminated(msgspec.Struct, frozen=True, kw_only=True):
    """To whoever watches an actor (`RuntimeActor.watch`): it is gone, and its mailbox with it; its name is free.

    A restart in place is no termination. A permanent child gets a successor of its name.
    """

    name: str
    statistics: Statistics | None = None
    error: BaseException | None = None
    """As in `Stopped`."""


Control: TypeAlias = Start | Restart | Suspend | Resume | Reject | Stop | Kill
"""What a supervisor may say."""

Report: TypeAlias = Started | StartFailed | ChildHandlerFailed | Stopped
"""What a child may say."""


class MailboxCounters(msgspec.Struct, frozen=True, kw_only=True):
    """What a mailbox has seen since its actor was created; from `RuntimeActor.mailbox_of(child)`."""

    depth: int
    """Messages waiting now."""

    high_water: int
    """Most messages that ever waited, looked at once a turn."""

    dropped: int = 0
    """Refused or discarded at the limit."""

    conflated: int = 0
    """Replaced by a newer value of the same key."""
