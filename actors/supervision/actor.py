"""The supervisor: starts children in order, restarts them in place when they fail, stops them in reverse.

Owns    its children: whether they run, and since when; nothing of the outside world.
Hears   the reports of its children (`runtime/lifecycle.py`), Pong of those it probes, SupervisionTree of those that are
        supervisors; DescribeTree, StopChildren and AwaitSystemStop from anyone; Appended, AppendRefused, Failed and
        Unavailable as the journal's answers to its facts.
Sends   control messages to its children; every failure, restart, breaker opening and escalation as a fact to the
        journal; SupervisionTree, ChildrenStopped and SystemStopped to their requesters; ReadHoldings to orders for a
        parked child, where the settings say so, and CancelOrders, where its spec does.
Fails   when it gives up on a child, after it has stopped all others; its own supervisor then restarts the whole group.
        The root has no supervisor: it answers AwaitSystemStop, with exit code 70.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from ...domain.time import SECOND_NS
from ...messages.journal import Append, Appended, AppendRefused
from ...messages.supervision import (
    DescribeTree,
    Failed,
    SupervisionFact,
    SupervisionTree,
    SupervisorStatistics,
    Unavailable,
)
from ...messages.system import Pong
from ..runtime import RuntimeActor, handles, lifecycle, reason_of, where_of
from ..runtime.workers import in_process
from .child import Child
from .child_spec import PlansChildren
from .children import Children
from .deadline import Deadline
from .errors import GaveUpError
from .handover import GivenUp, Handover
from .parking import ParkedOrders
from .protocol import (
    EXIT_GAVE_UP,
    AwaitSystemStop,
    ChildrenStopped,
    StatisticsByPath,
    StopChildren,
    SystemStopped,
)
from .report import Reporter
from .restart_budget import RestartBudget
from .settings import SupervisorSettings
from .tree import Inquiry, branch, status

if TYPE_CHECKING:
    from ..runtime import ActorAddress
    from .child_spec import ChildSpec


def _why_parked(child: Child) -> str:
    at = f" at {child.raised_at}" if child.raised_at else ""
    return f"{child.spec.name}: {child.last_error}{at} ({child.parked})"


TREE_WAIT_S = 1.0
"""How long a supervisor below may take to describe its branch; later it is shown without its children."""


class Begin(msgspec.Struct, frozen=True):
    """To itself, after `on_start` and `restore`: start the children."""


class DeadlineCame(msgspec.Struct, frozen=True):
    """To itself: a deadline has come. `owner` is the instance that set it; one of an earlier instance is ignored."""

    deadline: Deadline
    owner: Supervisor


class BackoffOver(msgspec.Struct, frozen=True):
    """To itself, in a simulated market: the real time of a back-off or an open breaker is over."""

    deadline: Deadline
    owner: Supervisor


class Supervisor(PlansChildren, RuntimeActor):
    """Supervises the children in `SupervisorSettings`; a subclass may derive those from its own settings in `plan`."""

    ready_when_told: ClassVar[bool] = True  # it has started when all its children have
    system_time: ClassVar[bool] = True  # it bounds how long starts and stops may take

    settings: Any

    @classmethod
    def plan(cls, settings: Any) -> SupervisorSettings:
        """Derive the children and the policy from `settings`.

        Raises:
            TypeError: they are no `SupervisorSettings`.
        """
        if not isinstance(settings, SupervisorSettings):
            wanted = "SupervisorSettings(children=(ChildSpec(…), …), policy=SupervisionSettings(…)) wanted"
            raise TypeError(f"{wanted}, found {type(settings).__name__}: {settings!r:.200}")
        return settings

    def on_start(self) -> None:
        """Prepare; the children are started later, after `restore` has said whether some still run."""
        self._plan = self._plan_now()
        self._market_speed = self._plan.market_speed if self.market_rules else None
        self._report = Reporter(
            self.name, log=self.log, log_bounded=self.log_bounded, journal=self._journal, now_ns=self.fact_clock.now_ns
        )
        policy = self._plan.policy
        self._budget = RestartBudget(restarts_max=policy.restarts_max, window_ns=round(policy.window_s * SECOND_NS))
        self._parked_orders = ParkedOrders(self, orders=self._plan.orders)
        self._children = self._new_children()
        self._stopping = False
        self._before: Handover | None = None
        self._given_up: GivenUp | None = None
        self._stop_askers: list[ActorAddress] = []
        self._end_askers: list[ActorAddress] = []
        self._inquiry: Inquiry | None = None
        self.after(0.0, Begin())

    def snapshot(self) -> Handover:
        """Remember the children that run, and how many restarts are spent."""
        running = tuple((child.spec.name, child.address) for child in self._children if child.address is not None)
        return Handover(running=running, budget=self._budget, given_up=self._given_up)

    def restore(self, state: Handover) -> None:
        """Take the running children over, to stop them before fresh ones start."""
        self._before = state
        self._budget = state.budget
        self._children = self._new_children()
        for name, address in state.running:
            self._children.adopt(name, address)

    def on_stop(self) -> None:
        """Stop any child that still runs; after an orderly stop there is none."""
        for child in reversed(tuple(self._children)):
            self.control_child(child, lifecycle.Stop())

    def is_drained(self) -> bool:
        """Stop the children first, when this supervisor is told to stop."""
        self._stopping = True
        self._children.stop_all()
        return self._children.is_down

    def statistics(self) -> SupervisorStatistics:
        """Count what happened to its own children since it started."""
        return SupervisorStatistics(
            children=sum(child.address is not None for child in self._children),
            failures=self._report.failures,
            restarts=self._report.restarts,
            escalations=self._report.escalations,
            parked=tuple(_why_parked(child) for child in self._children if child.parked),
        )

    # What children report.

    @handles(Begin)
    def begin(self, _message: Begin, _sender: ActorAddress) -> None:
        """Start the children; those left by the failed instance are stopped first, in order."""
        if any(child.address is not None for child in self._children):
            self._children.stop_all()
        elif not self._children.is_stopping:
            self._start_all()

    @handles(lifecycle.Started, checks_itself=True)
    def child_started(self, report: lifecycle.Started, sender: ActorAddress) -> None:
        """Go on to the next child."""
        if child := self._reporting(report, sender):
            self._children.started(child)

    @handles(lifecycle.StartFailed, checks_itself=True)
    def child_start_failed(self, report: lifecycle.StartFailed, sender: ActorAddress) -> None:
        """Do what the policy decides."""
        if child := self._reporting(report, sender):
            self._children.failed(child, "start", report.error)

    @handles(lifecycle.ChildHandlerFailed, checks_itself=True)
    def child_failed(self, report: lifecycle.ChildHandlerFailed, sender: ActorAddress) -> None:
        """Do what the policy decides."""
        if child := self._reporting(report, sender):
            self._children.failed(child, "handle", report.error, got_past=report.got_past)

    @handles(lifecycle.Stopped, checks_itself=True)
    def child_stopped(self, report: lifecycle.Stopped, sender: ActorAddress) -> None:
        """Stop the next child, or decide about one that ended by itself."""
        if child := self._reporting(report, sender):
            child.statistics = report.statistics
            if report.requested and report.error is not None:
                at = f" at {place}" if (place := where_of(report.error)) else ""
                child.note_stop_failure(f"{type(report.error).__name__}: {reason_of(report.error)}{at}")
            elif child.killed_after_s is not None:
                child.note_stop_failure(f"it was killed, since it had not ended after {child.killed_after_s:g} s")
            self._children.ended(child, error=report.error, requested=report.requested)

    @handles(ChildrenStopped, checks_itself=True)
    def branch_stopped(self, report: ChildrenStopped, sender: ActorAddress) -> None:
        """Keep the statistics of a child supervisor's branch, and stop the child supervisor itself."""
        for child in self._children:
            if child.address == sender:
                self._children.below_stopped(child, report)

    @handles(Pong)
    def child_answered(self, answer: Pong, sender: ActorAddress) -> None:
        """Close the breaker of a child that was tried again; nobody else answers for it."""
        if child := self._children.find(answer.actor, sender):
            self._children.answered(child)

    @handles(DeadlineCame)
    def deadline_came(self, message: DeadlineCame, _sender: ActorAddress) -> None:
        """Act on a deadline of this instance."""
        if message.owner is self:
            message.deadline.come()

    @handles(Appended)
    def fact_journaled(self, _answer: Appended, _sender: ActorAddress) -> None:
        """Do nothing: the fact is durable."""

    @handles(AppendRefused, Failed, Unavailable)
    def request_refused(self, answer: AppendRefused | Failed | Unavailable, _sender: ActorAddress) -> None:
        """Only log: a fact about a refused fact could repeat for ever."""
        self.log("supervision.answer_refused", level="warning", answer=type(answer).__name__, reason=answer.reason)

    def _reporting(self, report: lifecycle.Report, sender: ActorAddress) -> Child | None:
        """Find the child that sent a report; a report about a child is accepted only from that child."""
        return self._children.find(report.name, report.address) if report.address is sender else None

    # What others ask.

    @handles(DescribeTree)
    def describe_tree(self, _request: DescribeTree, sender: ActorAddress) -> None:
        """Ask the supervisors among the children, then answer."""
        if self._inquiry is not None:
            self._inquiry.askers.append(sender)
            return
        branches = [child for child in self._children if child.state == "RUNNING" and child.plan is not None]
        self._inquiry = inquiry = Inquiry(sender, (child.spec.name for child in branches))
        for child in branches:
            self.send_to_child(child, DescribeTree())
        if branches:
            inquiry.deadline = self.call_after(TREE_WAIT_S, self._show_tree)
        else:
            self._show_tree()

    @handles(SupervisionTree)
    def branch_described(self, tree: SupervisionTree, sender: ActorAddress) -> None:
        """Take the answer of a supervisor below."""
        for child in self._children:
            if child.address == sender and self._inquiry is not None:
                self._inquiry.answered(child.spec.name, tree)
                if not self._inquiry.awaited:
                    self._show_tree()

    @handles(StopChildren, from_outside=True)
    def stop_children(self, _request: StopChildren, sender: ActorAddress) -> None:
        """Stop them in reverse order, then answer."""
        self._stopping = True
        self._stop_askers.append(sender)
        self._children.stop_all()
        if self._children.is_down:
            self._answer_the_end()

    @handles(AwaitSystemStop, from_outside=True)
    def await_system_stop(self, _request: AwaitSystemStop, sender: ActorAddress) -> None:
        """Answer when no child is left."""
        self._end_askers.append(sender)
        if self._children.is_down:
            self._answer_the_end()

    # What `Children` asks of it: `SupervisorActions`.

    def monotonic_ns(self) -> int:
        """Return the time that its children live in: of the machine, or of a simulated market."""
        return (self.clock if self._market_speed is None else self.fact_clock).monotonic_ns()

    def create_child(self, spec: ChildSpec) -> ActorAddress:
        """Create a child's actor."""
        if spec.host == "process":
            stand_in, settings = in_process(
                spec.actor, spec.settings, turn_limit_s=spec.turn_limit_s, memory_limit_mb=spec.memory_limit_mb
            )
            return self.start_child(spec.name, stand_in, settings)
        return self.start_child(spec.name, spec.actor, spec.settings)

    def control_child(self, child: Child, message: lifecycle.Control) -> None:
        """Send a control message, ahead of the child's mailbox; nothing if the child is gone."""
        if child.address is not None:
            self.control(child.address, message)

    def send_to_child(self, child: Child, message: Any) -> None:
        """Put a message into a child's mailbox."""
        if child.address is not None:
            self.send(child.address, message)

    def call_after(self, seconds: float, act: Callable[[], None]) -> Deadline:
        """Call `act` later, unless this instance has been replaced by then."""
        deadline = Deadline(act)
        deadline.timer = self.after(seconds, DeadlineCame(deadline, self))
        return deadline

    def call_after_backoff(self, seconds: float, act: Callable[[], None]) -> Deadline:
        """Call `act` after a back-off or an open breaker: in a simulated market at its next moment of quiet."""
        speed = self._market_speed
        if speed is None:
            return self.call_after(seconds, act)
        deadline = Deadline(act)
        if speed:
            deadline.timer = self.after(seconds / speed, BackoffOver(deadline, self))
        else:
            self.backoff_over(BackoffOver(deadline, self), self.myAddress)
        return deadline

    @handles(BackoffOver)
    def backoff_over(self, message: BackoffOver, _sender: ActorAddress) -> None:
        """Go on when the system is quiet, so that a simulated market has the same order of events in every run."""
        if message.owner is self and message.deadline.waits:
            message.deadline.timer = self.after_in_market(0.0, DeadlineCame(message.deadline, self))

    def children_are_up(self) -> None:
        """Report to the supervisor above that this one has started."""
        self.ready()

    def takes_back(self, child: Child, error: BaseException | None) -> bool:
        """Leave it to the policy what follows. A supervisor that replaces children overrides it."""
        del child, error
        return False

    def child_removed(self, child: Child) -> None:
        """Do nothing. A supervisor that replaces children overrides it."""

    def child_parked(self, child: Child) -> None:
        """Ask for the orders that a parked strategy leaves open."""
        self._parked_orders.parked(child.spec)

    def give_up(self, child: Child, reason: str) -> None:
        """Stop all children; what follows is in `children_are_down`."""
        error = child.fault  # of a try that the budget did not allow: what made it necessary
        # The root passes the error object on; from a supervisor below it only this text reaches the system's caller.
        told_apart = self._plan.root and error is not None
        self._give_up(GivenUp(child.spec.name, reason if told_apart else f"{reason} ({child.last_error})", error))

    def children_are_down(self) -> None:
        """Start afresh after a restart of this supervisor; else answer the requests that await the end.

        Raises:
            GaveUpError: it gave up and is not the root: so its own supervisor learns of it.
        """
        if self._stopping:
            self._answer_the_end()
        elif self._given_up is None:
            self._children = self._new_children()
            self._start_all()
        else:
            self._answer_the_end()
            if not self._plan.root:
                raise GaveUpError(f"{self._given_up.child}: {self._given_up.reason}") from self._given_up.error
            self.ready()  # answers a start that still waits; `SystemStopped` says that it failed

    def _start_all(self) -> None:
        """Start all children. After a restart of this supervisor that spends one restart of the budget."""
        if self._before is None or self._budget.spend(self.monotonic_ns()):
            self._children.start_all()
        else:
            self._give_up(self._before.given_up or GivenUp(self.name, self._budget.limit, None))

    def _give_up(self, given_up: GivenUp) -> None:
        self._given_up = given_up
        self._report.gave_up(given_up.child, given_up.reason)
        self._children.stop_all()

    def _plan_now(self) -> SupervisorSettings:
        return self.plan(self.settings)

    def _new_children(self) -> Children:
        return Children(self._plan, self, self._report, self._budget, jitter=self.random.random)

    def _journal(self, fact: SupervisionFact) -> None:
        """Make a fact durable, unless it is about the journal itself, which it could make fail again."""
        name = self._plan.journal
        if name and fact.child != name:
            self.send(name, Append(facts=(fact,)))

    def _final_statistics(self) -> StatisticsByPath:
        final: StatisticsByPath = ((self.name, self.statistics()),)
        for child in self._children:
            if child.statistics is not None and not child.below:
                final += ((f"{self.name}/{child.spec.name}", child.statistics),)
            final += tuple((f"{self.name}/{path}", statistics) for path, statistics in child.below)
        return final

    def _answer_the_end(self) -> None:
        statistics = self._final_statistics()
        given_up = self._given_up
        exit_code, reason, error = 0, "", None
        if given_up is not None:
            exit_code, reason, error = EXIT_GAVE_UP, f"{given_up.child}: {given_up.reason}", given_up.error
        while self._stop_askers:
            failures = tuple(f"{self.name}/{told}" for child in self._children for told in child.stop_failures)
            self.send(self._stop_askers.pop(), ChildrenStopped(statistics=statistics, failures=failures))
        while self._end_askers:
            answer = SystemStopped(exit_code=exit_code, reason=reason, error=error, statistics=statistics)
            self.send(self._end_askers.pop(), answer)

    def _show_tree(self) -> None:
        inquiry, self._inquiry = self._inquiry, None
        if inquiry is None:
            return
        inquiry.end()
        nodes = [
            status(
                self.name,
                child,
                breaker=self._children.breaker(child),
                mailbox=None if child.address is None else self.mailbox_of(child.address),
                trouble="" if child.address is None else self.trouble_of(child.address),
            )
            for child in self._children
        ]
        stalls, last_stall = self.stalls()
        tree = msgspec.structs.replace(branch(self.name, nodes, inquiry.below), stalls=stalls, last_stall=last_stall)
        for asker in inquiry.askers:
            self.send(asker, tree)
