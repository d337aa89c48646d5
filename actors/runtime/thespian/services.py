"""What the Thespian part of a cell may use of the system, besides `Services`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..services import Services

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from ..cell import Cell
    from ..endpoint import Endpoint
    from .sources import Sources
    from .watches import Watches


class ThespianServices(Services, Protocol):
    """What the cells and addresses of this package use of the base."""

    capabilities: dict[str, Any]
    global_names: dict[str, Cell]

    admin: Endpoint
    """The system itself as an address."""

    sources: Sources
    watches: Watches

    def newPrimaryActor(  # noqa: N802  Thespian's name
        self, actor_class: Any, requirements: Any = None, global_name: str | None = None, source_hash: str | None = None
    ) -> ActorAddress:
        """Make an actor without a parent, and wait until it is constructed."""
        ...

    def create_child(
        self, actor_class: Any, requirements: Any, global_name: str | None, source_hash: str | None, parent: Cell
    ) -> ActorAddress:
        """Make a child."""
        ...

    def updateCapability(self, name: str, value: Any = None) -> None:  # noqa: N802  Thespian's name
        """Change or (None) remove a capability; actors that need it otherwise exit."""
        ...

    def _handleDeadLetters(self, address: ActorAddress, enable: Any) -> None:  # noqa: N802  Thespian's name
        """Register or remove the actor that Thespian's dead letters go to."""
        ...

    def wake_up_later(self, cell: Cell, seconds: float, period: Any, payload: Any) -> None:
        """Deliver a `WakeupMessage` to this cell later."""
        ...

    def send_abroad(self, target: ActorAddress, message: Any, sender: ActorAddress) -> None:
        """Send to an address that is no `Endpoint`: the system's own, or one of another system (a dead letter)."""
        ...

    def send_from_outside(self, target: ActorAddress, message: Any, sender: ActorAddress) -> None:
        """Send for `ActorSystem.tell` and `ask`."""
        ...

    def primaries(self) -> tuple[Cell, ...]:
        """Return every actor without a parent."""
        ...

    def shutdown_soon(self) -> None:
        """Shut down without waiting, as an actor may ask."""
        ...
