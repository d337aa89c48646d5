"""What a supervisor is told about each of its children."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

RestartType: TypeAlias = Literal["permanent", "transient", "temporary"]
"""Restart always; only after a failure, not after a normal end; never. Source: Erlang/OTP."""

Exhausted: TypeAlias = Literal["give_up", "park"]
"""What follows when a child has failed more often than is allowed. `give_up`: its supervisor fails, since the others
cannot do without it. `park`: it stays down, and the others go on."""

Host: TypeAlias = Literal["loop", "thread", "process"]
"""Where an actor runs: on the shared event loop; on a thread of its own, if its class declares `blocking`; in a process
of its own, if its spec asks for it."""


class BreakerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A breaker that differs from the supervisor's own settings."""

    fail_max: int
    """Failures in a row that open it."""

    reset_timeout_s: float
    """How long it stays open before the child is tried again."""

    escalate_after: int
    """Openings in a row after which the supervisor gives up."""


class ChildSpec(msgspec.Struct, frozen=True):
    """One child: `ChildSpec("journal", JournalActor, settings.journal)` and, by name, what is not as usual."""

    name: str
    """Unique in the whole system: messages find the child by it."""

    actor: type[Any]
    """A `RuntimeActor`; a `Supervisor` makes a tree."""

    settings: Any = None
    """Given to the actor as `self.settings`."""

    restart: RestartType = "permanent"

    shutdown_s: float | None = None
    """How long it may take to stop in order; None: as long as its supervisor gives everyone."""

    breaker: BreakerSettings | None = None
    """None: as the supervisor's policy says."""

    host: Literal["process"] | None = None
    """`process`: a worker process, for an actor that computes; it sends and hears wire messages alone. Else None."""

    turn_limit_s: float = 0.0
    """In a worker process: seconds that a turn may take before the process is killed, as a failure; 0: for ever."""

    when_exhausted: Exhausted = "give_up"
    """`park`: for the code of a user, whose faults are to stay his own. It has a budget of restarts for itself."""

    def __post_init__(self) -> None:
        if self.host == "process" and hasattr(self.actor, "plan"):
            raise ValueError(f"a supervisor runs where its supervisor does, found {self.name!r} with host='process'")

    @property
    def runs_on(self) -> Host:
        """Where it runs."""
        return self.host or ("thread" if getattr(self.actor, "blocking", False) else "loop")
