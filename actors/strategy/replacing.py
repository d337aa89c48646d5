"""The supervisor of strategies, the part that lets one end and another begin under its name.

Owns    the changes that are under way.
Hears   what its children report; SubscriptionHeld, SubscriptionResumed and Unsubscribed of events.
Sends   HoldSubscription, ResumeSubscription and Unsubscribe to events; CancelOrders to orders; StrategyChanged or
        StrategyNotChanged to who asked for a change.
Fails   as any supervisor.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

import msgspec

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
from ...messages.strategies import StrategyChanged, StrategyNotChanged
from ..runtime import handles, lifecycle, reason_of
from ..supervision import ChildSpec, Supervisor
from .changes import Change, ResumeAgain, answer_of, settle_sources
from .reloading import Sources

if TYPE_CHECKING:
    from ..runtime import ActorAddress, Outcome
    from ..supervision import Child

ORDERS_TIMEOUT_S: Final = 10.0
"""Seconds that orders may take to answer."""

EVENTS_TIMEOUT_S: Final = 10.0
"""The same of events."""

ENDED: Final = "it ended by itself"
"""Why a strategy did not begin that ended without an error."""

RESUME_AGAIN_S: Final = 1.0
"""Seconds until events is asked again to send what it keeps."""


class Replacing(Supervisor):
    """Replaces a child by another of its name, and takes that back where the other cannot begin."""

    def on_start(self) -> None:
        """Begin with no change under way."""
        self._stopped: dict[str, ChildSpec] = {}
        self._changes: dict[str, Change] = {}
        self._sources = Sources()
        super().on_start()

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
        """Have the open orders cancelled of one that ends with the system, if its class says so."""
        spec = next((child.spec for child in self._children if child.address is sender), None)
        is_changed = report.name in self._changes
        super().child_stopped(report, sender)
        if spec is not None and not is_changed and self._stopping and self._leaves_none_open(spec):
            self._cancel(spec.name)

    def child_removed(self, child: Child) -> None:
        """Go on with a change whose old strategy has ended."""
        change = self._changes.get(child.spec.name)
        if change is not None:
            self._go_on(change)

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
        if self._leaves_none_open(before):
            self._parked_orders.cancel(change.name)
        self.log("strategy.stopped", strategy=change.name)
        self._end(change, answer_of(change, before))

    def _begin_changed(self, change: Change) -> None:
        assert change.spec is not None, "there is one to begin"
        change.starts = True
        self._parked_orders.begins(change.name)
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

    def takes_back(self, child: Child, error: BaseException | None) -> bool:
        """Take a change back whose new strategy failed, or ended, before it had begun; False: it is none."""
        change = self._changes.get(child.spec.name)
        if change is None or not change.starts:
            return False
        why = ENDED if error is None else f"{type(error).__name__}: {reason_of(error)}"
        change.starts = False
        if change.refusal:  # the one of before fails, too: it is tried again as any child, and may be stopped
            self._give_up_change(change, f"{change.refusal}; nor does the one of before begin yet: {why}")
            return False
        change.refusal = why
        self.log("strategy.not_started", level="error", strategy=change.name, reason=change.refusal)
        change.spec, change.before = change.before, change.spec
        self.control_child(child, lifecycle.Suspend())  # where it takes too long: it must not begin any more
        child.given_up = True  # what waits for it is not for a fresh instance of it: it would fail, too
        self._children.remove(child)
        if change.spec is None:
            self._stop_trying(change)
        return True

    def child_parked(self, child: Child) -> None:
        """Tell who waits for a change elsewhere that its deputy is down for good."""
        super().child_parked(child)
        change = self._changes.get(child.spec.name)
        if change is not None and change.answer is None and change.is_elsewhere:
            self._give_up_change(change, f"it is parked: {child.last_error}")

    def _stop_trying(self, change: Change) -> None:
        """Give a new strategy up that could not begin where none ran before."""
        self.send(EVENTS, Unsubscribe(subscriber=change.name))
        stopped = self._stopped.get(change.name)
        if stopped is not None and self._leaves_none_open(stopped):
            self._parked_orders.cancel(change.name)
        self._give_up_change(change, change.refusal)

    @handles(Unsubscribed, SubscriptionResumed)
    def hear_of_subscription(self, _answer: Unsubscribed | SubscriptionResumed, _sender: ActorAddress) -> None:
        """Do nothing: it is as it was asked for."""

    def _leaves_none_open(self, spec: ChildSpec) -> bool:
        """Tell whether the open orders of a strategy are cancelled when it is stopped."""
        return bool(spec.actor.cancel_on_stop and self._plan.orders)

    def _cancel(self, name: str) -> None:
        """Have the open orders of one cancelled that ends with the system."""
        request = CancelOrders(everything=True, strategy=name, person=self.name)
        self.ask(ORDERS, request, timeout_s=ORDERS_TIMEOUT_S, then=functools.partial(self._told_cancelled, name))

    def _told_cancelled(self, name: str, outcome: Outcome) -> None:
        found = getattr(outcome.value, "client_order_ids", outcome.error)
        self.log("strategy.orders_cancelled", level="warning", strategy=name, orders=found)

    def _running(self) -> dict[str, ChildSpec]:
        return {child.spec.name: child.spec for child in self._children if not child.is_removed}

    def _give_up_change(self, change: Change, reason: str) -> None:
        if change.is_elsewhere:
            assert change.before is not None, "it ran"
            self._children[change.name].spec = change.before
        self._end(change, StrategyNotChanged(name=change.name, reason=reason))

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
            self.after(RESUME_AGAIN_S, ResumeAgain(change))
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
        change = message.change
        assert change.answer is not None, "it has ended"
        self._end(change, change.answer)
