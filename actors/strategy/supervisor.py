"""The supervisor of strategies: as every supervisor; and it starts, stops and swaps them while all else runs.

Owns    the strategies, as a supervisor its children, and those that a person has stopped.
Hears   ListStrategies, StartStrategy, StopStrategy, SwapStrategy, ReloadStrategy; StateRead of orders; SubscriptionHeld
        and SubscriptionResumed of events.
Sends   StrategiesListed; StrategyChanged or StrategyNotChanged, when it is done or was not; ReadState to orders, so
        that nothing is stopped for a class that cannot read the state; HoldSubscription and ResumeSubscription to
        events, before the old one ends and when the new one has begun; Unsubscribe for one that is stopped;
        CancelOrders to orders, for one whose class says `cancel_on_stop`.
Fails   as any supervisor. Restarted, it has the strategies that there were; who waited for a change gets no answer.

Of one name there is never more than one instance: the old one has ended before the new one begins. Its position and its
open orders are those of its name, and its state is kept by orders. Where the new one cannot begin, the old one begins
again.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import msgspec

from ...config.sections.strategy import StrategySettings
from ...messages.addresses import EVENTS, ORDERS
from ...messages.events import (
    HoldSubscription,
    ResumeSubscription,
    SubscriptionHeld,
    SubscriptionResumed,
    Unsubscribe,
    Unsubscribed,
)
from ...messages.order_listing import CancelOrders
from ...messages.strategies import (
    ListStrategies,
    ReloadStrategy,
    StartStrategy,
    StopStrategy,
    StrategiesListed,
    StrategyChanged,
    StrategyNotChanged,
    SwapStrategy,
)
from ...messages.strategy_state import ReadState, StateRead
from ..runtime import handles, lifecycle, reason_of
from ..supervision import ChildSpec, Supervisor, SupervisorHandover
from .changes import (
    Change,
    ResumeAgain,
    answer_of,
    expect_readable,
    loaded_of,
    settle_sources,
    shown,
    why_unknown,
)
from .errors import StateUnreadableError, StrategyError
from .reloading import Sources

if TYPE_CHECKING:
    from ..runtime import ActorAddress, Outcome
    from ..supervision import Child, SupervisorSettings

ORDERS_TIMEOUT_S: Final = 10.0
"""Seconds that orders may take to answer."""

EVENTS_TIMEOUT_S: Final = 10.0
"""The same of events."""

RESUME_AGAIN_S: Final = 1.0
"""Seconds until events is asked again to send what it keeps."""

STRATEGIES_MAX: Final = 1_000


class Handover(SupervisorHandover, frozen=True, kw_only=True):
    """As of any supervisor, and which strategies there are."""

    specs: tuple[ChildSpec, ...]
    stopped: dict[str, ChildSpec]
    held: tuple[str, ...] = ()
    """For whom events keeps what comes."""


class StrategySupervisor(Supervisor):
    """Supervises the strategies."""

    def on_start(self) -> None:
        """Prepare, with the strategies of the failed instance if there was one."""
        before: Handover | None = self.inherited
        self._specs = None if before is None else before.specs
        self._stopped: dict[str, ChildSpec] = {} if before is None else dict(before.stopped)
        self._changes: dict[str, Change] = {}
        self._sources = Sources()
        super().on_start()
        for child in self._children:
            self._sources.note(child.spec.name, child.spec.settings.strategy)
        for name in () if before is None else before.held:
            self.send(EVENTS, ResumeSubscription(subscriber=name))

    def snapshot(self) -> Handover:
        """Hand over which strategies there are; one that was being changed is as it was before."""
        state = super().snapshot()
        specs = {child.spec.name: child.spec for child in self._children if not child.is_removed}
        for change in self._changes.values():
            if change.before is not None and change.answer is None:
                specs[change.name] = change.before
        running = tuple((name, address) for name, address in state.running if name in specs)
        return Handover(
            running=running,
            budget=state.budget,
            given_up=state.given_up,
            specs=tuple(specs.values()),
            stopped=self._stopped,
            held=tuple(change.name for change in self._changes.values() if change.is_held),
        )

    def _plan_now(self) -> SupervisorSettings:
        plan = super()._plan_now()
        return plan if self._specs is None else msgspec.structs.replace(plan, children=self._specs)

    # What a person asks.

    @handles(ListStrategies)
    def list_strategies(self, _request: ListStrategies, sender: ActorAddress) -> None:
        """List them, those that are stopped last."""
        running = [
            shown(child.spec, child.state, restarts=child.restarts, error=child.last_error) for child in self._children
        ]
        stopped = [shown(spec, "STOPPED") for spec in self._stopped.values()]
        self.send(sender, StrategiesListed(strategies=(*running, *stopped)))

    @handles(StartStrategy)
    def start_strategy(self, request: StartStrategy, sender: ActorAddress) -> None:
        """Start one that was stopped, or a new one."""
        name = request.name
        if self._is_busy(name, sender):
            return
        if name in self._running():
            self._refuse(name, sender, "it runs already")
        elif request.settings:
            self._start_new(request, sender)
        elif name in self._stopped:
            self._load(self._stopped[name].settings, sender)
        else:
            self._refuse_unknown(name, sender, wanted="that is stopped")

    @handles(StopStrategy)
    def stop_strategy(self, request: StopStrategy, sender: ActorAddress) -> None:
        """Stop one, when it has handled what waits for it."""
        name = request.name
        if self._is_busy(name, sender):
            return
        if name not in self._running():
            self._refuse_unknown(name, sender)
            return
        self._replace(Change(name=name, asker=sender, spec=None))

    @handles(SwapStrategy)
    def swap_strategy(self, request: SwapStrategy, sender: ActorAddress) -> None:
        """Let another class go on in the place of one."""
        self._swap(request.name, sender, request.strategy)

    @handles(ReloadStrategy)
    def reload_strategy(self, request: ReloadStrategy, sender: ActorAddress) -> None:
        """Let the same class go on, as its source is now."""
        self._swap(request.name, sender, "")

    def _swap(self, name: str, sender: ActorAddress, strategy: str) -> None:
        if self._is_busy(name, sender):
            return
        found = self._running().get(name)
        if found is None:
            self._refuse_unknown(name, sender)
            return
        settings = found.settings
        if settings.host == "node":
            self._refuse(name, sender, "it runs on another node: its settings and its source are there")
            return
        if strategy:
            settings = msgspec.structs.replace(settings, strategy=strategy)
        self._load(settings, sender, all_anew=not strategy)

    def _start_new(self, request: StartStrategy, sender: ActorAddress) -> None:
        name = request.name
        try:
            settings = msgspec.json.decode(request.settings, type=StrategySettings)
        except msgspec.DecodeError as fault:
            self._refuse(name, sender, f"settings of a strategy wanted: {fault}")
            return
        if settings.name != name:
            self._refuse(name, sender, f"settings of {name!r} wanted, found those of {settings.name!r}")
        elif settings.position_max is not None or settings.orders_in_flight_max is not None:
            self._refuse(name, sender, "limits of its own are in force for strategies of the settings alone")
        elif name in self.directory or len(self._running()) + len(self._stopped) >= STRATEGIES_MAX:
            self._refuse(name, sender, f"a free name, and at most {STRATEGIES_MAX} strategies, are wanted")
        else:
            self._load(settings, sender)

    # Loading it, before anything is stopped.

    def _load(self, settings: StrategySettings, sender: ActorAddress, *, all_anew: bool = False) -> None:
        change = self._changes[settings.name] = Change(name=settings.name, asker=sender, spec=None)
        then = functools.partial(self._take_loaded, change)
        load = functools.partial(loaded_of, settings, self._sources, all_anew=all_anew)
        self.offload(load, then=then, lane="load")

    def _take_loaded(self, change: Change, outcome: Outcome) -> None:
        if outcome.error is not None:
            if not isinstance(outcome.error, StrategyError):
                self.log("strategy.not_loaded", level="error", strategy=change.name, error=reason_of(outcome.error))
            self._give_up_change(change, reason_of(outcome.error))
            return
        change.spec, change.reading = outcome.value
        change.modules = change.reading.changed
        then = functools.partial(self._take_state, change)
        self.ask(ORDERS, ReadState(strategy=change.name, only_looks=True), timeout_s=ORDERS_TIMEOUT_S, then=then)

    def _take_state(self, change: Change, outcome: Outcome) -> None:
        answer, spec = outcome.value, change.spec
        assert spec is not None, "it was loaded"
        if not isinstance(answer, StateRead):
            self._give_up_change(change, f"its state, of orders, wanted, found {answer or outcome.error}")
            return
        try:
            expect_readable(spec, answer)
        except StateUnreadableError as fault:
            self._give_up_change(change, str(fault))
            return
        self._replace(change)

    # Replacing it.

    def _replace(self, change: Change) -> None:
        """Stop what runs under the name, and start what is to run when that has ended."""
        self._changes[change.name] = change
        change.before = self._running().get(change.name)
        if change.before is None:
            self._begin_changed(change)
        elif change.spec is None:
            self._remove(change)
        else:
            change.is_held = True
            request = HoldSubscription(subscriber=change.name)
            self.ask(EVENTS, request, timeout_s=EVENTS_TIMEOUT_S, then=functools.partial(self._take_held, change))

    def _take_held(self, change: Change, outcome: Outcome) -> None:
        """Let the old one end, which has been sent all that came until now; what comes is for the new one."""
        if isinstance(outcome.value, SubscriptionHeld):
            self._remove(change)
            return
        self._give_up_change(change, f"its market data, of events, wanted, found {outcome.value or outcome.error}")

    def _remove(self, change: Change) -> None:
        self._children.remove(self._children[change.name])
        self._go_on(change)

    @handles(lifecycle.Stopped, checks_itself=True)
    def child_stopped(self, report: lifecycle.Stopped, sender: ActorAddress) -> None:
        """Go on with a change whose old strategy has ended."""
        spec = next((child.spec for child in self._children if child.address is sender), None)
        super().child_stopped(report, sender)
        change = self._changes.get(report.name)
        if change is not None:
            self._go_on(change)
        elif spec is not None and self._stopping and spec.actor.cancel_on_stop and self._plan.orders:
            self._cancel(spec.name)

    def _go_on(self, change: Change) -> None:
        if any(child.spec.name == change.name for child in self._children):
            return  # not ended yet
        if change.spec is not None:
            self._begin_changed(change)
            return
        before = change.before
        assert before is not None, "it ran"
        self._stopped[change.name] = before
        self.send(EVENTS, Unsubscribe(subscriber=change.name))
        if before.actor.cancel_on_stop and self._plan.orders:
            self._cancel_orders(change.name, 0)
        self.log("strategy.stopped", strategy=change.name)
        self._end(change, answer_of(change, before))

    def _begin_changed(self, change: Change) -> None:
        assert change.spec is not None, "there is one to begin"
        change.starts = True
        self._children.add(change.spec)

    @handles(lifecycle.Started, checks_itself=True)
    def child_started(self, report: lifecycle.Started, sender: ActorAddress) -> None:
        """Tell who asked for a change that it is done."""
        super().child_started(report, sender)
        change = self._changes.get(report.name)
        if change is None or not change.starts:
            return
        change.starts = False
        self._stopped.pop(change.name, None)
        spec = change.spec
        assert spec is not None, "it has begun"
        self.log("strategy.started", strategy=change.name, kind=spec.settings.strategy, refusal=change.refusal)
        self._end(change, answer_of(change, spec))

    @handles(lifecycle.StartFailed, checks_itself=True)
    def child_start_failed(self, report: lifecycle.StartFailed, sender: ActorAddress) -> None:
        """Take a change back whose new strategy cannot begin; else as for every child."""
        if not self._takes_back(report):
            super().child_start_failed(report, sender)

    @handles(lifecycle.ChildHandlerFailed, checks_itself=True)
    def child_failed(self, report: lifecycle.ChildHandlerFailed, sender: ActorAddress) -> None:
        """The same: it may fail at an answer that it has asked for to begin."""
        if not self._takes_back(report):
            super().child_failed(report, sender)

    def _takes_back(self, report: lifecycle.StartFailed | lifecycle.ChildHandlerFailed) -> bool:
        """Take a change back whose new strategy failed before it had begun; False: it is none."""
        change = self._changes.get(report.name)
        child = next((child for child in self._children if child.address is report.address), None)
        if change is None or child is None or not change.starts or change.refusal:
            return False
        change.refusal = f"{type(report.error).__name__}: {reason_of(report.error)}"
        self.log("strategy.not_started", level="error", strategy=change.name, reason=change.refusal)
        change.starts = False
        change.spec, change.before = change.before, change.spec
        child.given_up = True  # what waits for it is not for a fresh instance of it: it would fail, too
        self._children.remove(child)
        if change.spec is None:
            self._stop_trying(change)
        return True

    def child_parked(self, child: Child) -> None:
        """Tell who waits for its change that it is down for good."""
        super().child_parked(child)
        change = self._changes.get(child.spec.name)
        if change is not None and change.answer is None:
            self._give_up_change(change, f"it is parked: {child.last_error}")

    def _stop_trying(self, change: Change) -> None:
        """Give a new strategy up that could not begin where none ran before."""
        self.send(EVENTS, Unsubscribe(subscriber=change.name))
        self._give_up_change(change, change.refusal)

    @handles(Unsubscribed, SubscriptionResumed)
    def hear_of_subscription(self, _answer: Unsubscribed | SubscriptionResumed, _sender: ActorAddress) -> None:
        """Do nothing: it is as it was asked for."""

    def _cancel(self, name: str) -> None:
        """Have the open orders of one cancelled that ends with the system."""
        request = CancelOrders(everything=True, strategy=name, person=self.name)
        self.ask(ORDERS, request, timeout_s=ORDERS_TIMEOUT_S, then=functools.partial(self._told_cancelled, name))

    def _told_cancelled(self, name: str, outcome: Outcome) -> None:
        found = getattr(outcome.value, "client_order_ids", outcome.error)
        self.log("strategy.orders_cancelled", level="warning", strategy=name, orders=found)

    # Answers.

    def _running(self) -> dict[str, ChildSpec]:
        return {child.spec.name: child.spec for child in self._children if not child.is_removed}

    def _is_busy(self, name: str, sender: ActorAddress) -> bool:
        if name in self._changes or self._stopping:
            self._refuse(name, sender, "it is being changed already, or the system stops")
            return True
        return False

    def _give_up_change(self, change: Change, reason: str) -> None:
        self._end(change, StrategyNotChanged(name=change.name, reason=reason))

    def _refuse_unknown(self, name: str, sender: ActorAddress, wanted: str = "that runs") -> None:
        self._refuse(name, sender, why_unknown(name, wanted, running=self._running(), stopped=self._stopped))

    def _refuse(self, name: str, sender: ActorAddress, reason: str) -> None:
        self.send(sender, StrategyNotChanged(name=name, reason=reason))

    def _end(self, change: Change, answer: StrategyChanged | StrategyNotChanged) -> None:
        """Have it sent what was kept for it, and tell who asked for the change; until then it is under way."""
        change.answer = answer
        settle_sources(change, self._sources)
        if change.is_held:
            request = ResumeSubscription(subscriber=change.name)
            self.ask(EVENTS, request, timeout_s=EVENTS_TIMEOUT_S, then=functools.partial(self._take_resumed, change))
        else:
            self._changes.pop(change.name, None)
            self.send(change.asker, answer)

    def _take_resumed(self, change: Change, outcome: Outcome) -> None:
        resumed = outcome.value
        if not isinstance(resumed, SubscriptionResumed):
            self.log("strategy.not_resumed", level="error", strategy=change.name, found=resumed or outcome.error)
            self.after(RESUME_AGAIN_S, ResumeAgain(change.name))
            return
        change.is_held = False
        assert change.answer is not None, "it has ended"
        answer = change.answer
        if isinstance(answer, StrategyChanged):
            answer = msgspec.structs.replace(answer, handed_over=resumed.sent, conflated=resumed.conflated)
        self._end(change, answer)

    @handles(ResumeAgain)
    def resume_again(self, message: ResumeAgain, _sender: ActorAddress) -> None:
        """Ask once more that a strategy is sent what comes: it would be deaf for ever."""
        change = self._changes.get(message.name)
        if change is not None and change.answer is not None:
            self._end(change, change.answer)
