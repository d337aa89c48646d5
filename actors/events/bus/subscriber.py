"""`EventSubscriber`: listens to domain events with a function, a coroutine function, or `async for`."""

from __future__ import annotations

import contextlib
import itertools
from collections import deque
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from ....domain.events.catalog import EventCatalog
from ....domain.events.topics import words_of
from ....messages.addresses import DELIVERY
from ....messages.codec import as_received
from ....messages.delivery import DeliveryTerms, SubscribeDurably, SubscribeEvents, UnsubscribeEvents
from ....messages.domain_events import DomainEvent
from ...runtime import RequestTimedOut, SystemStoppedError, UnknownActorError, to_the_end
from .listener import DurableListener, DurableListenerSettings, LeaveDue, Listener, ListenerSettings, is_calling

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from types import TracebackType

    from ...runtime import InProcessSystem

WAITING_MAX: Final = 10_000
ANSWER_S: Final = 10.0
ALL: Final = ("**",)
"""Patterns of every topic."""

_numbers = itertools.count(1)


class EventSubscriber:
    """Events of a system in this process, to be listened to.

        subscriber = EventSubscriber(system.runtime)
        subscriber.of(OrderShipped, "ticks.NSE_EQ.*").handle(print)

        async for event in subscriber.of(MarketDataReceived):
            ...

    Args:
        runtime: the actors of a `TradingSystem`.
        catalog: reads events; None: by every subclass of `DomainEvent` in this process.
    """

    def __init__(self, runtime: InProcessSystem, *, catalog: EventCatalog | None = None) -> None:
        self._runtime: Final = runtime
        self._catalog: Final = catalog or EventCatalog()
        self._types: tuple[str, ...] = ()
        self._patterns: tuple[str, ...] = ALL
        self._keys: tuple[str, ...] = ()
        self._where: Callable[[DomainEvent], bool] | None = None
        self._facts: tuple[str, ...] = ()
        """What was named, and is of natya's own facts."""

        self.missed = 0
        """Events that an `async for` was not given, since `WAITING_MAX` were waiting for it."""

    def of(
        self,
        *what: type[Any] | str,
        keys: tuple[str, ...] | str = (),
        where: Callable[[DomainEvent], bool] | None = None,
    ) -> EventSubscriber:
        """Return a subscriber of the events of this one that also match these conditions.

        Args:
            what: classes, and patterns of topics (`ticks.NSE_EQ.*`); an event is of one of the classes, if any are
                named, and of one of the patterns, if any are.
            keys: ids of aggregates.
            where: called with each event, on the thread of the handler.

        Raises:
            PatternInvalidError: a pattern is none.
            ValueError: no event is of both, or patterns were named before: all are named at once.
        """
        patterns = tuple(each for each in what if isinstance(each, str))
        for pattern in patterns:
            words_of(pattern)
        if patterns and self._patterns != ALL:
            raise ValueError(f"all patterns at once wanted, found {patterns} after {self._patterns}")
        fewer = EventSubscriber(self._runtime, catalog=self._catalog)
        types = tuple(each.__name__ for each in what if not isinstance(each, str))
        fewer._types = _both("class", self._types, types)
        fewer._facts = (*self._facts, *filter(None, map(_as_fact, what)))
        fewer._patterns = patterns or self._patterns
        fewer._keys = _both("aggregate", self._keys, (keys,) if isinstance(keys, str) else tuple(keys))
        before = self._where
        if where is None or before is None:
            fewer._where = where or before
        else:
            fewer._where = lambda event: before(event) and where(event)
        return fewer

    def handle(self, handler: Callable[[DomainEvent], Any], *, name: str = "") -> Listening:
        """Call a function, or a coroutine function, with each event, one after another, on a thread of its own.

        At most once each: an event for which the handler raises is a dead letter.

        Args:
            handler: called with the event.
            name: of the actor that calls it; empty: one is made.

        Raises:
            NameTakenError: an actor of that name runs.
            ValueError: the name is too long, or no text that can be written; facts of natya's own were named, of which
                only `handle_durably` hears.
        """
        if self._facts:
            raise ValueError(f"{', '.join(self._facts)}: of natya's own facts only `handle_durably` hears")
        name = name or f"listener-{next(_numbers)}"
        wanted = SubscribeEvents(subscriber=name, patterns=self._patterns, event_types=self._types, keys=self._keys)
        _expect_sayable(wanted)
        settings = ListenerSettings(handler=handler, catalog=self._catalog, wanted=wanted, where=self._where)
        self._runtime.start(name, Listener, settings)
        # Answered after the listener's own: from here on nothing is missed.
        self._runtime.request(DELIVERY, wanted, timeout_s=ANSWER_S)
        return Listening(self._runtime, name)

    def handle_durably(
        self,
        subscription: str,
        handler: Callable[[Any], Any],
        *,
        begins: Literal["now", "oldest"] = "now",
        terms: DeliveryTerms | None = None,
    ) -> Listening:
        """Call a function, or a coroutine function, with each journaled event and fact, at least once.

        In order for each aggregate, several aggregates side by side. When it raises the event is tried again, with
        growing waits; after the last attempt it is a dead letter (`natya events dlq list`). The subscription keeps its
        place under its name, over restarts too: whoever subscribes by it again goes on there. Facts of the system
        (`OrderFilled`) are of this lane alone; those of the fast lane are not.

        Args:
            subscription: its name; an actor of the name `durable-…` calls the handler.
            handler: called with the event, or with the fact.
            begins: where a new one begins: with the next event, or with the oldest in the journal.
            terms: how it is served.

        Raises:
            NameTakenError: somebody in this process has subscribed by this name.
            RequestTimedOut: delivery has not read yet where subscriptions are; it is subscribed when it has.
            ValueError: there are too many subscriptions, or the name or a term is not such as is taken.
        """
        name = f"durable-{subscription}"
        wanted = SubscribeDurably(
            subscription=subscription,
            subscriber=name,
            patterns=self._patterns,
            event_types=self._types,
            keys=self._keys,
            begins=begins,
            terms=terms or DeliveryTerms(),
        )
        _expect_sayable(wanted)
        settings = DurableListenerSettings(handler=handler, catalog=self._catalog, wanted=wanted, where=self._where)
        self._runtime.start(name, DurableListener, settings)
        return Listening(self._runtime, name, is_durable=True)

    async def __aiter__(self) -> AsyncIterator[DomainEvent]:
        import asyncio  # noqa: PLC0415  20 ms that only who awaits has to pay

        loop = asyncio.get_running_loop()
        came = asyncio.Event()
        waiting: deque[DomainEvent] = deque(maxlen=WAITING_MAX)
        is_told = False

        def take(event: DomainEvent) -> None:
            nonlocal is_told
            self.missed += len(waiting) == WAITING_MAX
            waiting.append(event)
            if not is_told:  # looked at after the append, and reset before the look at what waits
                is_told = True
                with contextlib.suppress(RuntimeError):  # the loop was closed: nobody listens any more
                    loop.call_soon_threadsafe(came.set)

        listening = await to_the_end(lambda: self.handle(take), undo=Listening.close)
        try:
            while True:
                came.clear()
                is_told = False
                while waiting:
                    yield waiting.popleft()
                await came.wait()
        finally:
            await to_the_end(listening.close)


class Listening:
    """A handler that is called with events, until it is closed; a context manager."""

    def __init__(self, runtime: InProcessSystem, name: str, *, is_durable: bool = False) -> None:
        self._runtime: Final = runtime
        self._is_durable: Final = is_durable
        self.name: Final = name

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Unsubscribe, and return when the events that had come are handled; a repeat does nothing.

        Called by the handler itself it returns at once, and what had come is handled after that. A durable
        subscription stays, with its place.
        """
        with contextlib.suppress(UnknownActorError, SystemStoppedError):  # it has ended, or the system has
            if is_calling(self.name):
                self._leave()
                return
            if self._is_durable:  # first: what it has handled is settled before delivery lets go of it
                self._runtime.stop(self.name)
            self._runtime.request(DELIVERY, UnsubscribeEvents(subscriber=self.name), timeout_s=ANSWER_S)
            if not self._is_durable:
                self._runtime.stop(self.name)

    def _leave(self) -> None:
        if self._is_durable:
            self._runtime.tell(self.name, LeaveDue())
        else:
            self._runtime.request(DELIVERY, UnsubscribeEvents(subscriber=self.name), timeout_s=ANSWER_S)
        with contextlib.suppress(RequestTimedOut):  # it ends when the handler has returned
            self._runtime.stop(self.name, timeout_s=0.0)


def _as_fact(what: type[Any] | str) -> str:
    """Return the name of what is of natya's own facts; empty: it is of events."""
    if isinstance(what, str):
        return what if what.startswith("facts.") else ""
    return "" if issubclass(what, DomainEvent) else what.__name__


def _both(kind: str, before: tuple[str, ...], now: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names that are in both; those of one where the other names none, which means all."""
    if not before or not now:
        return now or before
    found = tuple(each for each in now if each in before)
    if not found:
        raise ValueError(f"a {kind} of {before} wanted, found {now}")
    return found


def _expect_sayable(wanted: SubscribeEvents | SubscribeDurably) -> None:
    try:
        as_received(wanted)
    except (TypeError, ValueError, OverflowError) as fault:
        raise ValueError(f"{type(wanted).__name__} with fields as declared wanted: {fault}") from fault
