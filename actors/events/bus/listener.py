"""The actors that call a user's handler with events: `Listener` at most once, `DurableListener` at least once.

Owns    one handler, and the asyncio loop on which it runs if it is a coroutine function.
Hears   EventPublished or DeliverEvents, from delivery; EventsSubscribed.
Sends   SubscribeEvents or SubscribeDurably to delivery, at every start; EventsHandled and EventsNotHandled to it.
Fails   a Listener when the handler raises, whatever that is: the event is a dead letter, and the next one is handled.
"""

from __future__ import annotations

import contextlib
import inspect
import os
from collections import OrderedDict
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from ....domain.events.catalog import EventNameTakenError, EventUndecodableError
from ....domain.time import SECOND_NS
from ....messages.addresses import DELIVERY
from ....messages.delivery import (
    DeliverEvents,
    EventPublished,
    EventsHandled,
    EventsNotHandled,
    EventsSubscribed,
    SubscribeDurably,
    SubscribeEvents,
    UnsubscribeEvents,
)
from ....messages.system import ActorStatistics
from ...runtime import Bounded, RuntimeActor, conversation, handles, reason_of, trace_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Iterator, MutableMapping

    from ....domain.events.catalog import EventCatalog
    from ....messages.domain_events import DomainEvent
    from ...runtime import ActorAddress, Outcome

WAITING_MAX = 100_000
"""Events that may wait for a handler; one more drops the oldest, which is counted."""

_calling: Final[ContextVar[str]] = ContextVar("natya_listener", default="")
"""Name of the listener whose handler runs in this context, also in a coroutine or a thread that it waits for."""


def is_calling(name: str) -> bool:
    """Tell whether this is called by the handler of the listener of that name, which cannot wait for its own end."""
    return _calling.get() == name


@contextlib.contextmanager
def _handler_of(name: str) -> Iterator[None]:
    token = _calling.set(name)
    try:
        yield
    finally:
        _calling.reset(token)


class HandlerExitedError(Exception):
    """A handler raised what ends a program: `SystemExit`, `KeyboardInterrupt`. It fails one event, as others do."""


class ListenerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The handler, and its events."""

    handler: Callable[[DomainEvent], Any]
    catalog: EventCatalog
    wanted: SubscribeEvents
    where: Callable[[DomainEvent], bool] | None = None


class DurableListenerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The handler, its events, and the terms of delivery."""

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
        self._pid = os.getpid()
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
        try:
            with _handler_of(self.name):
                self._call(published)
        except Exception:
            raise
        except BaseException as fault:
            if os.getpid() != self._pid:  # ends a child process that the handler has forked
                raise
            raise HandlerExitedError(f"{type(fault).__name__}: {reason_of(fault)}") from fault

    def _call(self, published: EventPublished) -> None:
        if _handed(self.settings, self.settings.catalog.read(published), self._run):
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


TURN_PART: Final = 0.1
"""Fraction of the time limit of a batch after which no further event of it is begun: else a handler that is slow but
well would exceed the limit by the number of events alone."""

ANSWER_S = 10.0
AGAIN_S = 0.1
"""Seconds until delivery is asked again where it did not answer."""


class SubscribeDue(msgspec.Struct, frozen=True):
    """To itself: subscribe again."""


class LeaveDue(msgspec.Struct, frozen=True):
    """To itself, from its own handler: unsubscribe when what is under way is settled; it is told to stop next."""


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
        self._count = self._under_way = 0
        self._is_leaving = False
        self._subscribe()

    def is_drained(self) -> bool:
        """Unsubscribe behind the last answer, if the handler wants to leave; delivery's answer is waited for."""
        if self._is_leaving and not self._under_way:
            self._is_leaving = False
            self.ask(DELIVERY, UnsubscribeEvents(subscriber=self.name), timeout_s=ANSWER_S, then=_do_nothing)
        return not self._is_leaving

    @handles(LeaveDue, from_outside=True)
    def leave(self, _due: LeaveDue, _sender: ActorAddress) -> None:
        """Note that the subscription ends with this listener."""
        self._is_leaving = True

    @handles(SubscribeDue)
    def subscribe_again(self, _due: SubscribeDue, _sender: ActorAddress) -> None:
        """Subscribe once more: delivery is being restarted, or was before it answered."""
        self._subscribe()

    @handles(DeliverEvents)
    def handle(self, batch: DeliverEvents, sender: ActorAddress) -> None:
        """Call the handler with each event, on a thread, after the earlier events of its partition."""

        def answer(outcome: Outcome) -> None:
            self._under_way -= 1
            count, answered = outcome.unwrap()
            while len(self._handled) > HANDLED_MAX:
                self._handled.popitem(last=False)
            self._count += count
            self.send(sender, answered)

        self._under_way += 1
        until_ns = self.clock.monotonic_ns() + round(self.settings.wanted.terms.handling_s * TURN_PART * SECOND_NS)
        if batch.replay_id:
            self.offload(self._call_again, batch, until_ns, then=answer, lane="replay")
        else:
            self.offload(self._call_each, batch.events, until_ns, self._handled, then=answer, lane=str(batch.partition))

    def statistics(self) -> ActorStatistics:
        """Count what the handler was called with."""
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

    def _call_again(self, batch: DeliverEvents, until_ns: int) -> tuple[int, EventsHandled | EventsNotHandled]:
        """Call the handler with each event, handled before or not; its requests belong to the replay's conversation."""
        with conversation(batch.replay_id):
            _, answer = self._call_each(batch.events, until_ns, None)
        return 0, answer

    def _call_each(
        self, events: tuple[EventPublished, ...], until_ns: int, had: MutableMapping[str, None] | None
    ) -> tuple[int, EventsHandled | EventsNotHandled]:
        """Call the handler with each event that it has not handled, until the time is over; count calls. On a thread.

        Handled events are noted here, not in the actor: a batch that took too long is delivered again at once, and
        begun before the actor has its turn.
        """
        count = number = 0
        settings, read, now_ns = self.settings, self.settings.catalog.read_any, self.clock.monotonic_ns
        try:
            with _handler_of(self.name):
                for number, published in enumerate(events):
                    if number and now_ns() >= until_ns:
                        return count, EventsHandled(handled=number)
                    if had is None or published.event_id not in had:
                        count += _handed(settings, read(published), _run_alone)
                        if had is not None:
                            had[published.event_id] = None
        except BaseException as fault:  # noqa: BLE001  it is the answer: delivery decides what becomes of it
            return count, EventsNotHandled(
                handled=number,
                error=type(fault).__name__,
                reason=reason_of(fault),
                traceback=trace_of(fault),
                is_permanent=isinstance(fault, EventUndecodableError | EventNameTakenError),
            )
        return count, EventsHandled()


def _do_nothing(_outcome: Outcome) -> None:
    """Do nothing: if delivery did not answer, it finds the listener gone, and the subscription keeps its cursor."""


def _handed(
    settings: ListenerSettings | DurableListenerSettings, event: Any, run: Callable[[Awaitable[Any]], object]
) -> bool:
    """Call the handler with the event, and run what it returns if that is awaitable; False: it is not wanted."""
    if settings.where is not None and not settings.where(event):
        return False
    returned = settings.handler(event)
    if returned is not None and inspect.isawaitable(returned):
        run(returned)
    return True


def _run_alone(awaitable: Awaitable[Any]) -> None:
    import asyncio  # noqa: PLC0415  20 ms that only who awaits has to pay

    asyncio.run(_whole(awaitable))


async def _whole(awaitable: Any) -> Any:
    return await awaitable
