"""`ChildSpec`: what a supervisor is told about one child."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from ...domain.wording import expect_number, expect_word

RestartType: TypeAlias = Literal["permanent", "transient", "temporary"]
"""`permanent`: always restarted; `transient`: only after a failure; `temporary`: never. Source: Erlang/OTP."""

Exhausted: TypeAlias = Literal["give_up", "park"]
"""What follows when a child has failed more often than is allowed. `give_up`: its supervisor fails (escalation), since
the others depend on it. `park`: it stays down, and the others run on."""

Host: TypeAlias = Literal["loop", "thread", "process"]
"""Where an actor runs: on the shared event loop; on a thread of its own, if its class declares `blocking`; in a process
of its own, if its spec asks for it."""


OwnHost: TypeAlias = Literal["process"]
"""What a spec may ask for of these."""


class PlansChildren:
    """Base of every supervisor: an actor is one by its class, and not by a method that its author calls `plan`."""

    @classmethod
    def plan(cls, settings: Any) -> Any:
        """Derive its children and the policy from its settings: a `SupervisorSettings`."""
        raise NotImplementedError


class BreakerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The breaker of one child, where it differs from the supervisor's settings.

    Raises:
        ValueError: on construction: a number is out of its range.
    """

    fail_max: int
    """Failures in a row that open it."""

    reset_timeout_s: float
    """Seconds that it stays open before the child is probed."""

    escalate_after: int
    """Openings in a row after which the supervisor gives up."""

    def __post_init__(self) -> None:
        expect_number("fail_max", self.fail_max, least=1, is_whole=True)
        expect_number("reset_timeout_s", self.reset_timeout_s)
        expect_number("escalate_after", self.escalate_after, least=1, is_whole=True)


class ChildSpec(msgspec.Struct, frozen=True):
    """One child: `ChildSpec("journal", JournalActor, settings.journal)`, other fields by keyword.

    Raises:
        ValueError: on construction: an unknown word, a number below 0, a name that no path can have, or a supervisor in
            a worker process.
        TypeError: on construction: `actor` is no class.
    """

    name: str
    """Unique in the whole system: the child's address by name."""

    actor: type[Any]
    """A `RuntimeActor`; a `Supervisor` is the root of a subtree."""

    settings: Any = None
    """Given to the actor as `self.settings`."""

    restart: RestartType = "permanent"

    shutdown_s: float | None = None
    """Seconds it may take to stop before it is killed; None: the supervisor's `shutdown_s`."""

    leaves_calls: bool = False
    """Ended after `shutdown_s`, it leaves what it waits for, and that is no failure: its next start asks anew."""

    breaker: BreakerSettings | None = None
    """None: as the supervisor's policy says."""

    host: OwnHost | None = None
    """`process`: a worker process, for an actor that computes; it may send and receive messages of `natya.messages`,
    and those that its class names in `wire_types`."""

    turn_limit_s: float = 0.0
    """In a worker process: seconds that a turn may take before the process is killed, as a failure; 0: no limit."""

    memory_limit_mb: int = 0
    """In a worker process: MiB of memory of its own, beyond which `MemoryError` is raised; 0: no limit."""

    when_exhausted: Exhausted = "give_up"
    """`park`: for a user's code, whose failures must not stop the system. It then has a restart budget of its own."""

    cancels_orders: bool = False
    """Of a strategy: when it is parked, its open orders are cancelled; else they stay."""

    def __post_init__(self) -> None:
        if not self.name or "/" in self.name:
            raise ValueError(f"name: one without a slash is wanted, since paths are made of it, found {self.name!r}")
        if not isinstance(self.actor, type):
            raise TypeError(f"actor: the class of {self.name!r} is wanted, found {self.actor!r:.200}")
        expect_word("restart", self.restart, RestartType)
        if self.host is not None:
            expect_word("host", self.host, OwnHost)
        expect_word("when_exhausted", self.when_exhausted, Exhausted)
        if self.shutdown_s is not None:
            expect_number("shutdown_s", self.shutdown_s, least=0)
        expect_number("turn_limit_s", self.turn_limit_s, least=0)
        expect_number("memory_limit_mb", self.memory_limit_mb, least=0, is_whole=True)
        if self.host == "process" and issubclass(self.actor, PlansChildren):
            raise ValueError(f"a supervisor runs where its supervisor does, found {self.name!r} with host='process'")

    @property
    def start_s(self) -> float | None:
        """Seconds that its start may take; None: the supervisor's `start_s`."""
        return getattr(self.actor, "start_s", None)

    @property
    def runs_on(self) -> Host:
        """`loop`, `thread` or `process`."""
        return self.host or ("thread" if getattr(self.actor, "blocking", False) else "loop")
