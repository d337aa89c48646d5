"""The actor that calls a user's handler with events.

Owns    one handler, and the asyncio loop on which it runs if it is a coroutine function.
Hears   EventPublished, from delivery; EventsSubscribed.
Sends   SubscribeEvents to delivery, at every start.
Fails   when the handler raises: the event is a dead letter, and the next one is handled.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from ....messages.addresses import DELIVERY
from ....messages.delivery import EventPublished, EventsSubscribed, SubscribeEvents
from ....messages.system import ActorStatistics
from ...runtime import Bounded, RuntimeActor, handles

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from ....domain.events.catalog import EventCatalog
    from ....messages.domain_events import DomainEvent
    from ...runtime import ActorAddress

WAITING_MAX = 100_000
"""Events that may wait for a handler; one more drops the oldest, which is counted."""


class ListenerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What it calls, and with which events."""

    handler: Callable[[DomainEvent], Any]
    catalog: EventCatalog
    wanted: SubscribeEvents
    where: Callable[[DomainEvent], bool] | None = None


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

        async def whole() -> Any:
            return await awaitable

        self._runner.run(whole())
