"""The children of one supervisor: how they come up, come back, and go down.

It knows no actor system: a `Stage` acts for it, and what the children report is told to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, Protocol

from ...domain.time import SECOND_NS
from ...messages.system import Ping
from ..runtime import lifecycle
from .ascent import Ascent
from .ascents import Ascents
from .child import KILL_S, Child, shutdown_budget_s
from .errors import ProbeOverranError, StartOverranError
from .policy import Decision, GiveUp, KeepDown, Leave, Park, Restart, RestartPolicy, restart_helps
from .protocol import StatisticsByPath, StopChildren

if TYPE_CHECKING:
    from ..runtime import ActorAddress
    from .child_spec import ChildSpec
    from .deadline import Deadline
    from .report import Phase, Reporter
    from .restart_budget import RestartBudget
    from .settings import SupervisorSettings

PARKED_S: Final = 86_400.0
"""When whoever asks a parked child may ask again: it does not come back by itself."""


class Stage(Protocol):
    """What a troupe cannot do itself: the supervisor's actor, or a fake in a test."""

    def monotonic_ns(self) -> int:
        """Tell the time."""

    def hire(self, spec: ChildSpec) -> ActorAddress:
        """Create the child's actor and tell it to start."""

    def steer(self, child: Child, message: lifecycle.Control) -> None:
        """Tell a child what to do, ahead of its mailbox."""

    def tell(self, child: Child, message: Any) -> None:
        """Put a message into the child's mailbox."""

    def call_after(self, seconds: float, act: Callable[[], None]) -> Deadline:
        """Call `act` after that time, unless the deadline is cancelled before."""

    def call_after_rest(self, seconds: float, act: Callable[[], None]) -> Deadline:
        """Call `act` when a back-off or an open breaker of so long is over; as `call_after`."""

    def troupe_is_up(self) -> None:
        """Hear that all children were started; one whose breaker is open may be down."""

    def troupe_is_down(self) -> None:
        """Hear that no child is left after `Troupe.fall`."""

    def child_parked(self, child: Child) -> None:
        """Hear that this one stays down for good."""

    def give_up(self, child: Child, reason: str, error: BaseException | None) -> None:
        """Hear that this failure was one too many."""


class Troupe:
    """Brings children up in order and down in reverse, and restarts them as the policy decides.

    Whatever comes up is an `Ascent`: the start of all, a restart, a group that follows a failed child. Ascents that
    touch each other are joined, so a child belongs to one at most.
    """

    def __init__(
        self,
        settings: SupervisorSettings,
        stage: Stage,
        report: Reporter,
        budget: RestartBudget,
        *,
        jitter: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._stage = stage
        self._report = report
        self._policy = RestartPolicy(settings, budget, jitter=jitter)
        self._children = {spec.name: Child(spec) for spec in settings.children}
        self._ascents = Ascents(self._children)
        self.is_falling = False
        self.is_down = False

    def __iter__(self) -> Iterator[Child]:
        """All children, in start order."""
        return iter(self._children.values())

    def __getitem__(self, name: str) -> Child:
        return self._children[name]

    def find(self, name: str, address: ActorAddress) -> Child | None:
        """Find the child that speaks; None for one that was replaced or abandoned."""
        child = self._children.get(name)
        return child if child is not None and child.address == address else None

    def breaker(self, child: Child) -> str:
        """State of its breaker."""
        return self._policy.breaker(child.spec.name)

    def adopt(self, name: str, address: ActorAddress) -> None:
        """Take over a child that a supervisor before this one has left running; it can only be stopped."""
        child = self._children[name]
        child.address = address
        child.state = "RUNNING"

    # Coming up.

    def rise(self) -> None:
        """Start all children, one after another; those too that ended before, as a supervisor before this one asked."""
        for child in self:
            child.left = False
            child.parked = ""
        self._climb(self._ascents.open())

    def started(self, child: Child) -> None:
        """Hear that a child runs."""
        if self.is_falling or child.state not in {"STARTING", "RESTARTING"}:
            return
        child.state = "RUNNING"
        child.is_coming = False
        child.set_timer(None)
        self._policy.started(child.spec.name, self._stage.monotonic_ns())
        self._report.started(child)
        ascent = child.ascent
        if ascent is not None and ascent.names[:1] == [child.spec.name]:
            ascent.names.pop(0)
            self._climb(ascent)

    def answered(self, name: str) -> None:
        """Hear that a child handled a Ping."""
        child = self._children.get(name)
        if child is None or child.ascent is None or name not in child.ascent.probes:
            return
        ascent = child.ascent
        ascent.probes.discard(name)
        self._policy.succeeded(name)
        self._report.breaker_closed(child)
        if not ascent.names and not ascent.probes:
            self._arrive(ascent)

    def _climb(self, ascent: Ascent) -> None:
        if ascent.names:
            first = self._children[ascent.names[0]]
            wait_ns = ascent.not_before_ns - self._stage.monotonic_ns()
            if first.is_coming:
                return
            if wait_ns > 0:
                ascent.set_timer(self._stage.call_after_rest(wait_ns / SECOND_NS, lambda: self._rested(ascent)))
            else:
                self._bring_up(first)
        elif ascent.probes:
            for name in sorted(ascent.probes):
                self._stage.tell(self._children[name], Ping())
            ascent.set_timer(self._stage.call_after(self._settings.probe_s, lambda: self._probe_overran(ascent)))
        else:
            self._arrive(ascent)

    def _rested(self, ascent: Ascent) -> None:
        ascent.not_before_ns = 0
        self._climb(ascent)

    def _bring_up(self, child: Child) -> None:
        child.attempts += 1
        child.is_coming = True
        if child.plan is None:  # a supervisor takes as long as its children do, and gives up by itself
            child.set_timer(self._stage.call_after(self._settings.start_s, lambda: self._start_overran(child)))
        if child.address is None:
            child.state = "STARTING"
            child.address = self._stage.hire(child.spec)
        else:
            child.state = "RESTARTING"
            self._stage.steer(child, lifecycle.Restart())

    def _arrive(self, ascent: Ascent) -> None:
        if self._ascents.end(ascent):
            self._stage.troupe_is_up()

    # Resizing.

    def add(self, spec: ChildSpec) -> None:
        """Bring up one child more, started last and stopped first."""
        self._policy.add(spec)
        self._children[spec.name] = child = Child(spec)
        if not self.is_falling:
            self._climb(self._ascents.join([child]))

    def remove(self, child: Child) -> None:
        """Stop a child in order, after what it has in its mailbox, and forget it."""
        child.is_removed = True
        child.set_timer(None)
        self._leave(child)
        if child.address is None:
            self._forget(child)

    def _forget(self, child: Child) -> None:
        del self._children[child.spec.name]
        self._policy.remove(child.spec.name)

    # Failing, and coming back.

    def failed(self, child: Child, phase: Phase, error: BaseException, *, got_past: bool | None = None) -> None:
        """Hear that a child's start or handler raised; it is suspended."""
        self._report.failed(child, phase, error)
        if child.state == "STOPPING":
            # Its failure crossed the first Stop, or it could not be started afresh for what was still queued.
            self._stage.steer(child, child.stop())
            return
        if self.is_falling or child.state in {"UNAVAILABLE", "PARKED"}:
            return
        child.is_coming = False
        child.set_timer(None)
        decision = self._policy.failed(child.spec.name, self._stage.monotonic_ns(), error, got_past=got_past)
        self._act(child, decision, error)

    def ended(self, child: Child, *, error: BaseException | None, requested: bool) -> None:
        """Hear that a child is gone, on request or not."""
        expected = child.state == "STOPPING" or requested
        child.set_timer(None)
        child.is_coming = False
        child.address = None
        if error is not None or (not expected and child.spec.restart == "permanent"):
            self._report.failed(child, "stop" if expected else "exit", error)
        self._report.terminated(child)
        child.state = "STOPPED"
        if child.is_removed:
            self._forget(child)
        if self.is_falling:
            self._stop_next()
        elif expected:
            self._leave(child)
        else:
            self._act(child, self._policy.ended(child.spec.name, self._stage.monotonic_ns(), error), error)

    def _act(self, child: Child, decision: Decision, error: BaseException | None) -> None:
        match decision:
            case Leave():
                self._leave(child)
            case Restart():
                self._restart(child, decision)
            case KeepDown():
                self._keep_down(child, decision)
            case Park() if restart_helps(error) or not self._ascents.is_opening(child.ascent):
                self._park(child, decision.reason)
            case GiveUp() | Park():  # what no restart can mend at the start of all is to be mended before it
                child.given_up = True
                self._stage.give_up(child, decision.reason, error)

    def _restart(self, failed: Child, restart: Restart) -> None:
        """Bring the group up again; a sibling that is down for its own reasons waits for its own next try."""
        group = [child for child in self._those_that_restart(restart.children) if self._joins(child, failed, restart)]
        for child in reversed(group):
            self._suspend(child)
        failed.state = "RESTARTING"
        not_before_ns = self._stage.monotonic_ns() + round(restart.wait_s * SECOND_NS)
        probes = {child.spec.name for child in group}.intersection(restart.probes)
        ascent = self._ascents.join(group, probes=probes, not_before_ns=not_before_ns)
        self._climb(ascent)

    def _keep_down(self, failed: Child, decision: KeepDown) -> None:
        """Keep the group down; what else was coming up with it goes on without it."""
        group = self._those_that_restart(decision.children)
        ascent = self._ascents.join(group)
        for child in reversed(group):
            child.set_timer(None)
            child.is_coming = False
            child.state = "UNAVAILABLE"
            if child.address is not None:
                self._stage.steer(child, lifecycle.Reject(retry_after_s=decision.retry_after_s))
        failed.set_timer(self._stage.call_after_rest(decision.retry_after_s, lambda: self._try_again(failed)))
        self._report.breaker_opened(failed, openings=decision.openings, retry_after_s=decision.retry_after_s)
        self._climb(self._ascents.drop(ascent, decision.children))

    def _park(self, child: Child, reason: str) -> None:
        """Keep it down for good; whatever was coming up with it goes on without it."""
        child.set_timer(None)
        child.is_coming = False
        child.parked = reason
        child.state = "PARKED"
        if child.address is not None:
            self._stage.steer(
                child, lifecycle.Reject(retry_after_s=PARKED_S, reason=f"parked: {reason}", for_good=True)
            )
        self._report.parked(child)
        self._stage.child_parked(child)
        ascent = self._ascents.join([child])
        self._climb(self._ascents.drop(ascent, (child.spec.name,)))

    def _try_again(self, child: Child) -> None:
        self._act(child, self._policy.try_again(child.spec.name, self._stage.monotonic_ns()), None)

    def _start_overran(self, child: Child) -> None:
        wanted = f"{child.spec.name} did not start within {self._settings.start_s:g} s"
        self.failed(child, "start", StartOverranError(wanted))

    def _probe_overran(self, ascent: Ascent) -> None:
        for name in sorted(ascent.probes):
            child = self._children[name]
            if child.ascent is ascent:
                wanted = f"{name} did not answer a Ping within {self._settings.probe_s:g} s"
                self.failed(child, "handle", ProbeOverranError(wanted))

    def _those_that_restart(self, names: Iterable[str]) -> list[Child]:
        """Choose the children of a group that are still there; a temporary one is stopped instead."""
        group = [child for child in map(self._children.__getitem__, names) if not (child.left or child.parked)]
        for child in group:
            if child.spec.restart == "temporary":
                self._leave(child)
        return [child for child in group if not child.left]

    @staticmethod
    def _joins(child: Child, failed: Child, restart: Restart) -> bool:
        """Tell whether a child of the group is restarted now: always with a next try, else unless it is down itself."""
        return bool(restart.probes) or child is failed or child.state != "UNAVAILABLE"

    def _suspend(self, child: Child) -> None:
        """Keep a sibling of a failed child from handling anything until it is restarted."""
        if child.state == "RUNNING" and child.address is not None:
            self._stage.steer(child, lifecycle.Suspend())
            child.state = "RESTARTING"

    def _leave(self, child: Child) -> None:
        """Let a child go for good."""
        child.left = True
        if child.ascent is not None:
            self._climb(self._ascents.drop(child.ascent, (child.spec.name,)))
        if child.address is not None:
            self._stop(child)

    # Going down.

    def fall(self) -> None:
        """Stop all children, the last started first; `troupe_is_down` tells the end."""
        if self.is_falling:
            return
        self.is_falling = True
        for child in self:
            if child.ascent is not None:
                self._ascents.end(child.ascent)
            if child.state != "STOPPING":
                child.set_timer(None)
        self._stop_next()

    def below_stopped(self, child: Child, statistics: StatisticsByPath) -> None:
        """Hear that a supervisor's own children are gone."""
        child.below = statistics
        if child.state == "STOPPING":
            self._stage.steer(child, lifecycle.Stop())

    def _stop_next(self) -> None:
        for child in reversed(self._children.values()):
            if child.address is not None:
                self._stop(child)
                return
        if not self.is_down:
            self.is_down = True
            self._stage.troupe_is_down()

    def _stop(self, child: Child) -> None:
        if child.state == "STOPPING":
            return
        listens = child.state in {"STARTING", "RUNNING"} and not child.given_up  # that one has failed: it is suspended
        child.state = "STOPPING"
        within_s = shutdown_budget_s(child.spec, self._settings.shutdown_s)
        child.set_timer(self._stage.call_after(within_s, lambda: self._stop_overran(child, within_s)))
        if listens and child.plan is not None:
            self._stage.tell(child, StopChildren())
        else:
            self._stage.steer(child, child.stop())

    def _stop_overran(self, child: Child, within_s: float) -> None:
        self._report.killed(child, within_s)
        self._stage.steer(child, lifecycle.Kill())
        child.set_timer(self._stage.call_after(KILL_S, lambda: self._kill_overran(child)))

    def _kill_overran(self, child: Child) -> None:
        self._report.abandoned(child)
        self.ended(child, error=None, requested=True)
