"""Replays: journaled events handed over to one durable subscription again, beside its new ones."""

from __future__ import annotations

import functools
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ....domain.events.catalog import event_of
from ....domain.events.interests import Interest
from ....domain.time import SECOND_NS
from ....messages.delivery import DeliverEvents, ReplayStatus
from ....messages.journal import JournalPage, ReadJournal
from ....messages.replays import replay_id_of
from ....messages.supervision import Unavailable
from .own_facts import OWN_FACTS, PAGE_RECORDS, CallDue
from .subscription import failure_of, handled_of, interests_of

if TYPE_CHECKING:
    from ....messages.delivery import EventPublished, SubscribeDurably
    from ....messages.replays import ReplayEvents
    from ...runtime import Outcome, RuntimeActor, Timer
    from .durable import DurableSubscriptions
    from .settings import DeliverySettings

OVER_MAX: Final = 16
"""Ended replays that are still shown."""

LOOK_S: Final = 0.01
"""Seconds until a replay that has reached its subscription's position looks whether that has moved."""

TRIES_MAX: Final = 30
"""Attempts in a row at a subscriber that is being restarted; then the replay ends."""


class Replay:
    """One replay: how far it is, and which events of the page it read are still to be handed over."""

    def __init__(self, replay_id: str, wanted: ReplayEvents, subscription: SubscribeDurably) -> None:
        self.replay_id: Final = replay_id
        self.wanted: Final = wanted
        self.subscription: Final = subscription
        self._subscribed: Final = interests_of(subscription)
        self._chosen: Final = Interest(event_types=frozenset(wanted.event_types), keys=frozenset(wanted.keys))
        self.sequence = wanted.after_sequence
        self.events: list[tuple[int, EventPublished]] = []
        self.begun_ns = 0
        """Monotonic time of its first event."""

        self.first_ns = 0
        """When its first event occurred: nanoseconds since 1970-01-01 UTC."""

        self.handled = self.failed = self.tries = 0
        self.is_over = self.is_read = False
        self.error = ""
        self.timer: Timer | None = None

    def wants(self, event: EventPublished) -> bool:
        """Tell whether the subscription wants it, and the replay too."""
        wanted = self.wanted
        return (
            wanted.since_ns <= event.occurred_ns < wanted.until_ns
            and wanted.correlation_id in ("", event.correlation_id)
            and self._chosen.has(event)
            and bool(self._subscribed.of(event))
        )

    def due(self, now_ns: int, position: int) -> list[EventPublished]:
        """Return the events to hand over now; none beyond the subscription's position.

        Those are still to come as new events, in order for each aggregate, which a replay of them would break.
        """
        due = []
        for sequence, event in self.events[: self.subscription.terms.batch_max]:
            if sequence > position or self.due_ns(event) > now_ns:
                break
            due.append(event)
        return due

    def due_ns(self, event: EventPublished) -> int:
        """Return the monotonic time at which it is handed over."""
        if not self.wanted.pace:
            return 0
        return self.begun_ns + round(max(0, event.occurred_ns - self.first_ns) / self.wanted.pace)

    @property
    def status(self) -> ReplayStatus:
        """Return how far it is."""
        return ReplayStatus(
            replay_id=self.replay_id,
            subscription=self.wanted.subscription,
            sequence=self.events[0][0] - 1 if self.events else self.sequence,
            handled=self.handled,
            failed=self.failed,
            is_over=self.is_over,
            error=self.error,
        )


class Replays:
    """All replays, at most one a subscription. Called on the actor's thread alone.

    Args:
        actor: sends, asks, and has the clocks.
        settings: of delivery.
        durable: the subscriptions.
    """

    def __init__(self, actor: RuntimeActor, settings: DeliverySettings, durable: DurableSubscriptions) -> None:
        self._actor: Final = actor
        self._settings: Final = settings
        self._durable: Final = durable
        self._replays: OrderedDict[str, Replay] = OrderedDict()
        self._begun = 0

    def begin(self, wanted: ReplayEvents, subscription: SubscribeDurably) -> str:
        """Begin a replay of what is journaled now, and return its id; empty: the subscription has one running."""
        if any(each.wanted.subscription == wanted.subscription and not each.is_over for each in self._replays.values()):
            return ""
        until_sequence = min(wanted.until_sequence, self._durable.last_sequence)
        wanted = msgspec.structs.replace(wanted, until_sequence=until_sequence)
        replay = Replay(replay_id_of(self._actor.fact_clock.now_ns(), self._begun), wanted, subscription)
        self._begun += 1
        self._replays[replay.replay_id] = replay
        over = [name for name, each in self._replays.items() if each.is_over]
        for name in over[: max(0, len(over) - OVER_MAX)]:
            del self._replays[name]
        self._read(replay)
        return replay.replay_id

    def stop(self, replay_id: str) -> ReplayStatus | None:
        """End a replay; None: there is none of this id."""
        replay = self._replays.get(replay_id)
        if replay is None:
            return None
        self._end(replay, "stopped")
        return replay.status

    def statuses(self) -> tuple[ReplayStatus, ...]:
        """Return how far each replay is."""
        return tuple(each.status for each in self._replays.values())

    def _read(self, replay: Replay) -> None:
        # Not by `JournalPages`, which reads to the end: the next page is read when this one is handed over.
        wanted = ReadJournal(after_sequence=replay.sequence, records_max=PAGE_RECORDS)

        def take(outcome: Outcome) -> None:
            page = outcome.value
            if replay.is_over:
                return
            if not isinstance(page, JournalPage):  # the journal is being restarted: it has the records all the same
                self._later(replay, self._settings.retry_s, self._read)
                return
            records = [each for each in page.records if each.sequence <= replay.wanted.until_sequence]
            replay.is_read = len(page.records) < PAGE_RECORDS or len(records) < len(page.records)
            for record in records:
                replay.sequence = record.sequence
                if not isinstance(record.fact, OWN_FACTS) and replay.wants(event := event_of(record)):
                    replay.events.append((record.sequence, event))
            self._go_on(replay)

        self._actor.ask(self._settings.journal, wanted, timeout_s=self._settings.append_s, then=take)

    def _go_on(self, replay: Replay) -> None:
        """Hand over what is due, read on, or end."""
        if replay.is_over:
            return
        if not replay.events:
            if replay.is_read:
                self._end(replay, replay.error)
            else:
                self._read(replay)
            return
        now_ns = self._actor.clock.monotonic_ns()
        if not replay.begun_ns:
            replay.begun_ns, replay.first_ns = now_ns, replay.events[0][1].occurred_ns
        batch = replay.due(now_ns, self._durable.position_of(replay.wanted.subscription))
        if not batch:
            wait_s = (replay.due_ns(replay.events[0][1]) - now_ns) / SECOND_NS
            self._later(replay, max(LOOK_S, wait_s), self._go_on)
            return
        self._actor.join_trace(replay.replay_id)
        request = replay.subscription
        message = DeliverEvents(
            subscription=request.subscription, partition=0, events=tuple(batch), replay_id=replay.replay_id
        )
        then = functools.partial(self._take_answer, replay, len(batch))
        self._actor.ask(request.subscriber, message, timeout_s=request.terms.handling_s, then=then)

    def _take_answer(self, replay: Replay, count: int, outcome: Outcome) -> None:
        if replay.is_over:
            return
        answer = outcome.value
        if isinstance(answer, Unavailable):  # it is being restarted
            replay.tries += 1
            if replay.tries < TRIES_MAX:
                self._later(replay, self._settings.retry_s, self._go_on)
            else:
                self._end(replay, f"{replay.subscription.subscriber} is not there: {answer.reason}")
            return
        replay.tries = 0
        if outcome.error is not None:
            self._end(replay, f"no answer of {replay.subscription.subscriber}: {outcome.error}")
            return
        handled = handled_of(answer, count)
        if handled is not None:
            replay.handled += handled
            del replay.events[:handled]
        else:
            failure = failure_of(answer, outcome, count)
            replay.handled += failure.handled
            replay.failed += 1
            replay.error = f"{failure.error}: {failure.reason}"
            del replay.events[: failure.handled + 1]
        self._go_on(replay)

    def _later(self, replay: Replay, wait_s: float, call: Any) -> None:
        replay.timer = self._actor.after(max(0.0, wait_s), CallDue(functools.partial(call, replay)))

    def _end(self, replay: Replay, error: str) -> None:
        if replay.is_over:
            return
        replay.is_over, replay.error = True, error
        replay.events.clear()
        if replay.timer is not None:
            replay.timer.cancel()
        status = replay.status
        self._actor.log("replay.over", replay_id=status.replay_id, handled=status.handled, failed=status.failed)
