"""The cell of a plain Thespian actor, with Thespian's semantics: one retry, PoisonMessage, exits from the leaves up."""

from __future__ import annotations

import functools
import inspect
import logging
from typing import TYPE_CHECKING, Any, cast

from thespian.actors import (
    Actor,
    ActorExitRequest,
    ActorSystemMessage,
    ChildActorExited,
    PoisonMessage,
    ThespianWatch,
)
from thespian.system.messages.status import Thespian_ActorStatus, Thespian_StatusReq

from ..cell import BATCH
from ..endpoint import Endpoint, sayable
from ..errors import trace_of
from .calls import ThespianCalls

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from ..cell import Cell
    from ..worker import Worker
    from .services import ThespianServices

_log = logging.getLogger("natya")


class ThespianCell(ThespianCalls):
    """Runs one plain actor. A handler that raises is tried once more, then the sender gets a `PoisonMessage`."""

    __slots__ = ("actor_class", "exiting", "requirements", "says", "source_hash", "watching")

    def __init__(  # noqa: PLR0913  what Thespian says about an actor
        self,
        label: str,
        actor_class: type[Actor],
        *,
        services: ThespianServices,
        worker: Worker,
        parent: Cell | None,
        requirements: Any = None,
        source_hash: str | None = None,
    ) -> None:
        super().__init__(label, services=services, worker=worker, parent=parent)
        self.actor_class = actor_class
        self.says = sayable(None, parent)
        self.requirements = requirements
        self.source_hash = source_hash
        self.exiting = False
        self.watching = False

    def construct(self) -> BaseException | None:
        """Make the instance, on the cell's own thread; if that raises, exit and return the error."""
        try:
            self._construct()
        except BaseException as error:  # noqa: BLE001  raised to the creator, if it waits
            _log.warning("actor.start_failed", exc_info=True, extra={"actor": str(self), "fields": {}})
            self._depart()
            return error
        return None

    def _construct(self) -> None:
        wanted = _init_arguments(cast("Any", self.actor_class))
        if wanted:
            offered = {"capabilities": self.services.capabilities, "requirements": self.requirements}
            self.instance = self.actor_class(**{name: value for name, value in offered.items() if name in wanted})
        else:
            self.instance = self.actor_class()
        vars(self.instance)["_myRef"] = self
        if hasattr(self.actor_class, "_post_init_pending"):
            # `initializing_messages` keeps its list on the class: two actors that start at once would share it.
            vars(self.instance)["_post_init_pending"] = []

    def turn(self) -> None:
        """Handle up to a batch of the mailbox."""
        if self.special:  # by `control`, whose turn this is or follows: each message has scheduled one of its own
            self._attend()
            return
        box = self.box
        depth = len(box)
        if depth > self.high_water:  # noqa: PLR1730  as in `RuntimeCell.turn`
            self.high_water = depth
        for _ in range(min(depth, BATCH)):
            message, sender, _ = box.popleft()
            if isinstance(message, ActorSystemMessage):
                self._system_message(message, sender)
                if self.dead:
                    return
            elif self.exiting:
                self.dead_letters.undelivered(self, message, sender, "it is exiting")
            else:
                self._handle(message, sender)
                if self.dead:
                    return
        self.handled += min(depth, BATCH)
        if box:
            self.ready(self)
        else:
            self.rest()

    def _attend(self) -> None:
        self.special = False
        while self.control_box:
            constructed, _ = self.control_box.pop(0)
            error = self.construct()
            if constructed is None:
                continue
            if error is None:
                constructed.set_result(None)
            else:
                constructed.set_exception(error)

    def _handle(self, message: Any, sender: ActorAddress) -> None:
        try:
            result = self.instance.receiveMessage(message, sender)
        except Exception:  # noqa: BLE001  Thespian's rule: once more, then poison
            self._handle_again(message, sender)
            return
        except BaseException:  # noqa: BLE001  it ends its process on other bases, and so here the actor alone
            self._exit_by_itself()
            return
        if result is not None or self.watching:
            self._watch(result)

    def _handle_again(self, message: Any, sender: ActorAddress) -> None:
        try:
            result = self.instance.receiveMessage(message, sender)
        except Exception as error:  # noqa: BLE001  the same rule
            if self.services.failures_logged.spend(self.services.clock.monotonic_ns()):
                _log.warning("handler.failed", exc_info=True, extra={"actor": str(self), "fields": {}})
            if not isinstance(message, PoisonMessage) and isinstance(sender, Endpoint):
                sender.deliver(PoisonMessage(message, trace_of(error)), self)
            return
        except BaseException:  # noqa: BLE001  the same
            self._exit_by_itself()
            return
        self._watch(result)

    def _exit_by_itself(self) -> None:
        _log.warning("actor.exited", exc_info=True, extra={"actor": str(self), "fields": {}})
        self._depart()

    def turn_failed(self, error: BaseException) -> None:
        """Exit: the outcome of the current message is unknown."""
        del error  # logged already
        if not self.dead:
            self._depart()

    def _watch(self, result: Any) -> None:
        filenos = result.filenos if isinstance(result, ThespianWatch) else ()
        self.watching = bool(filenos)
        self.services.watches.replace(self, filenos)

    def _system_message(self, message: ActorSystemMessage, sender: ActorAddress) -> None:
        if isinstance(message, Thespian_StatusReq):
            self._tell_status(sender)
        elif isinstance(message, ActorExitRequest):
            self._begin_exit(message, sender)
        elif isinstance(message, ChildActorExited):
            self._handle(message, sender)
            if self.exiting and not self.children and not self.dead:
                self._depart()
        elif self.exiting:
            self.dead_letters.undelivered(self, message, sender, "it is exiting")
        else:
            self._handle(message, sender)

    def _tell_status(self, sender: ActorAddress) -> None:
        parent = self.parent or self.services.admin
        status = Thespian_ActorStatus(
            self, self.actor_class.__name__, self.services.admin, parent, self.source_hash, self.exiting or None
        )
        for child in tuple(self.children):
            status.addChild(child)
        status.addWakeups([(self, expiration) for expiration in self.wakeups])
        if isinstance(sender, Endpoint):
            sender.deliver(status, self)

    def _begin_exit(self, request: ActorExitRequest, sender: ActorAddress) -> None:
        if self.exiting:
            return
        self.exiting = True
        try:
            self.instance.receiveMessage(request, sender)
        except BaseException:  # noqa: BLE001  it exits anyway
            _log.warning("actor.stop_failed", exc_info=True, extra={"actor": str(self), "fields": {}})
        if request.isRecursive and self.children:
            for child in tuple(self.children):
                child.exit(self)
        else:
            self._depart()

    def _depart(self) -> None:
        children = tuple(self.children) if not self.exiting else ()
        if self.watching:
            self._watch(None)
        self.services.forget(self)
        self.bury("it has exited")
        for child in children:
            child.exit(self.services.admin)
        if self.parent is not None:
            self.parent.deliver(ChildActorExited(self), self.services.admin)

    def exit(self, sender: ActorAddress) -> None:
        """Ask it to exit, after what is in its mailbox."""
        self.deliver(ActorExitRequest(), sender)


@functools.cache
def _init_arguments(actor_class: type) -> frozenset[str]:
    # Thespian's own `withPossibleInitArgs` inspects at every creation: 40 us of the 4 that one takes.
    try:
        return frozenset(inspect.signature(actor_class).parameters)
    except (TypeError, ValueError):  # a class of C, or with a strange signature: no arguments then
        return frozenset()
