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

    from ..base import InProcessSystemBase
    from ..endpoint import Envelope


class Admin(Endpoint):
    """The system itself: it answers status requests and takes validated sources."""

    __slots__ = ("_base",)

    idle = False

    def __init__(self, base: InProcessSystemBase) -> None:
        super().__init__("admin")
        self._base = base

    def put(self, envelope: Envelope) -> None:
        """Take what is meant for the system."""
        message, sender, _ = envelope
        if isinstance(message, Thespian_StatusReq) and isinstance(sender, Endpoint):
            sender.deliver(self._status(), self)
        elif isinstance(message, ValidatedSource):
            self._base.sources.validated(message.sourceHash, message.sourceZip)

    def _status(self) -> Thespian_SystemStatus:
        base = self._base
        status = Thespian_SystemStatus(self, capabilities=dict(base.capabilities))
        status.setDeadLetterHandler(base.dead_letters.thespian_handler)
        status.sourceAuthority = base.sources.authority
        status.loadedSources = [(source_hash, "") for source_hash in base.sources.hashes()]
        for name, address in tuple(base.global_names.items()):
            status.addGlobalActor(name, address)
        for cell in base.primaries():
            status.addChild(cell)
        return status


class Mailroom(Endpoint):
    """One caller's own mailbox, with Thespian's meaning of `ask`: whatever comes first is the answer."""

    __slots__ = ("_base", "_closed", "_queue")

    idle = False

    def __init__(self, base: InProcessSystemBase, label: str) -> None:
        super().__init__(label)
        self._base = base
        self._closed = False
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def put(self, envelope: Envelope) -> None:
        """Keep it for `listen`, if it is meant for people."""
        if self._closed:
            self._base.dead_letters.undelivered(self, *envelope[:2], "its context has ended", envelope[2])
        elif not isInternalActorSystemMessage(envelope[0]):
            self._queue.put(envelope[0])

    def tell(self, target: ActorAddress, message: Any) -> None:
        """Send; answers come to `listen`."""
        self._base.send_from_outside(target, message, self)

    def ask(self, target: ActorAddress, message: Any, timeout: Any) -> Any:
        """Send, and return what comes first, be it an answer to this or to something older."""
        self.tell(target, message)
        return self.listen(timeout)

    def listen(self, timeout: Any) -> Any:
        """Return what comes first; None after the time-out."""
        try:
            return self._queue.get(timeout=None if timeout is None else max(timePeriodSeconds(timeout), 0))
        except queue.Empty:
            return None

    def newPrimaryActor(self, *arguments: Any) -> Any:  # noqa: N802  Thespian's name
        """Make an actor without a parent."""
        return self._base.newPrimaryActor(*arguments)

    def exit_context(self) -> None:
        """Take nothing more."""
        self._closed = True


class Stillborn(Endpoint):
    """The address of a child that could not be made."""

    __slots__ = ("_base",)

    idle = False

    def __init__(self, label: str, base: InProcessSystemBase) -> None:
        super().__init__(label)
        self._base = base

    def put(self, envelope: Envelope) -> None:
        """Bury it."""
        self._base.dead_letters.undelivered(self, *envelope[:2], "it was never started", envelope[2])
