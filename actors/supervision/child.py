"""What a supervisor knows about one child now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..runtime import where_of
from ..runtime.lifecycle import Stop
from .child_spec import PlansChildren
from .protocol import StatisticsByPath

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...messages.supervision import ActorState
    from ...messages.system import Statistics
    from ..runtime import ActorAddress
    from .child_spec import ChildSpec
    from .deadline import Deadline
    from .settings import SupervisorSettings
    from .start_group import StartGroup

KILL_S: Final = 1.0
"""Seconds that a killed child may take to end; then its supervisor goes on without it."""


class Child:
    """One child: its address, its state, what happened to it."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.address: ActorAddress | None = None
        """None while it has no actor."""

        self.state: ActorState = "STOPPED"

        self.is_gone = False
        """It has ended for good, by its restart type: no restart of a group starts it again."""

        self.is_removed = False
        """It was removed from a pool, and is forgotten as soon as it has ended."""

        self.given_up = False
        """It has failed more often than the policy allows, and the supervisor fails with it."""

        self.parked = ""
        """Why it stays down for good while the others run on; empty: it is not parked."""

        self.is_starting = False
        """It was told to start, and has reported neither success nor failure."""

        self.start_group: StartGroup | None = None
        self.timer: Deadline | None = None
        """Its one deadline: of its start, of its breaker, or of its stop."""

        self.attempts = 0
        """Attempts to start it; all but the first are restarts."""

        self.last_error = ""
        """Type and text of the newest failure."""

        self.fault: BaseException | None = None
        """The newest failure itself."""

        self.last_traceback = ""
        self.statistics: Statistics | None = None
        self.below: StatisticsByPath = ()
        """Final statistics of its own children, if it is a supervisor."""

        self.killed_after_s: float | None = None
        """How long it had to stop before it was killed; None: it was not."""

        self.stop_failures: tuple[str, ...] = ()
        """How the stop of its own children and its own failed, each with the path from here."""

    def note_stop_failure(self, what: str) -> None:
        """Note how its stop failed."""
        self.stop_failures = (*self.stop_failures, f"{self.spec.name}: {what}")

    @property
    def raised_at(self) -> str:
        """`file:line in function` of a user's code in the newest failure; empty if there is none."""
        return where_of(self.fault)

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        return max(0, self.attempts - 1)

    @property
    def plan(self) -> SupervisorSettings | None:
        """Its plan of children, if it is a supervisor."""
        kind = self.spec.actor
        return kind.plan(self.spec.settings) if issubclass(kind, PlansChildren) else None

    def stop(self) -> Stop:
        """Return the control message that stops it; a child that must not be restarted drops its queued messages."""
        return Stop(afresh=not self.given_up and self.spec.restart != "temporary")

    def set_timer(self, timer: Deadline | None) -> None:
        """Replace its deadline; None: it has none."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = timer


def shutdown_budget_s(spec: ChildSpec, default_s: float) -> float:
    """Return the seconds a child may take to stop: a supervisor as long as all its children, one after another."""
    if spec.shutdown_s is not None:
        return spec.shutdown_s
    plan = Child(spec).plan
    if plan is None:
        return default_s
    return default_s + stop_bound_s(plan.children, plan.shutdown_s)


def stop_bound_s(children: Iterable[ChildSpec], default_s: float) -> float:
    """Return the seconds after which all of these have ended, one after another, though each had to be killed."""
    return sum(shutdown_budget_s(each, default_s) + KILL_S for each in children)
