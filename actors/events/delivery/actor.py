"""Delivery: publishes domain events, and sends them to their subscribers.

Owns    the subscriptions by type of event, the durable subscriptions, and the list of dead letters.
Hears   PublishEvents; Journaled, from the events router; SubscribeEvents, UnsubscribeEvents, SubscribeDurably;
        ListDeadLetters, ChangeDeadLetters; ReplayEvents, StopReplay.
Sends   Append to the journal for events of the safe lane, and EventsPublished or PublishRefused to their publisher;
        EventPublished to the subscribers: of the safe lane when it is durable, of the fast lane at once; DeliverEvents
        to durable subscribers, again until they are handled or dead letters, and of the past where a replay is wanted;
        to the journal ReadJournal, where each subscription is, and what becomes of dead letters.
Fails   on no expected input; restarted, it has its subscriptions again (hand-over), and reads from the journal where
        they are: what was handled since is handed over again, and replays have ended. A publisher whose answer it owed
        gets none, and may repeat with the same ids.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from ....domain.events.dead_letters import DeadLetterBook
from ....domain.events.interests import Interest, Interests
from ....domain.events.topics import PatternInvalidError
from ....domain.time import DAY_NS
from ....messages.delivery import (
    EVENTS_AT_ONCE_MAX,
    ChangeDeadLetters,
    DeadLettersChanged,
    DeadLettersChangeDone,
    DeliveryStatistics,
    EventPublished,
    EventsPublished,
    EventsSubscribed,
    EventsUnsubscribed,
    LetterChange,
    ListDeadLetters,
    PublishEvents,
    PublishRefused,
    SubscribeDurably,
    SubscribeEvents,
    UnsubscribeEvents,
)
from ....messages.journal import Appended, Journaled
from ....messages.replays import ReplayBegun, ReplayEvents, ReplayRefused, ReplayStopped, StopReplay
from ...runtime import RuntimeActor, handles
from ..speaking import may_speak_for
from .durable import DurableSubscriptions
from .own_facts import CallDue, OwnFacts, append
from .publishing import Publications, unsure
from .replaying import Replays
from .settings import SUBSCRIPTIONS_MAX
from .subscription import PumpDue, interests_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ....messages.journal import JournalRecord
    from ...runtime import ActorAddress, Outcome
    from .settings import DeliverySettings


EXPIRE_EVERY_S: Final = 60.0


class LoadDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: read what is journaled of where subscriptions are."""


class ExpireDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: look for dead letters that were kept long enough."""


class DeliveryActor(RuntimeActor):
    """Two lanes: the fast one sends on at once and at most once; the safe one when the event is durable."""

    background: ClassVar[bool] = True  # a simulated market does not wait for listeners
    stash_max: ClassVar[int] = SUBSCRIPTIONS_MAX + 1_000  # all may come before the journal is read

    settings: DeliverySettings

    def on_start(self) -> None:
        """Begin without subscribers, and read where the durable subscriptions are."""
        self._interests = Interests()
        self._letters = DeadLetterBook()
        self._durable = DurableSubscriptions(self, self.settings, self._letters)
        self._replays = Replays(self, self.settings, self._durable)
        self._own = OwnFacts(self, self.settings, take=self._take, loaded=self._begin)
        self._wanted: dict[str, SubscribeDurably] = {}
        """The requests of durable subscribers: in effect, or as soon as the journal is read."""

        self._changing: set[str] = set()
        """Dead letters whose change is on its way to the journal."""

        self._publications = Publications(self, self.settings)
        self._is_to_subscribe = self._is_stopping = False
        self._published = self._sent = 0
        self.send(self.myAddress, LoadDue())

    def snapshot(self) -> tuple[Interests, tuple[SubscribeDurably, ...]]:
        """Hand over the subscriptions."""
        return self._interests, tuple(self._wanted.values())

    def restore(self, state: tuple[Interests, tuple[SubscribeDurably, ...]]) -> None:
        """Take them over."""
        self._interests, requests = state
        self._wanted = {each.subscription: each for each in requests}
        self._is_to_subscribe = bool(requests)

    @handles(LoadDue)
    def load(self, _due: LoadDue, _sender: ActorAddress) -> None:
        """Read what earlier lives have journaled, and then go on."""
        self._own.read()

    def _take(self, record: JournalRecord) -> None:
        """Take in one of our own facts, when it is durable."""
        fact = record.fact
        again: tuple[str, ...] = ()
        if isinstance(fact, DeadLettersChanged):
            self._changing.difference_update(fact.letter_ids)
            if fact.change == "requeued":
                again = self._letters.changeable(fact.letter_ids)
        self._letters.apply(fact)
        self._durable.take(record)
        for letter_id in again:
            self._durable.requeue(self._letters[letter_id])

    def _begin(self) -> None:
        self._durable.last_sequence = max(self._durable.last_sequence, self._own.last_sequence)
        for request in self._wanted.values():
            self._durable.subscribe(request, _do_nothing)
        self.after_on_machine(EXPIRE_EVERY_S, ExpireDue())
        self.unstash_all()

    @handles(PublishEvents)
    def publish(self, request: PublishEvents, sender: ActorAddress) -> None:
        """Make events durable, or send them on (fast lane)."""
        if "fact" in {event.kind for event in request.events}:
            self.send(sender, PublishRefused(reason="events of a user wanted, found a fact: those are natya's own"))
            return
        now_ns = self.fact_clock.now_ns()
        events = tuple([event if event.occurred_ns else _occurred(event, now_ns) for event in request.events])
        self._published += len(events)
        if not request.is_durable:
            self._tell(events)
            self.send(sender, EventsPublished(occurred_ns=now_ns))
        elif events:
            self._publications.add(events, sender, now_ns)
        else:
            self.send(sender, EventsPublished())

    def on_drained(self) -> None:
        """Append what has come until the mailbox was empty."""
        self._publications.append_all()

    @handles(Journaled)
    def tell_durable(self, batch: Journaled, _sender: ActorAddress) -> None:
        """Send the durable events on."""
        if not batch.records:  # as no journal of ours sends it
            return
        if len(self._interests):
            self._tell(record.fact for record in batch.records if isinstance(record.fact, EventPublished))
        self._own.hear(batch.records)
        self._durable.hear(batch.records)

    @handles(SubscribeEvents)
    def subscribe(self, request: SubscribeEvents, sender: ActorAddress) -> None:
        """Send from the next event on."""
        if not may_speak_for(self, sender, request):
            return
        refusal = ""
        if request.subscriber not in self._interests and len(self._interests) >= self.settings.subscriptions_max:
            refusal = f"at most {self.settings.subscriptions_max} subscribers wanted"
        else:
            try:
                self._interests.set(request.subscriber, Interest.of(request))
            except PatternInvalidError as fault:
                refusal = str(fault)
        self.send(sender, EventsSubscribed(subscriber=request.subscriber, refusal=refusal))

    @handles(UnsubscribeEvents)
    def unsubscribe(self, request: UnsubscribeEvents, sender: ActorAddress) -> None:
        """Send nothing more."""
        if self._is_to_subscribe and not self._own.is_loaded:  # in this order
            self.stash(request, sender)
        elif may_speak_for(self, sender, request):
            self._interests.remove(request.subscriber)
            self._wanted = {n: each for n, each in self._wanted.items() if each.subscriber != request.subscriber}
            self._durable.detach(request.subscriber)
            self.send(sender, EventsUnsubscribed(subscriber=request.subscriber))

    @handles(SubscribeDurably)
    def subscribe_durably(self, request: SubscribeDurably, sender: ActorAddress) -> None:
        """Go on where the subscription was."""
        if not self._own.is_loaded:
            self._is_to_subscribe = True
            self.stash(request, sender)
            return
        if not may_speak_for(self, sender, request):
            return
        told = EventsSubscribed(subscriber=request.subscriber)
        if request.subscription not in self._durable and len(self._durable) >= self.settings.subscriptions_max:
            refusal = f"at most {self.settings.subscriptions_max} durable subscriptions wanted"
            self.send(sender, msgspec.structs.replace(told, refusal=refusal))
            return
        try:
            interests_of(request)
        except PatternInvalidError as fault:
            self.send(sender, msgspec.structs.replace(told, refusal=str(fault)))
            return
        self._wanted[request.subscription] = request
        self._durable.subscribe(request, lambda: self.send(sender, told))

    @handles(PumpDue)
    def pump(self, due: PumpDue, _sender: ActorAddress) -> None:
        """Go on with a durable subscription."""
        self._durable.wake(due)

    @handles(CallDue)
    def call_again(self, due: CallDue, _sender: ActorAddress) -> None:
        """Try again what the journal did not do."""
        due.call()

    @handles(ListDeadLetters)
    def list_dead_letters(self, wanted: ListDeadLetters, sender: ActorAddress) -> None:
        """Answer a page of them."""
        if self._own.is_loaded:
            self.send(sender, self._letters.find(wanted))
        else:
            self.stash(wanted, sender)

    @handles(ChangeDeadLetters)
    def change_dead_letters(self, request: ChangeDeadLetters, sender: ActorAddress) -> None:
        """Requeue or drop them, when that is durable."""
        if not self._own.is_loaded:
            self.stash(request, sender)
            return
        letter_ids, payload = self._changeable(request.letter_ids), request.payload
        if payload is not None and (fault := self._fault_of_edit(request, letter_ids, payload)):
            self.send(sender, DeadLettersChangeDone(changed=0, refusal=fault))
            return
        self._change(letter_ids, request.change, sender, payload=payload)

    @handles(ReplayEvents)
    def replay(self, wanted: ReplayEvents, sender: ActorAddress) -> None:
        """Hand events of the past over to one subscription again."""
        if not self._own.is_loaded:
            self.stash(wanted, sender)
            return
        subscription = self._durable.request_of(wanted.subscription)
        if subscription is None:
            there = ", ".join(sorted(each.subscription for each in self._durable.requests)) or "none"
            reason = (
                f"a durable subscription with a subscriber wanted, found {wanted.subscription!r}; there are: {there}"
            )
            self.send(sender, ReplayRefused(reason=reason))
        elif replay_id := self._replays.begin(wanted, subscription):
            self.send(sender, ReplayBegun(replay_id=replay_id))
        else:
            self.send(sender, ReplayRefused(reason=f"a replay to {wanted.subscription} is running: one at a time"))

    @handles(StopReplay)
    def stop_replay(self, request: StopReplay, sender: ActorAddress) -> None:
        """End a replay."""
        self.send(sender, ReplayStopped(status=self._replays.stop(request.replay_id)))

    @handles(ExpireDue)
    def expire(self, due: ExpireDue, _sender: ActorAddress) -> None:
        """Remove the dead letters that were kept long enough, or are too many."""
        before_ns = self.fact_clock.now_ns() - self.settings.letters_days * DAY_NS
        if expired := self._changeable(self._letters.expired(before_ns, self.settings.letters_max)):
            self.log("dead_letters.expired", level="warning", letters=len(expired))
            self._change(expired[:EVENTS_AT_ONCE_MAX], "expired", None)
        self._durable.keep_old(self.clock.now_ns() - DAY_NS)
        self.after_on_machine(EXPIRE_EVERY_S, due)

    def is_drained(self) -> bool:
        """Journal the position of each subscription, once; these appends are waited for."""
        if not self._is_stopping:
            self._is_stopping = True
            self._durable.keep_all()
        return True

    def statistics(self) -> DeliveryStatistics:
        """Return the counts."""
        return DeliveryStatistics(
            published=self._published,
            refused=self._publications.refused,
            sent=self._sent,
            subscribers=len(self._interests),
            last_sequence=self._durable.last_sequence,
            subscriptions=self._durable.statuses(),
            dead_letters=len(self._letters),
            oldest_dead_letter_ns=self._letters.oldest_ns(),
            replays=self._replays.statuses(),
        )

    def _changeable(self, letter_ids: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(each for each in self._letters.changeable(letter_ids) if each not in self._changing)

    def _fault_of_edit(self, request: ChangeDeadLetters, letter_ids: tuple[str, ...], payload: bytes) -> str:
        if len(request.letter_ids) != 1 or request.change != "requeued":
            return "one dead letter that is requeued with other fields wanted"
        if letter_ids and self._letters[letter_ids[0]].event.kind == "fact":
            return "an event of a user wanted: facts of the system are as they happened"
        try:
            msgspec.msgpack.decode(payload, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as fault:
            return f"a map of msgpack wanted: {fault}"
        return ""

    def _change(
        self, letter_ids: tuple[str, ...], change: LetterChange, sender: Any, payload: bytes | None = None
    ) -> None:
        def answer(changed: int, refusal: str = "") -> None:
            if sender is not None:
                self.send(sender, DeadLettersChangeDone(changed=changed, refusal=refusal))

        if not letter_ids:
            answer(0)
            return
        now_ns = self.fact_clock.now_ns()
        fact = DeadLettersChanged(letter_ids=letter_ids, change=change, occurred_ns=now_ns, payload=payload)

        def then(outcome: Outcome) -> None:
            if isinstance(outcome.value, Appended):
                answer(len(letter_ids))
            else:
                self._changing.difference_update(letter_ids)
                answer(0, unsure(outcome))

        self._changing.update(letter_ids)
        append(self, self.settings, fact, then)

    def _tell(self, events: Iterable[EventPublished]) -> None:
        for names, wanted in itertools.groupby(events, self._interests.of):
            if names:
                together = tuple(wanted)
                self.send_each(names, together)
                self._sent += len(names) * len(together)


def _occurred(event: EventPublished, now_ns: int) -> EventPublished:
    return msgspec.structs.replace(event, occurred_ns=now_ns)


def _do_nothing() -> None:
    """Do nothing: the sender was answered before a restart, or asks again."""
