"""Durable subscriptions: read from the journal what each has not had, hand it over, keep where each is."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final

from ....domain.events.delivery import Delivery
from ....domain.events.interests import Interest, Interests
from ....domain.events.places import Place
from ....domain.events.remembered import SharedParts
from ....domain.time import SECOND_NS
from ....messages.delivery import (
    DeadLettersChanged,
    DeliverEvents,
    DeliveryTerms,
    EventDeadLettered,
    EventFact,
    EventPublished,
    SubscriptionMoved,
    SubscriptionStatus,
)
from ....messages.journal import Append, Appended
from ....messages.supervision import Unavailable
from .own_facts import PAGE_RECORDS, CallDue
from .reading import SharedReads, found_in
from .recalling import Recall
from .subscription import PumpDue, Subscription, failure_of, handled_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....domain.events.dead_letters import DeadLetterBook
    from ....domain.events.delivery import Batch, Item
    from ....messages.delivery import EventsNotHandled, SubscribeDurably
    from ....messages.journal import JournalRecord
    from ...runtime import Outcome, RuntimeActor
    from .reading import Found
    from .settings import DeliverySettings

KEPT_AT_ONCE_MAX: Final = 100
PAGE_RECORDS_MIN: Final = 100
ROOM_MIN: Final = 4
"""Part of `pending_max` (one in so many) that must be free before the journal is read."""


class DurableSubscriptions:
    """All of them. Called on the actor's thread alone.

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
        """Where each was the last time that somebody was subscribed by it, or that the journal was told."""

        self._active: dict[str, Subscription] = {}
        self._interests: Final = Interests()
        """What those wants that are active."""

        self._shared: Final = SharedParts()

        self._pages: Final = SharedReads(actor, settings, self._interests)
        self._recalls: Final = SharedReads(actor, settings, self._interests, types=(EventPublished.__name__,))
        self._told: dict[str, list[Callable[[], None]]] = {}
        """Who waits for the first place of a subscription to be durable."""

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
            place = self.places.setdefault(fact.subscription, Place(fact.position))
            place.settle(fact.position, fact.done)
            place.kept_ns = record.recorded_ns
            for tell in self._told.pop(fact.subscription, ()):
                tell()
        elif isinstance(fact, EventDeadLettered):
            self._died(fact)

    def subscribe(self, request: SubscribeDurably, tell: Callable[[], None]) -> None:
        """Go on where the subscription was, or begin; the subscriber before gets nothing more.

        Args:
            request: that of the subscriber.
            tell: called when its place is durable: from then on no crash makes it miss anything.
        """
        name = request.subscription
        place = self.places.setdefault(name, Place(self.last_sequence if request.begins == "now" else 0))
        before = self._active.pop(name, None)
        if before is not None:
            place.settle(before.delivery.position, before.delivery.done)
            self._end(before)
        delivery = Delivery(
            request.terms, position=place.position, done=place.done, newest=self.last_sequence, shared=self._shared
        )
        subscription = Subscription(request, delivery)
        self._active[name] = subscription
        self._interests.set(name, Interest.of(request))
        if place.kept_ns is None:
            self._told.setdefault(name, []).append(tell)
        self._keep(subscription)
        window = min(request.terms.window_max, place.position)
        if window:
            self._recall(subscription, Recall(position=place.position, window=window))
        else:
            self._begin(subscription)
        if place.kept_ns is not None:
            tell()

    def detach(self, subscriber: str) -> None:
        """Hand nothing more over to an actor; its subscriptions keep their places."""
        for name, subscription in tuple(self._active.items()):
            if subscription.request.subscriber == subscriber:
                del self._active[name]
                self._interests.remove(name)
                self._keep(subscription)
                self.places[name].settle(subscription.delivery.position, subscription.delivery.done)
                self._end(subscription)

    def hear(self, records: tuple[JournalRecord, ...]) -> None:
        """Offer newly durable records to subscriptions that have all records before them; others read them later."""
        self.last_sequence = max(self.last_sequence, records[-1].sequence)
        if not self._active:
            return
        found, before = found_in(records, self._interests), records[0].sequence - 1
        by_name = found.by_name
        for name, subscription in self._active.items():  # of thousands most want none of them
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
            if self._is_to_be_kept(subscription):
                self._keep(subscription)
            else:
                subscription.has_moved = False
        else:
            subscription.timer = None
            self.pump(subscription)

    def requeue(self, letter: EventDeadLettered) -> None:
        """Hand a dead letter over again, once its subscription has a subscriber."""
        subscription = self._active.get(letter.subscription)
        if subscription is not None and subscription.is_begun:
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
        # Not for a few: a page that is read for one place in memory is read, and decoded, as often as there are events.
        if not subscription.is_reading and self._is_to_read(delivery):
            self._read_on(subscription)
        if subscription.timer is not None:
            subscription.timer.cancel()
            subscription.timer = None
        next_ns = delivery.next_ns()
        if next_ns is not None:
            wait_s = max(0, next_ns - now_ns) / SECOND_NS
            subscription.timer = self._actor.after(wait_s, PumpDue(subscription.request.subscription))
        if subscription.keeping is None and subscription.has_moved:  # whether it has, is looked at when it is due
            due = PumpDue(subscription.request.subscription, is_keeping=True)
            subscription.keeping = self._actor.after(self._settings.keep_s, due)

    def request_of(self, name: str) -> SubscribeDurably | None:
        """Return the request of the active subscription of this name; None: there is none."""
        active = self._active.get(name)
        return None if active is None else active.request

    def position_of(self, name: str) -> int:
        """Return where a subscription is."""
        active = self._active.get(name)
        return self.places[name].position if active is None else active.delivery.position

    @property
    def requests(self) -> tuple[SubscribeDurably, ...]:
        """Return the requests of all active subscriptions."""
        return tuple(each.request for each in self._active.values())

    def keep_all(self) -> None:
        """Journal where each is, without waiting any longer."""
        for subscription in self._active.values():
            if self._is_to_be_kept(subscription):
                self._keep(subscription)

    def statuses(self) -> tuple[SubscriptionStatus, ...]:
        """Tell how each stands."""
        return tuple(self._status(name) for name in sorted(self.places))

    def _status(self, name: str) -> SubscriptionStatus:
        active = self._active.get(name)
        place = self.places[name]
        delivery = active.delivery if active else Delivery(DeliveryTerms(), position=place.position, done=place.done)
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
        if subscription.request.subscription in found.by_name or subscription.has_passed:
            self.pump(subscription)
        elif self._is_to_read(subscription.delivery):  # facts of delivery: nothing of it is due by them
            self._read_on(subscription)

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
        """Offer what it wants of some records, as far as there is room; those before them it has."""
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

    def _later(self, call: Any) -> None:
        self._actor.after(self._settings.retry_s, CallDue(call))

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
            self._handled(subscription, (*letters, *self._letters_of(subscription, batch.items[:handled])))
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
            )
            self._handled(subscription, (*letters, *self._letters_of(subscription, batch.items[: failure.handled])))
            if item is not None:
                self._bury(subscription, batch.partition, self._letter(subscription, item, failure))
        self.pump(subscription)

    def _letter(self, subscription: Subscription, item: Item, failure: EventsNotHandled) -> EventDeadLettered:
        name = subscription.request.subscription
        now_ns = self._actor.house_clock.now_ns()
        before = self._letters.get(item.letter_id)
        since_ns = now_ns - (self._actor.clock.monotonic_ns() - item.first_failed_ns)
        return EventDeadLettered(
            letter_id=item.letter_id or f"{name}-{item.sequence}",
            subscription=name,
            sequence=item.sequence,
            event=item.event,
            error=failure.error,
            reason=failure.reason,
            traceback=failure.traceback,
            attempts=item.attempts + (0 if before is None else before.attempts),
            first_failed_ns=max(0, since_ns) if before is None else before.first_failed_ns,
            last_failed_ns=now_ns,
        )

    def _letters_of(self, subscription: Subscription, items: tuple[Item, ...]) -> tuple[str, ...]:
        """Return the dead letters that events of the journal are: an earlier subscriber had given them up just then."""
        name = subscription.request.subscription
        if not self._letters.count_of(name):
            return ()
        ids = (f"{name}-{item.sequence}" for item in items if not item.letter_id)
        return tuple(each for each in ids if each in self._letters)

    def _bury(self, subscription: Subscription, partition: int, letter: EventDeadLettered) -> None:
        """Make the dead letter durable, however often it takes; then its partition goes on."""
        subscription.burying[letter.letter_id] = partition
        self._try_to_bury(subscription, letter)

    def _try_to_bury(self, subscription: Subscription, letter: EventDeadLettered) -> None:
        def then(outcome: Outcome) -> None:
            if isinstance(outcome.value, Appended):
                self._buried(subscription, letter)
            else:
                self._later(functools.partial(self._try_to_bury, subscription, letter))

        if letter.letter_id in subscription.burying and not subscription.is_ended:
            self._append(letter, then)

    def _buried(self, subscription: Subscription, letter: EventDeadLettered) -> None:
        partition = subscription.burying.pop(letter.letter_id, None)
        if partition is None:  # told twice: by the answer to the append, and by the record
            return
        self._actor.log_bounded(
            "event.dead_lettered",
            level="warning",
            letter_id=letter.letter_id,
            event_type=letter.event.event_type,
            error=letter.error,
            reason=letter.reason,
        )
        subscription.has_moved = True
        subscription.delivery.buried(partition)
        self.pump(subscription)

    def _died(self, letter: EventDeadLettered) -> None:
        """Take in a dead letter that is durable, whichever append it was."""
        place = self.places.get(letter.subscription)
        if place is not None:
            place.settle(place.position, (letter.sequence,))
        subscription = self._active.get(letter.subscription)
        if subscription is not None and letter.letter_id in subscription.burying:
            self._buried(subscription, letter)
        elif subscription is not None and subscription.delivery.died(letter.sequence, letter.event.event_id):
            self._handled(subscription, (letter.letter_id,))

    def _handled(self, subscription: Subscription, letter_ids: tuple[str, ...]) -> None:
        """Take requeued ones that were handled out of the dead letters."""
        if not letter_ids:
            return
        fact = DeadLettersChanged(letter_ids=letter_ids, change="handled", occurred_ns=self._actor.house_clock.now_ns())

        def then(outcome: Outcome) -> None:
            if not isinstance(outcome.value, Appended):
                self._later(functools.partial(self._handled, subscription, letter_ids))

        self._append(fact, then)

    # Keeping.

    @staticmethod
    def _is_to_be_kept(subscription: Subscription) -> bool:
        delivery = subscription.delivery
        has_moved = subscription.has_moved or subscription.has_passed
        return has_moved and (delivery.position, delivery.done) != subscription.kept

    def _keep(self, subscription: Subscription) -> None:
        """Journal where it is; one such fact at a time, and none while nothing has moved."""
        delivery = subscription.delivery
        place = delivery.position, delivery.done

        def then(outcome: Outcome) -> None:
            if not isinstance(outcome.value, Appended):
                subscription.kept, subscription.has_moved = (-1, ()), True
            if not subscription.is_ended:
                self.pump(subscription)

        subscription.kept, subscription.has_moved, subscription.has_passed = place, False, False
        self._append(self._moved(subscription.request.subscription, *place), then)

    def _moved(self, name: str, position: int, done: tuple[int, ...]) -> SubscriptionMoved:
        now_ns = self._actor.house_clock.now_ns()
        return SubscriptionMoved(subscription=name, position=position, done=done, occurred_ns=now_ns)

    def keep_old(self, before_ns: int) -> None:
        """Journal where those are that have only passed over what they do not want.

        And anew where those are that the journal was told before this time: old segments may be removed.
        """
        old = [
            (name, place)
            for name, place in self.places.items()
            if place.kept_ns is not None and (place.kept_ns < before_ns or self._has_passed(name))
        ]
        old.sort(key=lambda each: each[1].kept_ns or 0)
        for name, place in old[:KEPT_AT_ONCE_MAX]:
            active = self._active.get(name)
            if active is not None:
                self._keep(active)
            else:
                self._append(self._moved(name, place.position, place.done), _do_nothing)

    def _has_passed(self, name: str) -> bool:
        active = self._active.get(name)
        return active is not None and active.has_passed and self._is_to_be_kept(active)

    def _append(self, fact: EventFact, then: Any) -> None:
        self._actor.ask(self._settings.journal, Append(facts=(fact,)), timeout_s=self._settings.append_s, then=then)

    def _end(self, subscription: Subscription) -> None:
        subscription.is_ended = True
        for timer in (subscription.timer, subscription.keeping):
            if timer is not None:
                timer.cancel()


def _do_nothing(_outcome: Outcome) -> None:
    """Leave it: it is tried again a minute later."""
