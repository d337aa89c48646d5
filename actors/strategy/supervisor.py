"""The supervisor of strategies: as every supervisor; and it starts, stops and swaps them while all else runs.

Owns    the strategies, as a supervisor its children, and those that a person has stopped.
Hears   ListStrategies, StartStrategy, StopStrategy, SwapStrategy, ReloadStrategy; StateRead of orders; SubscriptionHeld
        and SubscriptionResumed of events.
Sends   StrategiesListed; StrategyChanged or StrategyNotChanged, when it is done or was not; ReadState to orders, so
        that nothing is stopped for a class that cannot read the state; HoldSubscription and ResumeSubscription to
        events, before the old one ends and when the new one has begun; Unsubscribe for one that is stopped;
        CancelOrders to orders, for one whose class says `cancel_on_stop`; SwapStrategy and ReloadStrategy to the deputy
        of one that runs on another node.
Fails   as any supervisor. Restarted, it has the strategies that there were. Who waited for a change gets no answer,
        unless events keeps messages for it: it is asked until it sends them, and then the change is answered.

Of one name there is never more than one instance: the old one has ended before the new one begins. Its position and its
open orders are those of its name, and its state is kept by orders. Where the new one cannot begin, the old one begins
again. One that runs on another node is changed there, by the supervisor of that node, when it was loaded here.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import msgspec

from ...messages.addresses import ORDERS, TAKEN
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
from ..runtime import handles, reason_of
from ..supervision import ChildSpec, SupervisorHandover
from .changes import Change, expect_readable, loaded_of, new_settings, shown, why_unknown
from .deputy import CHANGE_S
from .errors import StateUnreadableError, StrategyChangeRefusedError, StrategyError
from .loading import path_of
from .replacing import ORDERS_TIMEOUT_S, Replacing

if TYPE_CHECKING:
    from ...config.sections.strategy import StrategySettings
    from ..runtime import ActorAddress, Outcome
    from ..supervision import SupervisorSettings

DEPUTY_TIMEOUT_S: Final = CHANGE_S + 5.0
"""Seconds until a deputy has answered, whatever its node does."""

STRATEGIES_MAX: Final = 1_000

FAILED_MEANWHILE: Final = "the one of before runs again: their supervisor failed meanwhile"


class Handover(SupervisorHandover, frozen=True, kw_only=True):
    """As of any supervisor, and which strategies there are."""

    specs: tuple[ChildSpec, ...]
    stopped: dict[str, ChildSpec]
    held: tuple[Change, ...] = ()
    """Changes for which events keeps what comes."""


class StrategySupervisor(Replacing):
    """Supervises the strategies."""

    def on_start(self) -> None:
        """Prepare, with the strategies of the failed instance if there was one."""
        before: Handover | None = self.inherited
        self._specs = None if before is None else before.specs
        super().on_start()
        if before is not None:
            self._stopped.update(before.stopped)
        for child in self._children:
            self._sources.note(child.spec.name, child.spec.settings.strategy)
        for change in () if before is None else before.held:
            self._changes[change.name] = change
            self._end(change, change.answer or StrategyNotChanged(name=change.name, reason=FAILED_MEANWHILE))

    def snapshot(self) -> Handover:
        """Hand over which strategies there are; one that was being changed is as it was before."""
        state = super().snapshot()
        specs = {child.spec.name: child.spec for child in self._children if not child.is_removed}
        for change in self._changes.values():
            if change.before is not None and change.answer is None and not change.is_elsewhere:
                specs[change.name] = change.before
        running = tuple((name, address) for name, address in state.running if name in specs)
        return Handover(
            running=running,
            budget=state.budget,
            given_up=state.given_up,
            specs=tuple(specs.values()),
            stopped=self._stopped,
            held=tuple(change for change in self._changes.values() if change.is_held),
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
        """Start one that was stopped or parked, or a new one."""
        name = request.name
        if self._is_busy(name, sender):
            return
        if name in self._running():
            self._start_again(request, sender)
        elif request.settings:
            self._start_new(request, sender)
        elif name in self._stopped:
            self._load(self._stopped[name].settings, sender)
        else:
            self._refuse_unknown(name, sender, wanted="that is stopped or parked")

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
        if strategy:
            try:
                settings = msgspec.structs.replace(settings, strategy=path_of(strategy))
            except StrategyError as fault:
                self._refuse(name, sender, str(fault))
                return
        self._load(settings, sender, all_anew=not strategy)

    def _start_again(self, request: StartStrategy, sender: ActorAddress) -> None:
        child = self._children[request.name]
        if not child.parked:
            self._refuse(request.name, sender, "it runs already")
        elif request.settings:
            self._refuse(request.name, sender, "it is parked: other settings are for one that is stopped")
        else:
            self._load(child.spec.settings, sender)

    def _start_new(self, request: StartStrategy, sender: ActorAddress) -> None:
        name = request.name
        try:
            settings = new_settings(request)
        except StrategyChangeRefusedError as fault:
            self._refuse(name, sender, str(fault))
            return
        if name in TAKEN or name in self.directory or len(self._running()) + len(self._stopped) >= STRATEGIES_MAX:
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
        if spec.settings.host == "node" and change.name in self._running():
            self._change_elsewhere(change)
        else:
            self._replace(change)

    # One that runs on another node.

    def _change_elsewhere(self, change: Change) -> None:
        """Have it changed where it runs, by its deputy; a deputy is no other for another class."""
        child, spec = self._children[change.name], change.spec
        assert spec is not None, "it was loaded"
        change.before, change.is_elsewhere = child.spec, True
        kind = spec.settings.strategy
        is_reload = kind == child.spec.settings.strategy
        child.spec = spec
        request = ReloadStrategy(name=change.name) if is_reload else SwapStrategy(name=change.name, strategy=kind)
        then = functools.partial(self._take_elsewhere, change)
        self.ask(change.name, request, timeout_s=DEPUTY_TIMEOUT_S, then=then)

    def _take_elsewhere(self, change: Change, outcome: Outcome) -> None:
        answer = outcome.value
        if change.answer is not None:
            return  # its deputy is parked
        if isinstance(answer, StrategyChanged):
            self.log("strategy.changed_elsewhere", strategy=change.name, kind=answer.strategy)
            self._end(change, answer)
            return
        reason = getattr(answer, "reason", "") or f"an answer of its deputy wanted, found {answer or outcome.error}"
        self._give_up_change(change, reason)

    # Answers.

    def _is_busy(self, name: str, sender: ActorAddress) -> bool:
        if name in self._changes or self._stopping:
            reason = "it is being changed already, or the system stops"
            self.send(sender, StrategyNotChanged(name=name, reason=reason, is_busy=True))
            return True
        return False

    def _refuse_unknown(self, name: str, sender: ActorAddress, wanted: str = "that runs") -> None:
        self._refuse(name, sender, why_unknown(name, wanted, running=self._running(), stopped=self._stopped))

    def _refuse(self, name: str, sender: ActorAddress, reason: str) -> None:
        self.send(sender, StrategyNotChanged(name=name, reason=reason))
