"""The children of one supervisor: starting, restarting, parking and stopping them, in order.

The problem: children start one after another, each may fail at any moment (also while others start, restart or stop),
and with `one_for_all` or `rest_for_one` a failure takes siblings along. The idea: whatever is being started is a
`StartGroup`, an ordered list; when a failure concerns a member of a group, groups are joined or children dropped from
them, and starting goes on with the first that is left. The trap: two groups must never share a child, or it is started
twice; and a report may cross a command (a child fails while it is being stopped), so each report is judged by the
child's state.

It knows no actor system: `SupervisorActions` act for it, and the supervisor calls it with what the children report.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, Protocol

from ...domain.time import SECOND_NS
from ...messages.system import Ping
from ..runtime import fails_start, lifecycle
from .child import KILL_S, Child, shutdown_budget_s
from .errors import ProbeOverranError, StartOverranError
from .policy import Decision, GiveUp, KeepDown, Leave, Park, Restart, RestartPolicy
from .protocol import StopChildren
from .start_group import StartGroup
from .start_groups import StartGroups

if TYPE_CHECKING:
    from ..runtime import ActorAddress
    from .child_spec import ChildSpec
    from .deadline import Deadline
    from .protocol import ChildrenStopped
    from .report import Phase, Reporter
    from .restart_budget import RestartBudget
    from .settings import SupervisorSettings

PARKED_S: Final = 86_400.0
"""`retry_after_s` of requests to a parked child: a day, since it does not restart by itself."""


class SupervisorActions(Protocol):
    """What `Children` needs of its supervisor: the actor, or a fake in a test."""

    def monotonic_ns(self) -> int:
        """Return the monotonic time in nanoseconds."""

    def create_child(self, spec: ChildSpec) -> ActorAddress:
        """Create the child's actor and tell it to start."""

    def control_child(self, child: Child, message: lifecycle.Control) -> None:
        """Send a control message, ahead of the child's mailbox."""

    def send_to_child(self, child: Child, message: Any) -> None:
        """Put a message into the child's mailbox."""

    def call_after(self, seconds: float, act: Callable[[], None]) -> Deadline:
        """Call `act` after so many seconds, unless the deadline is cancelled before."""

    def call_after_backoff(self, seconds: float, act: Callable[[], None]) -> Deadline:
        """As `call_after`, for a back-off or an open breaker: in a simulated market its seconds differ."""

    def children_are_up(self) -> None:
        """Called when all children were started once; one whose breaker is open may be down."""

    def children_are_down(self) -> None:
        """Called when no child runs any more, after `Children.stop_all`."""

    def takes_back(self, child: Child, error: BaseException | None) -> bool:
        """Called when a child has failed, or has ended and was not to; it says whether it has removed the child.

        None: it has ended by itself without an error.
        """

    def child_removed(self, child: Child) -> None:
        """Called when a child that was removed has ended, and its name is free."""

    def child_parked(self, child: Child) -> None:
        """Called when a child was parked."""

    def give_up(self, child: Child, reason: str) -> None:
        """Called when a child has exceeded a limit, with the reason; its last failure is `Child.fault`."""


class Children:
    """Starts children in order and stops them in reverse, and restarts them as the policy decides.

    Args:
        settings: of the supervisor.
        supervisor: acts for it.
        report: logs and journals.
        budget: of restarts; it outlives this object.
        jitter: returns a random number from 0 to below 1, for the back-off.
    """

    def __init__(
        self,
        settings: SupervisorSettings,
        supervisor: SupervisorActions,
        report: Reporter,
        budget: RestartBudget,
        *,
        jitter: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._supervisor = supervisor
        self._report = report
        self._policy = RestartPolicy(settings, budget, jitter=jitter)
        self._children = {spec.name: Child(spec) for spec in settings.children}
        self._start_groups = StartGroups(self._children)
        self.is_stopping = False
        self.is_down = False

    def __iter__(self) -> Iterator[Child]:
        """Iterate over all children, in start order."""
        return iter(self._children.values())

    def __getitem__(self, name: str) -> Child:
        return self._children[name]

    def find(self, name: str, address: ActorAddress) -> Child | None:
        """Return the child of this name and address; None if it was replaced or abandoned."""
        child = self._children.get(name)
        return child if child is not None and child.address == address else None

    def breaker(self, child: Child) -> str:
        """Return the state of its breaker."""
        return self._policy.breaker(child.spec.name)

    def adopt(self, name: str, address: ActorAddress) -> None:
        """Take over a child that the failed instance of the supervisor left running; it can only be stopped."""
        child = self._children[name]
        child.address = address
        child.state = "RUNNING"

    # Starting.

    def start_all(self) -> None:
        """Start all children, one after another; also those that had ended or were parked before."""
        for child in self:
            child.is_gone = False
            child.parked = ""
        self._start_next(self._start_groups.open())

    def started(self, child: Child) -> None:
        """Take the report that a child has started."""
        if self.is_stopping or child.state not in {"STARTING", "RESTARTING"}:
            return
        child.state = "RUNNING"
        child.is_starting = False
        child.set_timer(None)
        self._policy.started(child.spec.name, self._supervisor.monotonic_ns())
        self._report.started(child)
        start_group = child.start_group
        if start_group is None:
            return
        if start_group.names[:1] == [child.spec.name]:
            start_group.names.pop(0)
            self._start_next(start_group)
        elif self._settings.strategy == "one_for_one":
            start_group.names.remove(child.spec.name)  # up before its turn, while another restarted: no reason to

    def answered(self, child: Child) -> None:
        """Take the report that a child answered a Ping."""
        name, start_group = child.spec.name, child.start_group
        if start_group is None or name not in start_group.probes:
            return
        start_group.probes.discard(name)
        self._policy.succeeded(name)
        self._report.breaker_closed(child)
        if not start_group.names and not start_group.probes:
            self._group_is_up(start_group)

    def _start_next(self, start_group: StartGroup) -> None:
        if start_group.names:
            first = self._children[start_group.names[0]]
            wait_ns = start_group.not_before_ns - self._supervisor.monotonic_ns()
            if first.is_starting:
                return
            if wait_ns > 0:
                start_group.set_timer(
                    self._supervisor.call_after_backoff(wait_ns / SECOND_NS, lambda: self._waited(start_group))
                )
            else:
                self._start(first)
        elif start_group.probes:
            for name in sorted(start_group.probes):
                self._supervisor.send_to_child(self._children[name], Ping())
            start_group.set_timer(
                self._supervisor.call_after(self._settings.probe_s, lambda: self._probe_overran(start_group))
            )
        else:
            self._group_is_up(start_group)

    def _waited(self, start_group: StartGroup) -> None:
        start_group.not_before_ns = 0
        self._start_next(start_group)

    def _start(self, child: Child) -> None:
        child.attempts += 1
        child.is_starting = True
        if child.plan is None:  # a supervisor takes as long as its children do, and gives up by itself
            within_s = child.spec.start_s or self._settings.start_s
            child.set_timer(self._supervisor.call_after(within_s, lambda: self._start_overran(child, within_s)))
        if child.address is None:
            child.state = "STARTING"
            child.address = self._supervisor.create_child(child.spec)
        else:
            child.state = "RESTARTING"
            self._supervisor.control_child(child, lifecycle.Restart())

    def _group_is_up(self, start_group: StartGroup) -> None:
        if self._start_groups.end(start_group):
            self._supervisor.children_are_up()

    # Resizing.

    def add(self, spec: ChildSpec) -> None:
        """Add a child, started last and stopped first."""
        self._policy.add(spec)
        self._children[spec.name] = child = Child(spec)
        if not self.is_stopping:
            self._start_next(self._start_groups.join([child]))

    def remove(self, child: Child) -> None:
        """Stop a child after it has handled its mailbox, and forget it."""
        child.is_removed = True
        if child.state != "STOPPING":
            child.set_timer(None)
        self._leave(child)
        if child.address is None:
            self._forget(child)

    def _forget(self, child: Child) -> None:
        del self._children[child.spec.name]
        self._policy.remove(child.spec.name)

    # Failing, and restarting.

    def failed(self, child: Child, phase: Phase, error: BaseException, *, got_past: bool | None = None) -> None:
        """Take the report that a child's start or handler raised; the child is suspended."""
        if child.state != "STOPPING" and not self.is_stopping and self._supervisor.takes_back(child, error):
            return
        self._report.failed(child, phase, error)
        if child.state == "STOPPING":
            # Its failure crossed the first Stop, or it could not be started afresh for what was still queued.
            self._supervisor.control_child(child, child.stop())
            return
        if self.is_stopping:
            child.state = "RESTARTING"  # suspended as it is, it obeys a Stop, and reads no mail
            return
        if child.state in {"UNAVAILABLE", "PARKED"}:
            return
        child.is_starting = False
        child.set_timer(None)
        decision = self._policy.failed(child.spec.name, self._supervisor.monotonic_ns(), error, got_past=got_past)
        self._act(child, decision, error)

    def ended(self, child: Child, *, error: BaseException | None, requested: bool) -> None:
        """Take the report that a child has ended, on request or not."""
        is_tried_again, was_stopping = self._is_tried_again(child), child.state == "STOPPING"
        child.state = "STOPPING"  # nothing is sent to it any more
        is_taken_back = not (was_stopping or self.is_stopping) and self._supervisor.takes_back(child, error)
        expected = was_stopping or requested or is_taken_back
        child.set_timer(None)
        child.is_starting = False
        child.address = None
        if not is_taken_back and (error is not None or (not expected and child.spec.restart == "permanent")):
            self._report.failed(child, "stop" if expected else "exit", error)
        self._report.terminated(child)
        child.state = "STOPPED"
        if child.is_removed:
            self._forget(child)
        if self.is_stopping:
            self._stop_next()
        elif expected:
            self._leave(child)
        else:
            self._act(child, self._policy.ended(child.spec.name, self._supervisor.monotonic_ns(), error), error)
        if child.is_removed:
            self._supervisor.child_removed(child)
        elif is_tried_again and (child.is_gone or child.parked):
            self._try_others_again(child)

    def _act(self, child: Child, decision: Decision, error: BaseException | None) -> None:
        match decision:
            case Leave():
                self._leave(child)
            case Restart():
                self._restart(child, decision)
            case KeepDown():
                self._keep_down(child, decision)
            case Park() if not (fails_start(error) and self._start_groups.is_opening(child.start_group)):
                self._park(child, decision.reason)
            case GiveUp() | Park():
                child.given_up = True
                self._supervisor.give_up(child, decision.reason)

    def _restart(self, failed: Child, restart: Restart) -> None:
        """Restart the group; a sibling whose own breaker is open stays down until that is tried again."""
        group = [child for child in self._those_that_restart(restart.children) if self._joins(child, restart)]
        for child in reversed(group):
            self._suspend(child)
        failed.state = "RESTARTING"
        not_before_ns = self._supervisor.monotonic_ns() + round(restart.wait_s * SECOND_NS)
        probes = {child.spec.name for child in group}.intersection(restart.probes)
        start_group = self._start_groups.join(group, probes=probes, not_before_ns=not_before_ns)
        self._start_next(start_group)

    def _keep_down(self, failed: Child, decision: KeepDown) -> None:
        """Keep the group down; others that were being started with it go on without it."""
        group = self._those_that_restart(decision.children)
        start_group = self._start_groups.join(group)
        for child in reversed(group):
            child.set_timer(None)
            child.is_starting = False
            child.state = "UNAVAILABLE"
            if child.address is not None:
                self._supervisor.control_child(child, lifecycle.Reject(retry_after_s=decision.retry_after_s))
        failed.set_timer(self._supervisor.call_after_backoff(decision.retry_after_s, lambda: self._try_again(failed)))
        self._report.breaker_opened(failed, openings=decision.openings, retry_after_s=decision.retry_after_s)
        self._start_next(self._start_groups.drop(start_group, decision.children))

    def _park(self, child: Child, reason: str) -> None:
        """Keep it down for good; others that were being started or kept down with it go on without it."""
        is_tried_again = self._is_tried_again(child)
        child.set_timer(None)
        child.is_starting = False
        child.parked = reason
        child.state = "PARKED"
        if child.address is not None:
            self._supervisor.control_child(
                child, lifecycle.Reject(retry_after_s=PARKED_S, reason=f"parked: {reason}", for_good=True)
            )
        self._report.parked(child)
        self._supervisor.child_parked(child)
        start_group = self._start_groups.join([child])
        self._start_next(self._start_groups.drop(start_group, (child.spec.name,)))
        if is_tried_again:
            self._try_others_again(child)

    def _try_again(self, child: Child) -> None:
        self._act(child, self._policy.try_again(child.spec.name, self._supervisor.monotonic_ns()), None)

    @staticmethod
    def _is_tried_again(child: Child) -> bool:
        """Tell whether it is the one of a group kept down whose deadline the others wait for."""
        return child.state == "UNAVAILABLE" and child.timer is not None

    def _try_others_again(self, left: Child) -> None:
        """Try those again that were kept down with a child which has ended for good, or is parked."""
        names = self._policy.group_of(left.spec.name)
        if first := next((name for name in names if self._children[name].state == "UNAVAILABLE"), None):
            self._try_again(self._children[first])

    def _start_overran(self, child: Child, within_s: float) -> None:
        wanted = f"{child.spec.name} did not start within {within_s:g} s"
        self.failed(child, "start", StartOverranError(wanted))

    def _probe_overran(self, start_group: StartGroup) -> None:
        for name in sorted(start_group.probes):
            child = self._children[name]
            if child.start_group is start_group:
                wanted = f"{name} did not answer a Ping within {self._settings.probe_s:g} s"
                self.failed(child, "handle", ProbeOverranError(wanted))

    def _those_that_restart(self, names: Iterable[str]) -> list[Child]:
        """Return the children of a group that restart; a temporary one is stopped instead."""
        group = [child for child in map(self._children.__getitem__, names) if not child.parked]
        for child in group:
            if child.spec.restart == "temporary":
                self._leave(child)
        return [child for child in group if not child.is_gone]

    @staticmethod
    def _joins(child: Child, restart: Restart) -> bool:
        """Tell whether a child of the group is restarted now: in a trial always, else unless it is kept down."""
        return restart.is_trial or child.state != "UNAVAILABLE"

    def _suspend(self, child: Child) -> None:
        """Keep a sibling of a failed child from handling anything until it is restarted."""
        if child.state == "RUNNING":
            self._supervisor.control_child(child, lifecycle.Suspend())
            child.state = "RESTARTING"

    def _leave(self, child: Child) -> None:
        """Let a child end for good."""
        child.is_gone = True
        if child.start_group is not None:
            self._start_next(self._start_groups.drop(child.start_group, (child.spec.name,)))
        if child.address is not None:
            self._stop(child)

    # Stopping.

    def stop_all(self) -> None:
        """Stop all children, the last started first; `children_are_down` is called at the end."""
        if self.is_stopping:
            return
        self.is_stopping = True
        for child in self:
            if child.start_group is not None:
                self._start_groups.end(child.start_group)
            if child.state != "STOPPING":
                child.set_timer(None)
        self._stop_next()

    def below_stopped(self, child: Child, stopped: ChildrenStopped) -> None:
        """Take the report that a child supervisor's own children have ended."""
        child.below, child.stop_failures = stopped.statistics, stopped.failures
        if child.state == "STOPPING":
            self._supervisor.control_child(child, lifecycle.Stop())

    def _stop_next(self) -> None:
        for child in reversed(self._children.values()):
            if child.address is not None:
                self._stop(child)
                return
        if not self.is_down:
            self.is_down = True
            self._supervisor.children_are_down()

    def _stop(self, child: Child) -> None:
        if child.state == "STOPPING":
            return
        listens = child.state in {"STARTING", "RUNNING"} and not child.given_up  # one that was given up is suspended
        child.state = "STOPPING"
        within_s = shutdown_budget_s(child.spec, self._settings.shutdown_s)
        child.set_timer(self._supervisor.call_after(within_s, lambda: self._stop_overran(child, within_s)))
        if listens and child.plan is not None:
            self._supervisor.send_to_child(child, StopChildren())
        else:
            self._supervisor.control_child(child, child.stop())

    def _stop_overran(self, child: Child, within_s: float) -> None:
        if child.spec.leaves_calls:
            self._report.left_calls(child, within_s)
        else:
            child.killed_after_s = within_s
            self._report.killed(child, within_s)
        self._supervisor.control_child(child, lifecycle.Kill())
        child.set_timer(self._supervisor.call_after(KILL_S, lambda: self._kill_overran(child)))

    def _kill_overran(self, child: Child) -> None:
        self._report.abandoned(child)
        child.note_stop_failure("it did not end when it was killed")
        self.ended(child, error=None, requested=True)
