"""Durable subscriptions: read from the journal what each has not handled, hand it over, keep its position."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from ....domain.events.delivery import Common, Delivery
from ....domain.events.interests import Interest, Interests
from ....domain.events.places import Place, Settled
from ....domain.time import SECOND_NS
from ....messages.delivery import (
    DeliverEvents,
    DeliveryTerms,
    EventDeadLettered,
    EventPublished,
    EventsNotHandled,
    SubscriptionMoved,
    SubscriptionStatus,
)
from ....messages.supervision import Unavailable
from .burying import Burials
from .keeping import Keeping, is_to_be_kept, settled_of
from .own_facts import PAGE_RECORDS
from .reading import SharedReads, found_in
from .recalling import Recall
from .subscription import PumpDue, Subscription, failure_of, handled_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....domain.events.dead_letters import DeadLetterBook
    from ....domain.events.delivery import Batch, Item
    from ....messages.delivery import SubscribeDurably
    from ....messages.journal import JournalRecord
    from ...runtime import Outcome, RuntimeActor
    from .reading import Found
    from .settings import DeliverySettings

PAGE_RECORDS_MIN: Final = 100
ROOM_MIN: Final = 4
"""Part of `pending_max` (one in so many) that must be free before the journal is read."""


class DurableSubscriptions:
    """All durable subscriptions. Called on the actor's thread alone.

    Args:
        actor: sends, asks, and has the clocks.
        settings: of delivery.
        letters: the book of dead letters.
    """

    def __init__(self, actor: RuntimeActor, settings: DeliverySettings, letters: DeadLetterBook) -> None:
        self._actor: Final = actor
        self._settings: Final = settings
        self._letters: Final = letters
        self.places: dict[str, Place] = {}
        """The position of each subscription: when it last had a subscriber, or as the journal has it."""

        self._active: dict[str, Subscription] = {}
        self._interests: Final = Interests()
        """What the active subscriptions want."""

        self._common: Final = Common()
        self._heard = 0
        """Record that active subscriptions were told of last."""

        self._burials: Final = Burials(actor, settings, letters, self.pump)
        self._keeping: Final = Keeping(actor, settings, self.pump)
        self._pages: Final = SharedReads(actor, settings, self._interests)
        self._recalls: Final = SharedReads(actor, settings, self._interests, types=(EventPublished.__name__,))
        self._told: dict[str, list[Callable[[], None]]] = {}
        """Callbacks that wait until the first position of a subscription is durable."""

        self.last_sequence = 0
        """Newest of the journal."""

    def __len__(self) -> int:
        return len(self.places)

    def __contains__(self, name: str) -> bool:
        return name in self.places

    def take(self, record: JournalRecord) -> None:
        """Take in a fact that is durable: of an earlier life, or of this one."""
        fact = record.fact
        if isinstance(fact, SubscriptionMoved):
            settled = settled_of(fact)
            place = self.places.setdefault(fact.subscription, Place(settled))
            place.settle(settled)
            place.kept_ns = record.recorded_ns
            for tell in self._told.pop(fact.subscription, ()):
                tell()
        elif isinstance(fact, EventDeadLettered):
            told_of = self.places.get(fact.subscription)
            if told_of is not None:
                told_of.settle(Settled(0, beyond=frozenset((fact.sequence,))))
            self._burials.take(self._active.get(fact.subscription), fact)

    def subscribe(self, request: SubscribeDurably, tell: Callable[[], None]) -> None:
        """Go on at the subscription's position, or begin; the former subscriber gets nothing more.

        Args:
            request: that of the subscriber.
            tell: called when its position is durable: from then on no crash makes it miss anything.
        """
        name = request.subscription
        place = self.places.setdefault(name, Place(Settled(self.last_sequence if request.begins == "now" else 0)))
        before = self._active.pop(name, None)
        if before is not None:
            place.settle(before.delivery.settled)
            self._end(before)
        delivery = Delivery(request.terms, settled=place.settled, newest=self.last_sequence, common=self._common)
        subscription = Subscription(request, delivery)
        self._active[name] = subscription
        self._interests.set(name, Interest.of(request))
        if place.kept_ns is None:
            self._told.setdefault(name, []).append(tell)
        self._keeping.keep(subscription)
        window = min(request.terms.window_max, delivery.position)
        if window:
            self._recall(subscription, Recall(position=delivery.position, window=window))
        else:
            self._begin(subscription)
        if place.kept_ns is not None:
            tell()

    def detach(self, subscriber: str) -> None:
        """Hand nothing more over to an actor; its subscriptions keep their positions."""
        for name, subscription in tuple(self._active.items()):
            if subscription.request.subscriber == subscriber:
                del self._active[name]
                self._interests.remove(name)
                self._keeping.keep(subscription)
                self.places[name].settle(subscription.delivery.settled)
                self._end(subscription)

    def hear(self, records: tuple[JournalRecord, ...]) -> None:
        """Offer newly durable records to subscriptions that have all records before them; others read them later."""
        self.last_sequence = max(self.last_sequence, records[-1].sequence)
        if not self._active:
            return
        found, before = found_in(records, self._interests), records[0].sequence - 1
        by_name, goes_on, self._heard = found.by_name, before == self._heard, found.upto
        if goes_on and not found.has_others:
            # Positions of all the others: looking at each of a thousand for each of them would be a million looks.
            self._common.passed.add(before, found.upto)
            return
        for name, subscription in self._active.items():  # most of thousands of subscriptions want none of these records
            if subscription.is_reading or not subscription.is_begun:
                continue
            delivery = subscription.delivery
            if delivery.offered >= before:
                if name not in by_name:
                    delivery.skip_to(found.upto)
                    subscription.has_passed |= found.has_others
                    continue
                if delivery.room >= len(by_name[name]):
                    self._offer(subscription, found)
            self.pump(subscription)

    def wake(self, due: PumpDue) -> None:
        """Go on with a subscription."""
        subscription = self._active.get(due.subscription)
        if subscription is None:
            return
        if due.is_keeping:
            subscription.keeping = None
            if is_to_be_kept(subscription):
                self._keeping.keep(subscription)
            else:
                subscription.has_moved = False
        else:
            subscription.timer = None
            self.pump(subscription)

    def requeue(self, letter: EventDeadLettered) -> None:
        """Hand a dead letter over again, once its subscription has a subscriber."""
        subscription = self._active.get(letter.subscription)
        if subscription is not None:
            now_ns = self._actor.clock.monotonic_ns()
            subscription.delivery.requeue(letter.sequence, letter.event, letter.letter_id, now_ns)
            self.pump(subscription)

    def pump(self, subscription: Subscription) -> None:
        """Hand over what is due, read on if there is room, and set the timer for what is due later."""
        if subscription.is_ended or not subscription.is_begun:
            return
        delivery, now_ns = subscription.delivery, self._actor.clock.monotonic_ns()
        for batch in delivery.due(now_ns):
            self._hand_over(subscription, batch)
        # Only with enough room: a page for each single free place would be read and decoded as often as there are
        # events.
        if not subscription.is_reading and self._is_to_read(delivery):
            self._read_on(subscription)
        if subscription.timer is not None:
            subscription.timer.cancel()
            subscription.timer = None
        next_ns = delivery.next_ns()
        if next_ns is not None:
            due = PumpDue(subscription.request.subscription)
            subscription.timer = self._actor.after((next_ns - now_ns) / SECOND_NS, due)
        if subscription.keeping is None and subscription.has_moved:  # whether it has, is looked at when it is due
            due = PumpDue(subscription.request.subscription, is_keeping=True)
            subscription.keeping = self._actor.after(self._settings.keep_s, due)

    def request_of(self, name: str) -> SubscribeDurably | None:
        """Return the request of the active subscription of this name; None: there is none."""
        active = self._active.get(name)
        return None if active is None else active.request

    def position_of(self, name: str) -> int:
        """Return the position of a subscription."""
        active = self._active.get(name)
        return self.places[name].settled.position if active is None else active.delivery.position

    @property
    def requests(self) -> tuple[SubscribeDurably, ...]:
        """Return the requests of all active subscriptions."""
        return tuple(each.request for each in self._active.values())

    def keep_all(self) -> None:
        """Journal the position of each subscription now."""
        for subscription in self._active.values():
            if is_to_be_kept(subscription):
                self._keeping.keep(subscription)

    def keep_old(self, before_ns: int) -> None:
        """Journal the positions that have moved, if only over unwanted records, or were journaled before this time."""
        self._keeping.keep_old(self.places, self._active, before_ns)

    def statuses(self) -> tuple[SubscriptionStatus, ...]:
        """Return the state of each subscription."""
        return tuple(self._status(name) for name in sorted(self.places))

    def _status(self, name: str) -> SubscriptionStatus:
        active = self._active.get(name)
        place = self.places[name]
        delivery = active.delivery if active else Delivery(DeliveryTerms(), settled=place.settled)
        return SubscriptionStatus(
            subscription=name,
            subscriber="" if active is None else active.request.subscriber,
            position=delivery.position,
            behind=max(0, self.last_sequence - delivery.offered),
            pending=delivery.pending,
            handled=delivery.handled,
            retries=delivery.retries,
            duplicates=delivery.duplicates,
            dead_letters=self._letters.count_of(name),
            breaker=delivery.breaker,
            last_error=delivery.last_error,
        )

    # Reading. Not by `JournalPages`, which reads to the end: a subscription reads as far as it has room.

    def _is_to_read(self, delivery: Delivery) -> bool:
        return delivery.offered < self.last_sequence and delivery.room * ROOM_MIN >= delivery.terms.pending_max

    def _read_on(self, subscription: Subscription) -> None:
        # Facts that are not wanted take no room, so that a page may have more of them than there is room.
        delivery = subscription.delivery
        records_max = min(PAGE_RECORDS, max(PAGE_RECORDS_MIN, delivery.room))
        then = functools.partial(self._take_page, subscription)
        subscription.is_reading = True
        self._pages.want(subscription, after=delivery.offered, records_max=records_max, take=then)

    def _take_page(self, subscription: Subscription, found: Found) -> None:
        subscription.is_reading = False
        self.last_sequence = max(self.last_sequence, found.last_sequence)
        self._offer(subscription, found)
        self.pump(subscription)

    def _recall(self, subscription: Subscription, recall: Recall) -> None:
        """Remember which events were handled before, as far as the window reaches."""

        def take(found: Found) -> None:
            events = found.by_name.get(subscription.request.subscription, ())
            if not recall.take(events, upto=found.upto, is_end=found.is_end):
                self._recall(subscription, recall)
                return
            for event_id in recall.ids:
                subscription.delivery.remember(event_id)
            self._begin(subscription)

        self._recalls.want(subscription, after=recall.after, records_max=PAGE_RECORDS, take=take)

    def _begin(self, subscription: Subscription) -> None:
        subscription.is_begun = True
        for letter in self._letters.requeued_of(subscription.request.subscription):
            self.requeue(letter)
        self.pump(subscription)

    def _offer(self, subscription: Subscription, found: Found) -> None:
        """Offer a subscription what it wants of some records, as far as there is room; it has all earlier ones."""
        delivery, now_ns = subscription.delivery, self._actor.clock.monotonic_ns()
        if found.upto <= delivery.offered:
            return
        subscription.has_passed |= found.has_others
        for sequence, event in found.by_name.get(subscription.request.subscription, ()):
            if sequence <= delivery.offered:
                continue
            if delivery.room == 0:
                delivery.skip_to(sequence - 1)
                return
            subscription.has_moved = True
            delivery.offer(sequence, event, now_ns)
        delivery.skip_to(found.upto)

    # Handing over.

    def _hand_over(self, subscription: Subscription, batch: Batch) -> None:
        request = subscription.request
        message = DeliverEvents(subscription=request.subscription, partition=batch.partition, events=batch.events)
        then = functools.partial(self._take_answer, subscription, batch)
        self._actor.ask(request.subscriber, message, timeout_s=request.terms.handling_s, then=then)

    def _take_answer(self, subscription: Subscription, batch: Batch, outcome: Outcome) -> None:
        if subscription.is_ended:
            return
        subscription.has_moved = True
        answer = outcome.value
        handled = handled_of(answer, len(batch.items))
        if handled is not None:
            letters = subscription.delivery.succeeded(batch.partition, handled)
            self._settle_letters(subscription, letters, batch.items[:handled])
        else:
            failure = failure_of(answer, outcome, len(batch.items))
            letters, item = subscription.delivery.failed(
                batch.partition,
                handled=failure.handled,
                error=f"{failure.error}: {failure.reason}",
                now_ns=self._actor.clock.monotonic_ns(),
                chance=self._actor.random.random(),
                is_permanent=failure.is_permanent,
                is_counted=not isinstance(answer, Unavailable),
                is_answered=isinstance(answer, EventsNotHandled),  # an actor that failed has left work on its threads
            )
            self._settle_letters(subscription, letters, batch.items[: failure.handled])
            if item is not None:
                self._burials.bury(subscription, item, failure)
        self.pump(subscription)

    def _settle_letters(self, subscription: Subscription, letters: tuple[str, ...], items: tuple[Item, ...]) -> None:
        self._burials.handled(subscription, (*letters, *self._burials.letters_of(subscription, items)))

    def _end(self, subscription: Subscription) -> None:
        subscription.is_ended = True
        for timer in (subscription.timer, subscription.keeping):
            if timer is not None:
                timer.cancel()
