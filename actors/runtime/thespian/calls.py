"""The methods that Thespian's `Actor` calls on `_myRef`, its cell."""
# ruff: noqa: N802  the names are Thespian's

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from thespian.system.timing import timePeriodSeconds

from ..cell import Cell
from ..trace import NO_CONVERSATION

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from ..endpoint import Endpoint
    from ..worker import Worker
    from .services import ThespianServices


class ThespianCalls(Cell):
    """A cell that an actor knows as its `_myRef`."""

    __slots__ = ("services",)

    def __init__(self, label: str, *, services: ThespianServices, worker: Worker, parent: Cell | None) -> None:
        super().__init__(label, dead_letters=services.dead_letters, worker=worker, parent=parent)
        self.services = services

    @property
    def address(self) -> Endpoint:
        """Itself; `Actor.myAddress` reads it."""
        return self

    @property
    def globalName(self) -> str | None:
        """The global name, None without."""
        return self.global_name

    def createActor(self, actor_class: Any, requirements: Any, global_name: str | None, source_hash: str | None) -> Any:
        """Make a child."""
        own = getattr(self, "source_hash", None)
        return self.services.create_child(actor_class, requirements, global_name, source_hash or own, self)

    def actor_send(self, target: Any, message: Any) -> None:
        """Send; `Actor.send` has checked that the target is an address."""
        try:
            target.put((message, self, NO_CONVERSATION))
        except AttributeError:
            if hasattr(target, "put"):
                raise
            self.services.send_abroad(target, message, self)
            return
        if target.idle:
            target.idle = False
            target.ready(target)
            if target.worker.asleep:
                target.worker.wake()

    def wakeupAfter(self, period: Any, payload: Any) -> None:
        """Deliver a `WakeupMessage` to itself later."""
        self.services.wake_up_later(self, timePeriodSeconds(period), period, payload)

    def handleDeadLetters(self, address: ActorAddress, enable: Any) -> None:
        """Register for dead letters."""
        self.services._handleDeadLetters(address, enable)  # noqa: SLF001  Thespian's contract

    def registerSourceAuthority(self, address: ActorAddress) -> None:
        """Register as the authority that validates sources."""
        self.services.sources.authority = address

    def notifyOnSourceAvailability(self, address: ActorAddress, enable: Any) -> None:
        """Register for notices of loaded and unloaded sources."""
        self.services.sources.notify(address, enable=bool(enable))

    def loadActorSource(self, source: Any) -> str:
        """Load a zip of actors."""
        return self.services.sources.load(source)

    def unloadActorSource(self, source_hash: str) -> None:
        """Unload it."""
        self.services.sources.unload(source_hash)

    def updateCapability(self, name: str, value: Any) -> None:
        """Change a capability; actors that need it otherwise exit."""
        self.services.updateCapability(name, value)

    def notifyOnSystemRegistrationChanges(self, address: ActorAddress, enable: Any) -> None:
        """Do nothing: a system in one process registers with no other."""

    def preRegisterRemoteSystem(self, address: Any, capabilities: Any) -> None:
        """Do nothing, for the same reason."""

    def deRegisterRemoteSystem(self, address: Any) -> None:
        """Do nothing, for the same reason."""

    def actorSystemShutdown(self) -> None:
        """End the system, without waiting on the actor's own thread."""
        self.services.shutdown_soon()
