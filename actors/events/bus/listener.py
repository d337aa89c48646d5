"""The actors that call a user's handler with events: `Listener` at most once, `DurableListener` at least once.

Owns    one handler, and the asyncio loop on which it runs if it is a coroutine function.
Hears   EventPublished or DeliverEvents, from delivery; EventsSubscribed.
Sends   SubscribeEvents or SubscribeDurably to delivery, at every start; EventsHandled and EventsNotHandled to it.
Fails   a Listener when the handler raises: the event is a dead letter, and the next one is handled.
"""

from __future__ import annotations

import inspect
import traceback
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from ....domain.events.catalog import EventNameTakenError, EventUndecodableError
from ....messages.addresses import DELIVERY
from ....messages.delivery import (
    DeliverEvents,
    EventPublished,
    EventsHandled,
    EventsNotHandled,
    EventsSubscribed,
    SubscribeDurably,
    SubscribeEvents,
)
from ....messages.system import ActorStatistics
from ...runtime import Bounded, RuntimeActor, conversation, handles

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Container

    from ....domain.events.catalog import EventCatalog
    from ....messages.domain_events import DomainEvent
    from ...runtime import ActorAddress, Outcome

TRACEBACK_CHARACTERS_MAX = 8_000
WAITING_MAX = 100_000
"""Events that may wait for a handler; one more drops the oldest, which is counted."""


class ListenerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What it calls, and with which events."""

    handler: Callable[[DomainEvent], Any]
    catalog: EventCatalog
    wanted: SubscribeEvents
    where: Callable[[DomainEvent], bool] | None = None


class DurableListenerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What it calls, and with which events."""

    handler: Callable[[Any], Any]
    catalog: EventCatalog
    wanted: SubscribeDurably
    where: Callable[[Any], bool] | None = None


class Listener(RuntimeActor):
    """Calls the handler with one event after another, on a thread of its own."""

    blocking: ClassVar[bool] = True
    background: ClassVar[bool] = True
    mailbox = Bounded(WAITING_MAX, "drop_oldest")

    settings: ListenerSettings

    def on_start(self) -> None:
        """Subscribe: for good, delivery keeps it by name."""
        self._runner: asyncio.Runner | None = None
        self._handled = 0
        self.send(DELIVERY, self.settings.wanted)

    def on_stop(self) -> None:
        """End the loop of coroutines."""
        if self._runner is not None:
            self._runner.close()

    @handles(EventsSubscribed)
    def take_answer(self, answer: EventsSubscribed, _sender: ActorAddress) -> None:
        """Fail if delivery refuses."""
        if answer.refusal:
            raise ValueError(answer.refusal)

    @handles(EventPublished)
    def handle(self, published: EventPublished, _sender: ActorAddress) -> None:
        """Call the handler."""
        self.call(published)

    def call(self, published: EventPublished) -> None:
        """Read one event, and call the handler if it is wanted.

        Raises:
            Exception: whatever the handler raised.
            EventUndecodableError, EventNameTakenError: it cannot be read.
        """
        event = self.settings.catalog.read(published)
        where = self.settings.where
        if where is not None and not where(event):
            return
        returned = self.settings.handler(event)
        if inspect.isawaitable(returned):
            self._run(returned)
        self._handled += 1

    def statistics(self) -> ActorStatistics:
        """Count what the handler was called with."""
        return ActorStatistics(handled=self._handled, failures=self.host.failures)

    def _run(self, awaitable: Any) -> None:
        import asyncio  # noqa: PLC0415  20 ms that only who awaits has to pay

        if self._runner is None:
            self._runner = asyncio.Runner()

        self._runner.run(_whole(awaitable))


HANDLED_MAX = 10_000
"""Ids of handled events that are remembered: a batch that took too long comes again when it is done."""


ANSWER_S = 10.0
AGAIN_S = 0.1
"""Seconds until delivery is asked again where it did not answer."""


class SubscribeDue(msgspec.Struct, frozen=True):
    """To itself: subscribe again."""


class DurableListener(RuntimeActor):
    """Calls the handler with events until each is handled: one partition after another, partitions on threads.

    Hears DeliverEvents, and answers EventsHandled or EventsNotHandled. Never fails by what the handler does.
    """

    ready_when_told = True
    background: ClassVar[bool] = True
    offload_threads_max: ClassVar[int] = 16

    settings: DurableListenerSettings

    def on_start(self) -> None:
        """Subscribe; the start is complete when delivery says so: from then on nothing is missed."""
        self._handled: OrderedDict[str, None] = OrderedDict()
        self._count = 0
        self._subscribe()

    @handles(SubscribeDue)
    def subscribe_again(self, _due: SubscribeDue, _sender: ActorAddress) -> None:
        """Subscribe once more: delivery is being restarted, or was before it answered."""
        self._subscribe()

    @handles(DeliverEvents)
    def handle(self, batch: DeliverEvents, sender: ActorAddress) -> None:
        """Call the handler with each, on a thread, behind what this partition has before."""

        def answer(outcome: Outcome) -> None:
            handled, answered = outcome.unwrap()
            for event_id in handled:
                self._handled[event_id] = None
            while len(self._handled) > HANDLED_MAX:
                self._handled.popitem(last=False)
            self._count += len(handled)
            self.send(sender, answered)

        if batch.replay_id:
            self.offload(self._call_again, batch, then=answer, lane="replay")
        else:
            self.offload(self._call_each, batch.events, self._handled, then=answer, lane=str(batch.partition))

    def statistics(self) -> ActorStatistics:
        """Count what was handled."""
        return ActorStatistics(handled=self._count, failures=self.host.failures)

    def _subscribe(self) -> None:
        self.ask(DELIVERY, self.settings.wanted, timeout_s=ANSWER_S, then=self._take_answer)

    def _take_answer(self, outcome: Outcome) -> None:
        answer = outcome.value
        if not isinstance(answer, EventsSubscribed):
            self.after_on_machine(AGAIN_S, SubscribeDue())
        elif answer.refusal:
            raise ValueError(answer.refusal)
        else:
            self.ready()

    def _call_again(self, batch: DeliverEvents) -> tuple[list[str], EventsHandled | EventsNotHandled]:
        """Call the handler with each, had or not; what it asks of others is of the replay's conversation."""
        with conversation(batch.replay_id):
            _, answer = self._call_each(batch.events, ())
        return [], answer

    def _call_each(
        self, events: tuple[EventPublished, ...], had: Container[str]
    ) -> tuple[list[str], EventsHandled | EventsNotHandled]:
        """Call the handler with each that it has not had, on a thread of its own."""
        handled: list[str] = []
        for number, published in enumerate(events):
            if published.event_id not in had:
                try:
                    self._call(published)
                except Exception as fault:  # noqa: BLE001  it is the answer: delivery decides what becomes of it
                    return handled, EventsNotHandled(
                        handled=number,
                        error=type(fault).__name__,
                        reason=str(fault),
                        traceback="".join(traceback.format_exception(fault))[-TRACEBACK_CHARACTERS_MAX:],
                        is_permanent=isinstance(fault, EventUndecodableError | EventNameTakenError),
                    )
                handled.append(published.event_id)
        return handled, EventsHandled()

    def _call(self, published: EventPublished) -> None:
        event = self.settings.catalog.read_any(published)
        where = self.settings.where
        if where is not None and not where(event):
            return
        returned = self.settings.handler(event)
        if inspect.isawaitable(returned):
            import asyncio  # noqa: PLC0415  20 ms that only who awaits has to pay

            asyncio.run(_whole(returned))


async def _whole(awaitable: Any) -> Any:
    return await awaitable
