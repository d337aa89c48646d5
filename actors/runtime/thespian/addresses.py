"""Addresses without an actor: the system itself, the mailbox behind `ActorSystem.ask`, a child that never started."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

from thespian.actors import ValidatedSource
from thespian.system import isInternalActorSystemMessage
from thespian.system.messages.status import Thespian_StatusReq, Thespian_SystemStatus
from thespian.system.timing import timePeriodSeconds

from ..endpoint import Endpoint

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from ..endpoint import Envelope
    from .services import ThespianServices


class Admin(Endpoint):
    """The system itself: it answers status requests and takes validated sources."""

    __slots__ = ("_services",)

    idle = False

    def __init__(self, services: ThespianServices) -> None:
        super().__init__("admin")
        self._services = services

    def put(self, envelope: Envelope) -> None:
        """Handle a message to the system itself."""
        message, sender, _ = envelope
        if isinstance(message, Thespian_StatusReq) and isinstance(sender, Endpoint):
            sender.deliver(self._status(), self)
        elif isinstance(message, ValidatedSource):
            self._services.sources.validated(message.sourceHash, message.sourceZip)

    def _status(self) -> Thespian_SystemStatus:
        services = self._services
        status = Thespian_SystemStatus(self, capabilities=dict(services.capabilities))
        status.setDeadLetterHandler(services.dead_letters.thespian_handler)
        status.sourceAuthority = services.sources.authority
        status.loadedSources = [(source_hash, "") for source_hash in services.sources.hashes()]
        for name, address in tuple(services.global_names.items()):
            status.addGlobalActor(name, address)
        for cell in services.primaries():
            status.addChild(cell)
        return status


class Mailroom(Endpoint):
    """The mailbox of one outside caller, with Thespian's meaning of `ask`: whatever arrives first is the answer."""

    __slots__ = ("_closed", "_queue", "_services")

    idle = False

    def __init__(self, services: ThespianServices, label: str) -> None:
        super().__init__(label)
        self._services = services
        self._closed = False
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def put(self, envelope: Envelope) -> None:
        """Keep it for `listen`, unless it is an internal message of Thespian."""
        if self._closed:
            self._services.dead_letters.undelivered(self, *envelope[:2], "its context has ended", envelope[2])
        elif not isInternalActorSystemMessage(envelope[0]):
            self._queue.put(envelope[0])

    def tell(self, target: ActorAddress, message: Any) -> None:
        """Send; answers come to `listen`."""
        self._services.send_from_outside(target, message, self)

    def ask(self, target: ActorAddress, message: Any, timeout: Any) -> Any:
        """Send, and return what arrives first, be it the answer to this or to an earlier request."""
        self.tell(target, message)
        return self.listen(timeout)

    def listen(self, timeout: Any) -> Any:
        """Return what arrives first; None after the timeout."""
        try:
            return self._queue.get(timeout=None if timeout is None else max(timePeriodSeconds(timeout), 0))
        except queue.Empty:
            return None

    def newPrimaryActor(self, *arguments: Any) -> Any:  # noqa: N802  Thespian's name
        """Make an actor without a parent."""
        return self._services.newPrimaryActor(*arguments)

    def exit_context(self) -> None:
        """Close the mailbox."""
        self._closed = True


class Stillborn(Endpoint):
    """The address of a child that could not be made."""

    __slots__ = ("_services",)

    idle = False

    def __init__(self, label: str, services: ThespianServices) -> None:
        super().__init__(label)
        self._services = services

    def put(self, envelope: Envelope) -> None:
        """Make it a dead letter."""
        self._services.dead_letters.undelivered(self, *envelope[:2], "it was never started", envelope[2])
