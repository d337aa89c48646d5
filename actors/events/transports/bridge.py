"""The bridge: carries integration events of this system to others by Redis Streams, and those of the others in.

Owns    the connections to the server, which events of this life are in which stream, and the ids of the newest events
        that came in, `HAD_MAX` at most.
Hears   DeliverEvents, as the durable subscriber `redis-NODE`: the journal is the outbox.
Sends   SubscribeDurably and PublishEvents to delivery. EventsHandled when every node that is waited for has confirmed,
        Unavailable until then: no event is ever given up.
Fails   on no expected input: a server that is away, hung or unsafe is `trouble`, and tried again with growing waits;
        so is an event of another system that the journal refuses, which is tried until it is taken.
        Restarted, it sends what was not confirmed again: with the same ids.
"""

from __future__ import annotations

import functools
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from ....domain.reconnecting import Reconnecting
from ....domain.time import SECOND_NS
from ....messages.addresses import DELIVERY
from ....messages.delivery import (
    DeliverEvents,
    EventsHandled,
    EventsPublished,
    EventsSubscribed,
    PublishEvents,
    PublishRefused,
    SubscribeDurably,
)
from ....messages.events import TransportStatistics
from ....messages.supervision import Unavailable
from ...external.streams import ServerDownError
from ...runtime import RuntimeActor, handles
from .redis import UNREADABLE, RedisStreams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ....messages.delivery import EventPublished
    from ...runtime import ActorAddress, Outcome
    from .redis import Entry, EntryId
    from .settings import BridgeSettings

ANSWER_S: Final = 15.0
HAD_MAX: Final = 10_000
SENT_MAX: Final = 10_000
LOOK_S: Final = 0.002
LOOK_S_MAX: Final = 0.2
"""Seconds between two looks whether the others have confirmed; they double."""

RETRY_S_MIN: Final = 0.01

PUBLISH_BYTES_MAX: Final = 262_144
"""Bytes of events that are published at once, about: together they must not be more than the journal takes."""

SETTLED_S: Final = 1.0
"""Seconds after which a connection that ended does not count as a failure."""


class ConnectDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: open the way in."""


class SubscribeDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: subscribe once more."""


class CallDue(msgspec.Struct, frozen=True):
    """To itself: go on with what waits."""

    call: Any


class Sending(msgspec.Struct, kw_only=True):
    """A batch on its way out."""

    partition: int
    asker: ActorAddress
    newest: EntryId
    since_ns: int
    wait_s: float = LOOK_S


class RedisBridge(RuntimeActor):
    """Sends events out, a lane for each stream, and takes events in."""

    background: ClassVar[bool] = True  # a simulated market does not wait for a network
    system_time: ClassVar[bool] = True
    offload_threads_max: ClassVar[int] = 16

    settings: BridgeSettings

    def on_start(self) -> None:
        """Connect, and subscribe to this system's integration events."""
        self._streams = RedisStreams(self.settings.server)
        self._node = self.settings.server.node
        self._sent: OrderedDict[str, EntryId] = OrderedDict()
        self._had: OrderedDict[str, None] = OrderedDict()
        self._attempts = Reconnecting()
        self._opened_ns = 0
        self._is_open = self._is_stopping = False
        self._sent_count = self._came = self._repeats = self._unreadable = self._reconnects = 0
        self.send(self.myAddress, ConnectDue())
        self._subscribe()

    def is_drained(self) -> bool:
        """Begin nothing more; what is under way is waited for."""
        self._is_stopping = True
        return True

    def on_stop(self) -> None:
        """Close the connections."""
        self._streams.close()

    @handles(ConnectDue)
    def connect(self, _due: ConnectDue, _sender: ActorAddress) -> None:
        """Connect to the server, for events of other systems."""
        self._opened_ns = self.clock.monotonic_ns()
        self.offload(self._streams.open, then=self._opened, lane="in")

    @handles(SubscribeDue)
    def subscribe_again(self, _due: SubscribeDue, _sender: ActorAddress) -> None:
        """Subscribe once more: delivery did not answer."""
        self._subscribe()

    @handles(CallDue)
    def go_on(self, due: CallDue, _sender: ActorAddress) -> None:
        """Go on with what waits."""
        due.call()

    # Out.

    @handles(DeliverEvents)
    def carry_out(self, batch: DeliverEvents, sender: ActorAddress) -> None:
        """Append to the stream what is not in it, and answer when it is confirmed."""
        events = tuple(each for each in batch.events if not each.origin)  # others send theirs themselves
        if not events:
            self.send(sender, EventsHandled())
        elif self._is_stopping or not self._is_open:
            self._put_off(sender, self.trouble or "it is not connected yet")
        else:
            known = {each.event_id: self._sent[each.event_id] for each in events if each.event_id in self._sent}
            then = functools.partial(self._carried, batch.partition, events, sender)
            self.offload(self._carry, batch.partition, events, known, then=then, lane=f"out {batch.partition}")

    def _carry(
        self, partition: int, events: tuple[EventPublished, ...], known: dict[str, EntryId]
    ) -> dict[str, EntryId]:
        """Append the events that are not in the stream yet; return the entries of all. On a thread of its own."""
        if known and not self._streams.has(partition, max(known.values())):
            known = {}  # the server has lost them
        missing = [each for each in events if each.event_id not in known]
        added = self._streams.add(partition, missing) if missing else []
        return known | {each.event_id: entry_id for each, entry_id in zip(missing, added, strict=True)}

    def _carried(
        self, partition: int, events: tuple[EventPublished, ...], asker: ActorAddress, outcome: Outcome
    ) -> None:
        if isinstance(outcome.error, ServerDownError):
            self._put_off(asker, str(outcome.error))
            return
        entries: dict[str, EntryId] = outcome.unwrap()
        for event in events:
            self._sent_count += event.event_id not in self._sent
            self._sent[event.event_id] = entries[event.event_id]
            self._sent.move_to_end(event.event_id)
        while len(self._sent) > SENT_MAX:
            self._sent.popitem(last=False)
        now_ns = self.clock.monotonic_ns()
        self._look(Sending(partition=partition, asker=asker, newest=max(entries.values()), since_ns=now_ns))

    def _look(self, sending: Sending) -> None:
        then = functools.partial(self._looked, sending)
        self.offload(self._who_is_missing, sending, then=then, lane=f"out {sending.partition}")

    def _who_is_missing(self, sending: Sending) -> str:
        missing = self._streams.waits_for(sending.partition, sending.newest)
        if not self._streams.has(sending.partition, sending.newest):  # asked last: it was there before, too
            raise ServerDownError("the server has lost what it had acknowledged")
        return missing

    def _looked(self, sending: Sending, outcome: Outcome) -> None:
        if isinstance(outcome.error, ServerDownError):
            self._put_off(sending.asker, str(outcome.error))
            return
        missing: str = outcome.unwrap()
        waited_ns = self.clock.monotonic_ns() - sending.since_ns
        if not missing:
            self.send(sending.asker, EventsHandled())
        elif self._is_stopping or waited_ns > self.settings.confirm_s * SECOND_NS:
            self._put_off(sending.asker, f"node {missing} has not confirmed")
        else:
            self.after_on_machine(sending.wait_s, CallDue(functools.partial(self._look, sending)))
            sending.wait_s = min(LOOK_S_MAX, sending.wait_s * 2)

    def _put_off(self, asker: ActorAddress, reason: str) -> None:
        self.send(asker, Unavailable(actor=self.name, reason=reason, retry_after_s=self.settings.retry_s))

    # In.

    def _opened(self, outcome: Outcome) -> None:
        if isinstance(outcome.error, ServerDownError):
            self._lost(str(outcome.error))
            return
        outcome.unwrap()
        self._is_open, self.trouble = True, ""
        self.log("transport.connected", host=self.settings.server.host, port=self.settings.server.port)
        self._read(is_first=True)

    def _read(self, *, is_first: bool) -> None:
        if self._is_stopping:
            return
        then = functools.partial(self._came_in, is_first)
        self.offload(functools.partial(self._streams.read, is_first=is_first), then=then, lane="in")

    def _came_in(self, is_first: bool, outcome: Outcome) -> None:  # noqa: FBT001  by partial
        if isinstance(outcome.error, ServerDownError):
            self._lost(str(outcome.error))
            return
        entries: list[Entry] = outcome.unwrap()
        if entries:
            self._publish(list(_parts(entries)), is_first=is_first)
        else:
            self._read(is_first=False)

    def _publish(self, parts: list[list[Entry]], *, is_first: bool) -> None:
        """Make the fresh events of the first part durable, confirm the whole part, and go on with the others."""
        entries = parts[0]
        fresh = {
            each.event.event_id: each.event
            for each in entries
            if each.node != self._node and each.event.event_id not in self._had
        }
        if not fresh:
            self._take(parts, fresh, is_first=is_first)
            return

        def then(outcome: Outcome) -> None:
            if self._is_stopping:  # the next instance reads them again
                return
            if isinstance(outcome.value, EventsPublished):
                self._take(parts, fresh, is_first=is_first)
                return
            is_refused = isinstance(outcome.value, PublishRefused)
            if is_refused and entries[1:]:  # together they may be more than the journal takes
                half = len(entries) // 2
                self._publish([entries[:half], entries[half:], *parts[1:]], is_first=is_first)
                return
            if is_refused:
                self._hold_up(entries[0], outcome.value.reason)
            again = functools.partial(self._publish, parts, is_first=is_first)  # or the journal is being restarted
            self.after_on_machine(self.settings.retry_s, CallDue(again))

        self.ask(DELIVERY, PublishEvents(events=tuple(fresh.values())), timeout_s=ANSWER_S, then=then)

    def _hold_up(self, entry: Entry, reason: str) -> None:
        """Show an event that the journal refuses: all behind it waits, since nothing may be lost."""
        event = entry.event
        self.trouble = (
            f"no events of other systems are taken in: the journal refuses {event.event_type} of {event.aggregate_id}, "
            f"which came from {entry.node or 'a node without a name'}: {reason}"
        )
        self.log_bounded("transport.refused", level="warning", event_id=event.event_id, node=entry.node, reason=reason)

    def _take(self, parts: list[list[Entry]], fresh: dict[str, EventPublished], *, is_first: bool) -> None:
        """Note that all events of the first part are durable, and confirm them."""
        entries = parts[0]
        self.trouble = ""  # nothing is taken in while there is no server
        self._had.update(dict.fromkeys(fresh))
        while len(self._had) > HAD_MAX:
            self._had.popitem(last=False)
        self._came += len(fresh)
        self._repeats += sum(each.node != self._node for each in entries) - len(fresh)
        self._unreadable += sum(each.event_type == UNREADABLE for each in fresh.values())
        self._confirm(parts, is_first=is_first)

    def _confirm(self, parts: list[list[Entry]], *, is_first: bool) -> None:
        def then(outcome: Outcome) -> None:
            if isinstance(outcome.error, ServerDownError):
                self._lost(str(outcome.error))
                return
            outcome.unwrap()
            if parts[1:]:
                self._publish(parts[1:], is_first=is_first)
            else:
                self._read(is_first=is_first)

        self.offload(self._streams.confirm, parts[0], then=then, lane="in")

    def _lost(self, reason: str) -> None:
        """Show that the server is lost, and connect again later."""
        now_ns = self.clock.monotonic_ns()
        lived_s = (now_ns - self._opened_ns) / SECOND_NS if self._is_open else 0.0
        self._reconnects += 1
        self._is_open = False
        self._attempts = self._attempts.after(lived_s=lived_s, settled_s=SETTLED_S)
        first_s, max_s = self.settings.retry_s, self.settings.retry_s_max
        wait_s = self._attempts.wait_s(
            chance=self.random.random(), first_s=first_s, max_s=max_s, min_s=min(RETRY_S_MIN, max_s)
        )
        self.trouble = f"no events to and from other systems: {reason}"
        self.log_bounded("transport.lost", level="warning", reason=reason, wait_s=round(wait_s, 3))
        self.after_on_machine(wait_s, ConnectDue())

    # The subscription.

    def _subscribe(self) -> None:
        wanted = SubscribeDurably(
            subscription=f"redis-{self._node}",
            subscriber=self.name,
            kinds=("integration",),
            begins="now",
            terms=self.settings.terms,
        )
        self.ask(DELIVERY, wanted, timeout_s=ANSWER_S, then=self._subscribed)

    def _subscribed(self, outcome: Outcome) -> None:
        answer = outcome.value
        if not isinstance(answer, EventsSubscribed):
            self.after_on_machine(self.settings.retry_s, SubscribeDue())
        elif answer.refusal:
            raise ValueError(answer.refusal)

    def statistics(self) -> TransportStatistics:
        """Return the counts."""
        return TransportStatistics(
            is_connected=self._is_open,
            sent=self._sent_count,
            received=self._came,
            repeats=self._repeats,
            unreadable=self._unreadable,
            reconnects=self._reconnects,
            reason=self.trouble,
        )


def _parts(entries: list[Entry]) -> Iterator[list[Entry]]:
    """Cut entries, in their order, into what is published at once."""
    part: list[Entry] = []
    size = 0
    for each in entries:
        if part and size + len(each.event.payload) > PUBLISH_BYTES_MAX:
            yield part
            part, size = [], 0
        part.append(each)
        size += len(each.event.payload)
    yield part
