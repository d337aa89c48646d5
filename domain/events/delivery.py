"""One durable subscription: what is handed over next, what is tried again, what is given up. Pure: time comes in.

Events of one aggregate are in one partition, in the order of the journal; a partition has one batch in flight. Where an
event fails, those of its aggregate wait for it, and others of its partition do not. An event is settled when it was
handled, when it is known to be a repeat, or when it is durable as a dead letter. What is open of all that was looked at
is all that has to be kept.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final

import msgspec

from ..breaker import Breaker
from ..reconnecting import Reconnecting
from ..time import SECOND_NS
from .places import Passed, Settled
from .remembered import RememberedIds, SharedParts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...messages.delivery import DeliveryTerms, EventPublished

RETRY_MIN_S: Final = 0.01


class Item(msgspec.Struct, kw_only=True):
    """One event on its way to the subscriber."""

    sequence: int
    event: EventPublished
    came_ns: int
    letter_id: str = ""
    """Of the dead letter that it was; empty: it comes from the journal."""

    attempts: int = 0
    first_failed_ns: int = 0


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Events for one turn of the subscriber."""

    partition: int
    items: tuple[Item, ...]

    is_again: bool = False
    """It is one event that failed before, for which others of its aggregate wait."""

    @property
    def events(self) -> tuple[EventPublished, ...]:
        """Return the events."""
        return tuple(item.event for item in self.items)


class Common:
    """What all durable subscriptions of a system have in common."""

    __slots__ = ("parts", "passed")

    def __init__(self) -> None:
        self.parts: Final = SharedParts()
        """Of the ids that they remember."""

        self.passed: Final = Passed()
        """The newest records that none of them wants."""


class _Held:
    """An aggregate whose oldest event failed, and what came behind that."""

    __slots__ = ("items", "retry_ns")

    def __init__(self, first: Item) -> None:
        self.items: deque[Item] = deque((first,))
        self.retry_ns = _NEVER_NS
        """When the first is due; never while it is in flight, or is being buried."""

    def tried(self) -> int:
        """Return how often the first was tried."""
        return self.items[0].attempts


class _Partition:
    __slots__ = ("held", "in_flight", "retry_ns", "waiting")

    def __init__(self) -> None:
        self.waiting: deque[Item] = deque()
        self.held: dict[str, _Held] = {}
        """By aggregate. Its events among those that wait are behind these: they come to them when it is their turn."""

        self.in_flight: Batch | None = None
        self.retry_ns = 0

    def due_again(self, now_ns: int) -> _Held | None:
        """Return the aggregate whose failed event is due, the one that was tried least if several are."""
        due = [held for held in self.held.values() if held.retry_ns <= now_ns]
        return min(due, key=_Held.tried, default=None)

    def next_held(self, number: int, now_ns: int) -> Batch | None:
        """Take an event that failed before and is due again."""
        held = self.due_again(now_ns)
        if held is None:
            return None
        held.retry_ns = _NEVER_NS
        return Batch(partition=number, items=(held.items[0],), is_again=True)

    def next_waiting(self, number: int, count: int) -> Batch | None:
        """Take those that come next, so many at most."""
        items: list[Item] = []
        while self.waiting and len(items) < count:
            item = self.waiting.popleft()
            before = self.held.get(item.event.aggregate_id) if self.held else None
            if before is not None:
                before.items.append(item)
            else:
                items.append(item)
        return Batch(partition=number, items=tuple(items)) if items else None

    def hold(self, item: Item) -> _Held:
        """Have the others of its aggregate wait for an event, if they do not yet."""
        return self.held.setdefault(item.event.aggregate_id, _Held(item))

    def release(self, item: Item) -> None:
        """Let those of an aggregate whose oldest is settled come next."""
        held = self.held.pop(item.event.aggregate_id)
        held.items.popleft()
        self.waiting.extendleft(reversed(held.items))


class Delivery:
    """The state of one durable subscription.

    Args:
        terms: how it is served.
        settled: by earlier lives.
        newest: no earlier life can have given up an event behind this sequence; None: it is not known.
        common: what it has in common with the others of its system.
    """

    def __init__(
        self,
        terms: DeliveryTerms,
        *,
        settled: Settled,
        newest: int | None = None,
        common: Common | None = None,
    ) -> None:
        self.terms: Final = terms
        self._newest: Final = _NEVER_NS if newest is None else newest
        common = common or Common()
        self._passed: Final = common.passed
        self._before = settled
        self._offered = settled.position
        self._opens_ns = 0
        self._open: OrderedDict[int, None] = OrderedDict()
        self._ids: set[str] = set()
        """Of events of the journal that wait or are in flight."""

        self._letters: set[str] = set()
        """Ids of the dead letters that do."""

        self._seen: Final = RememberedIds(terms.window_max, common.parts)
        """Ids of the newest events that were offered, or settled in earlier lives."""

        self._handled: OrderedDict[str, None] = OrderedDict()
        """Ids of those handled in this life that may still be told to be dead letters: by an earlier one."""

        self._partitions = [_Partition() for _ in range(terms.partitions)]
        self._breaker = Breaker(fail_max=terms.fail_max, reset_timeout_s=terms.reset_s)
        self._pending = 0
        self.handled = self.retries = self.duplicates = 0
        self.last_error = ""

    @property
    def offered(self) -> int:
        """Newest sequence that was looked at."""
        self._offered = self._passed.from_(self._offered)
        return self._offered

    @property
    def position(self) -> int:
        """The sequence up to which all are settled."""
        return next(iter(self._open)) - 1 if self._open else self.offered

    @property
    def settled(self) -> Settled:
        """What is settled, by this life and by those before."""
        now = Settled(self.offered, frozenset(self._open))
        if max(self._before.beyond, default=self._before.upto) <= now.upto:  # all that it had open was offered since
            return now
        return self._before.with_(now)

    @property
    def pending(self) -> int:
        """Events that wait, are in flight, or are being buried."""
        return self._pending

    @property
    def room(self) -> int:
        """How many more may be offered."""
        return max(0, self.terms.pending_max - self._pending)

    @property
    def breaker(self) -> str:
        """`closed`, `open` or `half-open`."""
        return self._breaker.state

    def remember(self, event_id: str) -> None:
        """Take note of an event that an earlier life has settled: a repeat of it is not handled."""
        self._seen.add(event_id)

    def skip_to(self, sequence: int) -> None:
        """Take note that nothing up to this sequence is wanted but what was offered."""
        self._offered = max(self._offered, sequence)

    def offer(self, sequence: int, event: EventPublished, now_ns: int) -> None:
        """Take the next wanted event; those that come again are left out."""
        if sequence <= self.offered:
            return
        self._offered = sequence
        if self._before.has(sequence):
            self._seen.add(event.event_id)
        elif event.event_id in self._ids or event.event_id in self._seen:
            self.duplicates += 1
        else:
            self._seen.add(event.event_id)
            self._open[sequence] = None
            self._put(Item(sequence=sequence, event=event, came_ns=now_ns))

    def requeue(self, sequence: int, event: EventPublished, letter_id: str, now_ns: int) -> None:
        """Take a dead letter again, behind what waits of its aggregate; no effect while it is on its way."""
        if letter_id not in self._letters:
            self._put(Item(sequence=sequence, event=event, came_ns=now_ns, letter_id=letter_id))

    def due(self, now_ns: int) -> tuple[Batch, ...]:
        """Return the batches that may be handed over now; each is then in flight."""
        if self._breaker.state == "open":
            if self._breaker.retry_after_s(now_ns) > 0:
                return ()
            self._breaker.try_again()
        ready = [(number, each) for number, each in enumerate(self._partitions) if self._ready_ns(each) <= now_ns]
        if self._breaker.state == "half-open":
            return () if any(each.in_flight for each in self._partitions) else self._probe(ready, now_ns)
        batches = []
        for number, partition in ready:
            count = 1 if partition.waiting and partition.waiting[0].attempts else self.terms.batch_max
            partition.in_flight = partition.next_held(number, now_ns) or partition.next_waiting(number, count)
            if partition.in_flight is not None:
                batches.append(partition.in_flight)
        return tuple(batches)

    def _probe(self, ready: list[tuple[int, _Partition]], now_ns: int) -> tuple[Batch, ...]:
        """Take one event, the one that was tried least: a subscriber that is unhealthy for long costs none its last."""
        for number, partition in ready:
            partition.in_flight = partition.next_waiting(number, 1)
            if partition.in_flight is not None:
                return (partition.in_flight,)
        again = [(held.tried(), number) for number, each in ready if (held := each.due_again(now_ns)) is not None]
        if not again:
            return ()
        number = min(again)[1]
        batch = self._partitions[number].in_flight = self._partitions[number].next_held(number, now_ns)
        assert batch is not None, "it was due"
        return (batch,)

    def next_ns(self) -> int | None:
        """Return when something may be due; None: not before something else happens."""
        if self._breaker.state == "half-open" and any(each.in_flight for each in self._partitions):
            return None
        soonest = min(map(self._ready_ns, self._partitions))
        if soonest == _NEVER_NS:
            return None
        return max(soonest, self._opens_ns) if self._breaker.state == "open" else soonest

    def succeeded(self, partition: int, handled: int | None = None) -> tuple[str, ...]:
        """Settle what was handled of a batch; return the ids of the dead letters among it.

        Args:
            partition: whose batch it was.
            handled: so many, from the first on; those behind them were not begun, and come next. None: all.
        """
        batch, place = self._take(partition)
        self._breaker.succeeded()
        if batch.is_again:
            place.release(batch.items[0])
        count = len(batch.items) if handled is None else handled
        place.waiting.extendleft(reversed(batch.items[count:]))
        return self._settle(batch.items[:count])

    def failed(  # noqa: PLR0913  what there is to know of a failure
        self,
        partition: int,
        *,
        handled: int,
        error: str,
        now_ns: int,
        chance: float,
        is_permanent: bool = False,
        is_counted: bool = True,
        is_answered: bool = True,
    ) -> tuple[tuple[str, ...], Item | None]:
        """Take note that one event of a batch could not be handled.

        Args:
            partition: whose batch it was.
            handled: so many before it were.
            error: what is shown of it.
            now_ns: monotonic nanoseconds.
            chance: a random number from 0 to below 1.
            is_permanent: it is given up at once.
            is_counted: it is an attempt; else the subscriber could not be reached.
            is_answered: the subscriber has said so; else it may still be at it, and the whole partition waits.

        Returns:
            The ids of the dead letters among those that were handled; and the event to be given up, or None. Its
            aggregate waits until it is `buried`.
        """
        batch, place = self._take(partition)
        letters = self._settle(batch.items[:handled])
        if handled:
            self._breaker.succeeded()
        self.last_error = error
        rest = batch.items[handled:]
        item = rest[0]
        item.attempts += is_counted
        item.first_failed_ns = item.first_failed_ns or now_ns
        place.waiting.extendleft(reversed(rest[1:]))
        # An event that fails again and again says nothing of the subscriber; many that fail for the first time do.
        tells = item.attempts <= 1 or not is_answered or self._breaker.state == "half-open"
        if tells and not is_permanent and self._breaker.failed(now_ns):
            self._opens_ns = now_ns + round(self.terms.reset_s * SECOND_NS)
        if is_permanent or item.attempts >= self.terms.attempts_max:
            place.hold(item)
            return letters, item
        self.retries += 1
        wait_s = Reconnecting(max(1, item.attempts)).wait_s(
            chance=chance, first_s=self.terms.retry_first_s, max_s=self.terms.retry_max_s, min_s=RETRY_MIN_S
        )
        retry_ns = now_ns + round(wait_s * SECOND_NS)
        if is_answered or batch.is_again:
            place.hold(item).retry_ns = retry_ns
        else:
            place.waiting.appendleft(item)
        if not is_answered:
            place.retry_ns = retry_ns
        return letters, None

    def buried(self, item: Item) -> None:
        """Settle the event that is durable as a dead letter now."""
        self._partition_of(item).release(item)
        self._forget(item)
        self._handled.pop(item.event.event_id, None)

    def died(self, sequence: int, event_id: str) -> bool:
        """Settle an event that an earlier life, or subscriber, has given up; no effect while it is in flight.

        Returns:
            Whether it was handled meanwhile, and so is no dead letter any more.
        """
        if event_id in self._handled:
            return True
        if sequence > self.offered:
            self._before = self._before.with_(Settled(0, beyond=frozenset((sequence,))))
        elif sequence in self._open:
            for partition in self._partitions:
                for items in (partition.waiting, *(held.items for held in partition.held.values())):
                    for item in items:
                        if item.sequence == sequence and not item.letter_id:
                            self._withdraw(partition, items, item)
                            return False
        return False

    def _withdraw(self, partition: _Partition, items: deque[Item], item: Item) -> None:
        """Settle an event that waits, unless it is the one that others of its aggregate wait for and is under way."""
        if items is partition.waiting or item is not items[0]:
            items.remove(item)
        elif partition.held[item.event.aggregate_id].retry_ns == _NEVER_NS:
            return
        else:
            partition.release(item)
        self._forget(item)

    def _put(self, item: Item) -> None:
        self._pending += 1
        if item.letter_id:
            self._letters.add(item.letter_id)
        else:
            self._ids.add(item.event.event_id)
        self._partition_of(item).waiting.append(item)

    def _partition_of(self, item: Item) -> _Partition:
        number = zlib.crc32(item.event.aggregate_id.encode("utf-8", "surrogatepass")) % self.terms.partitions
        return self._partitions[number]

    def _ready_ns(self, partition: _Partition) -> int:
        if partition.in_flight is not None:
            return _NEVER_NS
        soonest = self._waiting_ns(partition)
        if partition.held:
            soonest = min(soonest, *(held.retry_ns for held in partition.held.values()))
        return max(partition.retry_ns, soonest)

    def _waiting_ns(self, partition: _Partition) -> int:
        """Return when those that wait have lingered enough."""
        if not partition.waiting:
            return _NEVER_NS
        first = partition.waiting[0]
        is_whole = len(partition.waiting) >= self.terms.batch_max or first.attempts or first.letter_id
        return 0 if is_whole else first.came_ns + round(self.terms.linger_s * SECOND_NS)

    def _take(self, partition: int) -> tuple[Batch, _Partition]:
        place = self._partitions[partition]
        batch, place.in_flight, place.retry_ns = place.in_flight, None, 0
        assert batch is not None, "a batch of this partition was in flight"
        return batch, place

    def _settle(self, items: Iterable[Item]) -> tuple[str, ...]:
        letters = []
        for item in items:
            self.handled += 1
            self._forget(item)
            if item.letter_id or item.sequence <= self._newest:
                self._handled[item.event.event_id] = None
                if len(self._handled) > self.terms.window_max:
                    self._handled.popitem(last=False)
            if item.letter_id:
                letters.append(item.letter_id)
        return tuple(letters)

    def _forget(self, item: Item) -> None:
        self._pending -= 1
        if item.letter_id:
            self._letters.discard(item.letter_id)
            self._seen.add(item.event.event_id)  # anew: it may have been long ago
            return
        self._ids.discard(item.event.event_id)
        del self._open[item.sequence]


_NEVER_NS: Final = 1 << 63
