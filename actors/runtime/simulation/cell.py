"""The cell of an actor in a simulation: turns of a size that the seed chooses, and faults on the way in and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..cell import BATCH
from ..runtime_cell import RuntimeCell
from ..trace import NO_CONVERSATION
from .injector import AFTER, BEFORE

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from ..dispatch import Handler
    from ..proof import Handlers
    from ..trace import Trace
    from .services import SimulatedServices

BATCHES = (1, 1, 1, 2, 4, BATCH)
"""Messages in one turn. Mostly few: then others come between them."""


class SimulatedCell(RuntimeCell):
    """Runs one `RuntimeActor` as `RuntimeCell` does, with the injected faults."""

    __slots__ = ("_sends_left",)

    services: SimulatedServices

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._use(CrashingHandlers(self, self._table))
        self._sends_left: int | None = None

    @property
    def batch(self) -> int:  # type: ignore[override]
        """Messages in the next turn."""
        return self.services.random.choice(BATCHES)

    def deliver(self, message: Any, sender: ActorAddress, trace: Trace = NO_CONVERSATION) -> None:
        """Send over a link that may lose, repeat or delay the message; messages of an actor to itself are safe."""
        if sender is self:
            super().deliver(message, sender, trace)
        else:
            self.services.links.carry(message, sender, trace if isinstance(trace, int) else trace.stamp(), self)

    def arrive(self, message: Any, sender: ActorAddress, trace: Trace) -> None:
        """Take a message from its link."""
        super().deliver(message, sender, trace)

    def send_elsewhere(self, target: ActorAddress | str, message: Any) -> None:
        """Send for the instance, or crash here."""
        if self._sends_left is not None:
            self._sends_left -= 1
            if not self._sends_left:
                raise self.services.injector.crash("inside of the handler")
        super().send_elsewhere(target, message)

    def crash_in(self, handler: Handler, point: int) -> Handler:
        """Make a handler that does what this one does up to the point of the crash."""

        def crash(instance: Any, message: Any, sender: ActorAddress) -> None:
            if point == BEFORE:
                raise self.services.injector.crash("before the handler")
            self._sends_left = None if point == AFTER else point
            try:
                handler(instance, message, sender)
            finally:
                self._sends_left = None
            raise self.services.injector.crash("after the handler")

        return crash

    def _log_failure(self, event: str, error: BaseException) -> None:
        if isinstance(error, self.services.fatal):
            raise error
        super()._log_failure(event, error)


class CrashingHandlers:
    """A handler table whose handlers crash where the injector says so."""

    def __init__(self, cell: SimulatedCell, table: Handlers) -> None:
        self._cell = cell
        self._table = table

    def __getitem__(self, message_type: type) -> Handler:
        handler = self._table[message_type]
        point = self._cell.services.injector.crash_point(self._cell.name, message_type)
        return handler if point is None else self._cell.crash_in(handler, point)
