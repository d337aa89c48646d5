"""What a supervisor knows about one child now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..runtime.lifecycle import Stop
from .protocol import StatisticsByPath

if TYPE_CHECKING:
    from ...messages.supervision import ActorState
    from ...messages.system import Statistics
    from ..runtime import ActorAddress
    from .ascent import Ascent
    from .child_spec import ChildSpec
    from .deadline import Deadline
    from .settings import SupervisorSettings

KILL_S: Final = 1.0
"""A child that is killed gets this long to be gone; then its supervisor goes on without it."""


class Child:
    """One child: its address, its state, what happened to it."""

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.address: ActorAddress | None = None
        """None: no actor is there."""

        self.state: ActorState = "STOPPED"

        self.left = False
        """It is gone and stays gone, by its restart type: no restart of a group brings it back."""

        self.is_removed = False
        """It is to be forgotten as soon as it is gone."""

        self.given_up = False
        """It has failed more often than the policy allows."""

        self.parked = ""
        """Why it stays down for good while the others go on; empty: it does not."""

        self.is_coming = False
        """It was told to start, and has not said how that went."""

        self.ascent: Ascent | None = None
        self.timer: Deadline | None = None
        """The one deadline there can be: of its start, of its breaker, or of its stop."""

        self.attempts = 0
        """To bring it up; all but the first are restarts."""

        self.last_error = ""
        self.fault: BaseException | None = None
        """What it failed with last."""

        self.raised_at = ""
        self.last_traceback = ""
        self.statistics: Statistics | None = None
        self.below: StatisticsByPath = ()
        """Final statistics of its own children, if it is a supervisor."""

    @property
    def restarts(self) -> int:
        """How often it was started again."""
        return max(0, self.attempts - 1)

    @property
    def plan(self) -> SupervisorSettings | None:
        """Its own children, if it is a supervisor."""
        plan = getattr(self.spec.actor, "plan", None)
        return None if plan is None else plan(self.spec.settings)

    def stop(self) -> Stop:
        """Make the order to stop: one that may not be restarted is not, even for what is queued."""
        return Stop(afresh=not self.given_up and self.spec.restart != "temporary")

    def set_timer(self, timer: Deadline | None) -> None:
        """Replace its deadline; None: it has none."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = timer


def shutdown_budget_s(spec: ChildSpec, default_s: float) -> float:
    """Seconds a child may take to stop: a supervisor as long as all its children, one after another."""
    if spec.shutdown_s is not None:
        return spec.shutdown_s
    plan = Child(spec).plan
    if plan is None:
        return default_s
    return default_s + sum(shutdown_budget_s(each, plan.shutdown_s) + KILL_S for each in plan.children)
