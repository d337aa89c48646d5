"""`EventPublisher`: publishes domain events, blocking or awaited."""

from __future__ import annotations

import contextlib
import functools
import random
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Final, Generic, Protocol, TypeVar

import msgspec

from ....domain.events.catalog import write
from ....domain.events.identity import EventIds
from ....messages.addresses import DELIVERY
from ....messages.delivery import EVENTS_AT_ONCE_MAX, EventsPublished, PublishEvents, PublishRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from ....messages.domain_events import DomainEvent

T = TypeVar("T")

ANSWER_S: Final = 30.0
"""Seconds after which a publication is in doubt."""


class Asks(Protocol):
    """A system in this process, or a connection to one."""

    def request(self, actor: str, message: msgspec.Struct, *, timeout_s: float) -> Any:
        """Send a message to an actor and return its answer."""
        ...


class PublishFailedError(Exception):
    """The events were not published: none of them is durable, and none was delivered. `events` have their ids."""

    def __init__(self, reason: str, events: Sequence[DomainEvent]) -> None:
        self.events: Final = tuple(events)
        super().__init__(reason)


class PublishInDoubtError(PublishFailedError):
    """Nobody answered whether they are durable. Publish `events` again: by their ids a repeat is known."""


class Publishing(Generic[T]):
    """A publication on its way: await it, or call `result`. It is published even if neither is done."""

    def __init__(self, asked: Future[Any], found: Callable[[int], T], events: tuple[DomainEvent, ...]) -> None:
        self._asked: Final = asked
        """Of delivery: looked at when somebody wants to know, for most of a burst nobody does."""

        self._found: Final = found
        self._events: Final = events

    def __await__(self) -> Generator[Any, None, T]:
        import asyncio  # noqa: PLC0415  20 ms that only who awaits has to pay

        with contextlib.suppress(Exception):  # it is the outcome, told below
            yield from asyncio.shield(asyncio.wrap_future(self._asked)).__await__()
        return self.result(0.0)

    def result(self, timeout_s: float | None = ANSWER_S) -> T:
        """Wait until it is durable, or in the fast lane has been sent on; return it with its id and time.

        Raises:
            PublishFailedError, PublishInDoubtError: see there.
            TimeoutError: it took longer than `timeout_s` seconds; it is still on its way.
        """
        fault = self._asked.exception(timeout_s)
        answer = None if fault is not None else self._asked.result()
        if isinstance(answer, EventsPublished):
            return self._found(answer.occurred_ns)
        if isinstance(answer, PublishRefused) and not answer.may_be_durable:
            raise PublishFailedError(answer.reason, self._events)
        reason = answer.reason if isinstance(answer, PublishRefused) else str(fault or answer)
        raise PublishInDoubtError(reason, self._events) from fault


class EventPublisher:
    """Publishes events through a system in this process, or through a connection to one. For any thread.

    Events of one publisher stay in the order in which they were published, those of `publish_many` are durable all or
    none. An event is returned with the id and the time that it was given; one that has an id keeps it.

    Args:
        over: a `TradingSystem`, another system of actors, or a connection, which is asked before `publish` returns.
        now_ns: nanoseconds since 1970-01-01 UTC, for the ids.
        random: chance, for the ids.
    """

    def __init__(
        self, over: Asks, *, now_ns: Callable[[], int] = time.time_ns, random: random.Random | None = None
    ) -> None:
        self._over: Final = over
        self._now_ns: Final = now_ns
        self._ids: Final = EventIds(random or _system_random())
        self._guard: Final = threading.Lock()
        """One thread at a time uses the connection and makes ids."""

    def publish(self, event: DomainEvent) -> Publishing[DomainEvent]:
        """Publish one event: `await publisher.publish(event)`, or `publisher.publish(event).result()`.

        Raises:
            EventInvalidError: a field is not as its class declares; nothing was sent.
        """
        (stamped,) = events = self._stamped((event,))
        return Publishing(self._ask(events, is_durable=event.durable), functools.partial(_timed, stamped), events)

    def publish_many(self, events: Iterable[DomainEvent]) -> Publishing[tuple[DomainEvent, ...]]:
        """Publish several, in this order, all or none; all by the safe lane if one of them goes by it.

        Raises:
            EventInvalidError: a field is not as its class declares; nothing was sent.
            ValueError: more than `EVENTS_AT_ONCE_MAX` of them.
        """
        stamped = self._stamped(events)
        if len(stamped) > EVENTS_AT_ONCE_MAX:
            raise ValueError(f"at most {EVENTS_AT_ONCE_MAX} events at once wanted, found {len(stamped)}")
        is_durable = any(event.durable for event in stamped)

        def found(now_ns: int) -> tuple[DomainEvent, ...]:
            return tuple(_timed(each, now_ns) for each in stamped)

        return Publishing(self._ask(stamped, is_durable=is_durable), found, stamped)

    def _stamped(self, events: Iterable[DomainEvent]) -> tuple[DomainEvent, ...]:
        with self._guard:
            return tuple(
                event if event.event_id else msgspec.structs.replace(event, event_id=self._ids.new(self._now_ns()))
                for event in events
            )

    def _ask(self, events: tuple[DomainEvent, ...], *, is_durable: bool) -> Future[Any]:
        """Send them to delivery; return a future of its answer, which is there already for a connection."""
        message = PublishEvents(events=tuple(map(write, events)), is_durable=is_durable)
        request_future: Callable[..., Future[Any]] | None = getattr(self._over, "request_future", None)
        if request_future is not None:
            return request_future(DELIVERY, message)
        answered: Future[Any] = Future()
        try:
            with self._guard:
                answered.set_result(self._over.request(DELIVERY, message, timeout_s=ANSWER_S))
        except Exception as fault:  # noqa: BLE001  it is the publication's outcome
            answered.set_exception(fault)
        return answered


def _timed(event: DomainEvent, now_ns: int) -> DomainEvent:
    return event if event.occurred_ns else msgspec.structs.replace(event, occurred_ns=now_ns)


def _system_random() -> random.Random:
    return random.SystemRandom()
