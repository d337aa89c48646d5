"""Delivery: publishes domain events, and sends them to who wants them.

Owns    the table of who wants which events.
Hears   PublishEvents; Journaled, from the events router; SubscribeEvents, UnsubscribeEvents.
Sends   Append to the journal for events of the safe lane, and EventsPublished or PublishRefused to their publisher;
        EventPublished to the subscribers: of the safe lane when it is durable, of the fast lane at once.
Fails   on no expected input; restarted, it has its subscriptions again (hand-over). A publisher whose answer it owed
        gets none, and may repeat with the same ids.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import msgspec

from ....domain.events.interests import Interest, Interests
from ....domain.events.topics import PatternInvalidError
from ....messages.delivery import (
    DeliveryStatistics,
    EventPublished,
    EventsPublished,
    EventsSubscribed,
    EventsUnsubscribed,
    PublishEvents,
    PublishRefused,
    SubscribeEvents,
    UnsubscribeEvents,
)
from ....messages.journal import Append, Appended, AppendRefused, Journaled
from ....messages.supervision import Unavailable
from ...runtime import RuntimeActor, handles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...runtime import ActorAddress, Outcome
    from .settings import DeliverySettings


class DeliveryActor(RuntimeActor):
    """Two lanes: the fast one sends on at once and at most once; the safe one when the event is durable."""

    background: ClassVar[bool] = True  # a market does not wait for who only listens

    settings: DeliverySettings

    def on_start(self) -> None:
        """Begin without subscribers."""
        self._interests = Interests()
        self._published = self._refused = self._sent = self._last_sequence = 0

    def snapshot(self) -> Interests:
        """Hand over the subscriptions."""
        return self._interests

    def restore(self, state: Interests) -> None:
        """Take them over."""
        self._interests = state

    @handles(PublishEvents)
    def publish(self, request: PublishEvents, sender: ActorAddress) -> None:
        """Make them durable, or send them on."""
        now_ns = self.house_clock.now_ns()
        events = tuple(event if event.occurred_ns else _occurred(event, now_ns) for event in request.events)
        self._published += len(events)
        if not request.is_durable:
            self._tell(events)
            self.send(sender, EventsPublished())
        elif events:
            self._append(events, sender)
        else:
            self.send(sender, EventsPublished())

    @handles(Journaled)
    def tell_durable(self, batch: Journaled, _sender: ActorAddress) -> None:
        """Send the durable events on."""
        self._last_sequence = batch.records[-1].sequence if batch.records else self._last_sequence
        self._tell(record.fact for record in batch.records if isinstance(record.fact, EventPublished))

    @handles(SubscribeEvents)
    def subscribe(self, request: SubscribeEvents, sender: ActorAddress) -> None:
        """Send from the next event on."""
        if not self._may_speak_for(sender, request):
            return
        refusal = ""
        if request.subscriber not in self._interests and len(self._interests) >= self.settings.subscriptions_max:
            refusal = f"at most {self.settings.subscriptions_max} subscribers wanted"
        else:
            interest = Interest(
                patterns=request.patterns, event_types=frozenset(request.event_types), keys=frozenset(request.keys)
            )
            try:
                self._interests.set(request.subscriber, interest)
            except PatternInvalidError as fault:
                refusal = str(fault)
        self.send(sender, EventsSubscribed(subscriber=request.subscriber, refusal=refusal))

    @handles(UnsubscribeEvents)
    def unsubscribe(self, request: UnsubscribeEvents, sender: ActorAddress) -> None:
        """Send nothing more."""
        if self._may_speak_for(sender, request):
            self._interests.remove(request.subscriber)
            self.send(sender, EventsUnsubscribed(subscriber=request.subscriber))

    def statistics(self) -> DeliveryStatistics:
        """Return the counts."""
        return DeliveryStatistics(
            published=self._published,
            refused=self._refused,
            sent=self._sent,
            subscribers=len(self._interests),
            last_sequence=self._last_sequence,
        )

    def _append(self, events: tuple[EventPublished, ...], sender: ActorAddress) -> None:
        trace = self.trace

        def answer(outcome: Outcome) -> None:
            self.trace = trace
            told = outcome.value
            if isinstance(told, Appended):
                self.send(sender, EventsPublished(first_sequence=told.first_sequence))
                return
            self._refused += len(events)
            is_certain = isinstance(told, AppendRefused | Unavailable)
            reason = told.reason if isinstance(told, AppendRefused | Unavailable) else _why(told, outcome)
            self.send(sender, PublishRefused(reason=reason, may_be_durable=not is_certain))

        append = Append(facts=events, correlation_id=events[0].correlation_id)
        self.ask(self.settings.journal, append, timeout_s=self.settings.append_s, then=answer)

    def _tell(self, events: Iterable[EventPublished]) -> None:
        for event in events:
            for name in self._interests.of(event):
                self.send(name, event)
                self._sent += 1

    def _may_speak_for(self, sender: ActorAddress, request: SubscribeEvents | UnsubscribeEvents) -> bool:
        """Tell whether the sender may subscribe for this name; a strategy may only for its own."""
        if getattr(sender, "says", None) is None or getattr(sender, "name", "") == request.subscriber:
            return True
        self.turn_away(request, sender, f"a strategy's own name wanted, found {request.subscriber!r}")
        return False


def _occurred(event: EventPublished, now_ns: int) -> EventPublished:
    return msgspec.structs.replace(event, occurred_ns=now_ns)


def _why(told: object, outcome: Outcome) -> str:
    return f"the journal did not say whether it has them: {outcome.error or told}"
