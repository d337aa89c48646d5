"""Life and death of actors: failures, restarts, and what supervisors report."""

from typing import Literal, TypeAlias

import msgspec

from .units import Count, Nanoseconds, Seconds

ActorState: TypeAlias = Literal["STARTING", "RUNNING", "RESTARTING", "UNAVAILABLE", "STOPPING", "STOPPED", "PARKED"]
"""PARKED: it failed more often than its budget allows, and stays down; the others go on."""


class Failed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Failed"):
    """To the sender of a request: its handler raised. The message was tried once and is in the dead letters."""

    actor: str
    message_type: str
    error: str
    """Name of the error's type."""

    reason: str


class Unavailable(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Unavailable"):
    """To the sender of a request: the actor is down and its breaker open, or its mailbox is full. Nothing was done."""

    actor: str
    reason: str
    retry_after_s: Seconds

    is_unknown: bool = False
    """No actor of that name is in this system, or none that knows such a request: to ask again is of no use."""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="DeadLetter"):
    """To the events router: a message that no handler completed."""

    actor: str
    """Name of the recipient."""

    message_type: str

    payload: bytes
    """The message as the codec writes it; empty where it has no wire form."""

    error: str
    """Name of the error's type, or `NoRecipient`."""

    reason: str
    traceback: str
    died_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""

    correlation_id: str = ""
    """Of the request that the message belonged to; empty where it is not known."""


class ChildFailed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ChildFailed"):
    """Fact: a child's handler, start or stop raised; from its supervisor."""

    supervisor: str
    child: str
    phase: Literal["start", "handle", "stop", "exit"]
    error: str
    reason: str
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class ChildRestarted(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ChildRestarted"):
    """Fact: a child runs again, with fresh state, at the same address."""

    supervisor: str
    child: str
    restarts: Count
    """Restarts of this child since the system started."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class BreakerOpened(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="BreakerOpened"):
    """Fact: a child failed too often and stays down until the breaker tries it again."""

    supervisor: str
    child: str
    openings: Count
    """Openings in a row, without a success between them."""

    retry_after_s: Seconds
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class Escalated(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Escalated"):
    """Fact: a supervisor gave up on a child and failed itself; at the root, the system stops with exit code 70."""

    supervisor: str
    child: str
    reason: str
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


SupervisionFact: TypeAlias = ChildFailed | ChildRestarted | BreakerOpened | Escalated


class ChildStatus(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ChildStatus"):
    """One node of the supervision tree as it stands; `path` names the supervisors above it."""

    path: str
    """Slash-separated names from the root: `system/strategies/crossover`."""

    state: ActorState
    host: str
    """`loop`, `thread` or `process`."""

    restarts: Count
    breaker: str
    """`closed`, `open` or `half-open`."""

    mailbox_depth: Count
    last_error: str
    """Type and text of the newest failure; empty if there was none."""

    trouble: str = ""
    """Why it runs and yet cannot do part of its work, such as files held by another process; empty if nothing."""

    raised_at: str = ""
    """`file:line in function` of the user's own code in the newest failure; empty if no such code was in it."""

    last_traceback: str = ""
    """Traceback of the newest failure, as Python prints it; empty if none, or if failures came too fast to format."""

    conflated: Count = 0
    """Ticks that it was not given, since a newer one of their symbol came while it was behind in a live market."""

    dropped: Count = 0
    """Messages that its mailbox refused or discarded at a limit."""

    handled: Count = 0
    """Messages that its handlers completed since it was first started."""

    failures: Count = 0
    """What its handlers raised since then."""


class DescribeTree(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="DescribeTree"):
    """To a supervisor; answered by `SupervisionTree`."""


class SupervisionTree(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="SupervisionTree"):
    """Answer to `DescribeTree`: every node below, parents before their children, in start order."""

    children: tuple[ChildStatus, ...]

    stalls: Count = 0
    """Turns that held the shared event loop longer than `system.stall_warn_s`, since the start."""

    last_stall: str = ""
    """Name of the actor that had the newest of them; its stack is in the log."""


class SupervisorStatistics(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SupervisorStatistics"
):
    """What a supervisor counts of its own children; a supervisor among them counts for itself."""

    children: Count
    failures: Count
    restarts: Count
    escalations: Count

    parked: tuple[str, ...] = ()
    """`name: why` of each parked child: it failed too often and stays down while the others run on."""
