"""What Thespian's `Actor` calls on `_myRef`: Thespian's names, our base's deeds."""
# ruff: noqa: N802  the names are Thespian's

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from thespian.system.timing import timePeriodSeconds

from ..endpoint import Endpoint
from ..trace import NO_CONVERSATION

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from ..base import InProcessSystemBase
    from ..cell import Cell


class ThespianCalls(Endpoint):
    """The part of a cell that makes it its actor's `_myRef`."""

    __slots__ = ()

    base: InProcessSystemBase
    global_name: str | None

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
        return self.base.create_child(actor_class, requirements, global_name, source_hash or own, cast("Cell", self))

    def actor_send(self, target: Any, message: Any) -> None:
        """Send; `Actor.send` has checked that the target is an address."""
        try:
            target.put((message, self, NO_CONVERSATION))
        except AttributeError:
            if hasattr(target, "put"):
                raise
            self.base.send_abroad(target, message, self)
            return
        if target.idle:
            target.idle = False
            target.ready(target)
            if target.worker.asleep:
                target.worker.wake()

    def wakeupAfter(self, period: Any, payload: Any) -> None:
        """Deliver a `WakeupMessage` to itself later."""
        self.base.wake_up_later(cast("Cell", self), timePeriodSeconds(period), period, payload)

    def handleDeadLetters(self, address: ActorAddress, enable: Any) -> None:
        """Register for dead letters."""
        self.base._handleDeadLetters(address, enable)  # noqa: SLF001  Thespian's contract

    def registerSourceAuthority(self, address: ActorAddress) -> None:
        """Register as who validates sources."""
        self.base.sources.authority = address

    def notifyOnSourceAvailability(self, address: ActorAddress, enable: Any) -> None:
        """Hear of loaded and unloaded sources."""
        self.base.sources.notify(address, enable=bool(enable))

    def loadActorSource(self, source: Any) -> str:
        """Load a zip of actors."""
        return self.base.sources.load(source)

    def unloadActorSource(self, source_hash: str) -> None:
        """Unload it."""
        self.base.sources.unload(source_hash)

    def updateCapability(self, name: str, value: Any) -> None:
        """Change a capability; actors that need it otherwise exit."""
        self.base.updateCapability(name, value)

    def notifyOnSystemRegistrationChanges(self, address: ActorAddress, enable: Any) -> None:
        """Nothing: a system in one process registers nowhere."""

    def preRegisterRemoteSystem(self, address: Any, capabilities: Any) -> None:
        """Nothing, for the same reason."""

    def deRegisterRemoteSystem(self, address: Any) -> None:
        """Nothing, for the same reason."""

    def actorSystemShutdown(self) -> None:
        """End the system, without waiting on the actor's own thread."""
        self.base.shutdown_soon()
