"""The methods that Thespian's `ActorSystem` and its plain actors call on the system base."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import logging
import sys
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from thespian.actors import (
    ActorSystemException,
    ChildActorExited,
    NoCompatibleSystemForActor,
    ThespianGeneration,
    WakeupMessage,
)
from thespian.system.timing import ExpirationTimer
from thespian.system.utilis import actualActorClass, checkActorCapabilities

from ....domain.time import SECOND_NS
from ..cell import Cell
from ..endpoint import Endpoint
from .addresses import Admin, Mailroom, Stillborn
from .cell import ThespianCell
from .services import ThespianServices
from .watches import Watches

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from ..worker import Worker

SYSTEM_ADDRESS = "/ActorSys"
"""What `ActorSystem.systemAddress` says."""

_log = logging.getLogger("natya")


class ThespianDoor(ThespianServices):
    """The part of the base that implements Thespian's own interface."""

    _cells: dict[Cell, None]

    def __init__(self, capabilities: dict[str, Any] | None, *, own_threads: bool) -> None:
        self.capabilities = {
            "Python Version": tuple(sys.version_info),
            "Thespian ActorSystem Name": "natya",
            "Thespian ActorSystem Version": 2,
            "Thespian Generation": ThespianGeneration,
            "Thespian Version": str(time.time_ns() // 1_000_000),
            "Thespian Watch Supported": True,
            **(capabilities or {}),
        }
        self.own_threads = own_threads
        self.global_names: dict[str, Cell] = {}
        self.admin = Admin(self)
        self.watches = Watches()
        self._mailroom = Mailroom(self, "mailroom")
        self._created = itertools.count()

    def _check_running(self) -> None:
        raise NotImplementedError

    def _new_worker(self, name: str) -> Worker:
        raise NotImplementedError

    def _new_cell_of_ours(self, label: str, actor_class: type, parent: Cell | None) -> Cell | None:
        """Make the cell of a `RuntimeActor`; None: the class is a plain Thespian actor."""
        raise NotImplementedError

    def _adopt(self, cell: Cell) -> None:
        raise NotImplementedError

    # For Thespian's `ActorSystem`.

    def newPrimaryActor(  # noqa: N802
        self, actor_class: Any, requirements: Any = None, global_name: str | None = None, source_hash: str | None = None
    ) -> ActorAddress:
        """Make an actor without a parent, and wait until it is constructed.

        Raises:
            Exception: whatever its construction raised.
        """
        if global_name and global_name in self.global_names:
            return self.global_names[global_name]
        cell = self.create(actor_class, requirements, global_name, source_hash, parent=None)
        if isinstance(cell, ThespianCell):
            self._construct(cell)
        return cell

    def create_child(
        self, actor_class: Any, requirements: Any, global_name: str | None, source_hash: str | None, parent: Cell
    ) -> ActorAddress:
        """Make a child, constructed on its own thread; an actor that is exiting gets an address without an actor."""
        if getattr(parent, "exiting", False):
            return Stillborn(f"{parent}~{next(self._created)}", self)
        try:
            cell = self.create(actor_class, requirements, global_name, source_hash, parent=parent)
        except ActorSystemException:
            _log.warning("actor.start_failed", exc_info=True, extra={"actor": str(actor_class), "fields": {}})
            nobody = Stillborn(f"{parent}~{next(self._created)}", self)
            parent.deliver(ChildActorExited(nobody), self.admin)
            return nobody
        if isinstance(cell, ThespianCell) and cell.instance is None:
            if cell.worker.is_here():
                cell.construct()
            else:
                cell.control(None, self.admin)
        return cell

    def _construct(self, cell: ThespianCell) -> None:
        done: Future[None] = Future()
        cell.control(done, self.admin)
        if cell.worker.is_here():
            cell.turn()
        done.result()

    def tell(self, target: ActorAddress, message: Any) -> None:
        """Send from the main mailbox."""
        self._mailroom.tell(target, message)

    def ask(self, target: ActorAddress, message: Any, timeout: Any) -> Any:
        """Send, and return what comes first to the main mailbox."""
        return self._mailroom.ask(target, message, timeout)

    def listen(self, timeout: Any) -> Any:
        """Return what comes first to the main mailbox."""
        return self._mailroom.listen(timeout)

    def external_clone(self) -> Mailroom:
        """Open another mailbox; what `ActorSystem.private` hands out."""
        return Mailroom(self, f"mailroom~{next(self._created)}")

    def updateCapability(self, name: str, value: Any = None) -> None:  # noqa: N802
        """Change or (None) remove a capability; actors that need it otherwise exit."""
        if value is None:
            self.capabilities.pop(name, None)
        else:
            self.capabilities[name] = value
        for cell in tuple(self._cells):
            if isinstance(cell, ThespianCell) and not checkActorCapabilities(
                cell.actor_class, self.capabilities, cell.requirements
            ):
                cell.exit(self.admin)

    def loadActorSource(self, source: Any) -> str:  # noqa: N802
        """Load a zip of actors and return its hash."""
        return self.sources.load(source)

    def unloadActorSource(self, source_hash: str) -> None:  # noqa: N802
        """Unload it."""
        self.sources.unload(source_hash)

    def _handleDeadLetters(self, address: ActorAddress, enable: Any) -> None:  # noqa: N802
        if isinstance(address, Cell):
            if enable:
                self.dead_letters.thespian_handler = address
            elif self.dead_letters.thespian_handler is address:
                self.dead_letters.thespian_handler = None

    # For actors, and for both.

    def create(
        self,
        actor_class: Any,
        requirements: Any,
        global_name: str | None,
        source_hash: str | None,
        *,
        parent: Cell | None,
    ) -> Cell:
        """Make a cell as Thespian's `createActor` asks for it; for a child, `ChildActorExited` tells that it failed."""
        if global_name and global_name in self.global_names:
            return self.global_names[global_name]
        self._check_running()
        cell = self._new_cell(actor_class, requirements, source_hash, parent)
        if global_name:
            cell.global_name = global_name
            if self.global_names.setdefault(global_name, cell) is not cell:
                return self.global_names[global_name]
        self._adopt(cell)
        return cell

    def _new_cell(self, actor_class: Any, requirements: Any, source_hash: str | None, parent: Cell | None) -> Cell:
        label = f"{parent or '/A'}~{next(self._created)}"
        loader = functools.partial(self.sources.find_class, source_hash) if source_hash else None
        found = actualActorClass(actor_class, loader)
        if hasattr(found, "actorSystemCapabilityCheck") and not checkActorCapabilities(
            found, self.capabilities, requirements
        ):
            raise NoCompatibleSystemForActor(found, "No compatible ActorSystem")
        cell = self._new_cell_of_ours(label, found, parent)
        if cell is not None:
            return cell
        blocking = self.own_threads or getattr(found, "blocking", False)
        worker = self._new_worker(label) if blocking else self.loop
        return ThespianCell(
            label,
            found,
            services=self,
            worker=worker,
            parent=parent,
            requirements=requirements,
            source_hash=source_hash,
        )

    def wake_up_later(self, cell: Cell, seconds: float, period: Any, payload: Any) -> None:
        """Deliver a `WakeupMessage` to this cell later."""
        expiration = ExpirationTimer(dt.timedelta(seconds=seconds))

        def fire() -> None:
            cell.wakeups.remove(expiration)
            if not cell.dead:
                cell.deliver(WakeupMessage(period, payload), cell)

        cell.wakeups.append(expiration)
        cell.worker.timers.add(self.clock.monotonic_ns() + int(seconds * SECOND_NS), fire)
        if cell.worker.asleep:
            cell.worker.wake()

    def send_abroad(self, target: ActorAddress, message: Any, sender: ActorAddress) -> None:
        """Send to an address that is no `Endpoint`: the system's own, or one of another system (a dead letter)."""
        if target.actorAddressString == SYSTEM_ADDRESS:
            self.admin.deliver(message, sender)
        else:
            self.dead_letters.undelivered(target, message, sender, "its address is not of this system")

    def send_from_outside(self, target: ActorAddress, message: Any, sender: ActorAddress) -> None:
        """Send for `ActorSystem.tell` and `ask`."""
        if isinstance(target, Endpoint):
            target.deliver(message, sender, self.tracer.begin())
        else:
            self.send_abroad(target, message, sender)
