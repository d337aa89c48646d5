"""The in-process system base: the object that Thespian's `ActorSystem` calls, and what its cells share."""

from __future__ import annotations

import random
import threading
from typing import TYPE_CHECKING, Any

from . import lifecycle
from .cell import Cell, Endpoint
from .clock import SystemClock
from .dead_letters import DeadLetters, RateLimit
from .errors import NameTakenError, SystemStoppedError, UnknownActorError, WouldDeadlockError
from .quiet import Quiescence
from .requests import BlockingReply, FutureReply
from .runtime_cell import RuntimeCell
from .worker import Worker

if TYPE_CHECKING:
    from concurrent.futures import Future

    from thespian.actors import ActorAddress

    from .actor import RuntimeActor
    from .cell import Envelope
    from .clock import Clock

FAILURES_LOGGED_A_SECOND_MAX = 100


class Outside(Endpoint):
    """The sender of what comes from no actor. What is sent to it is a dead letter."""

    __slots__ = ("_base",)

    wants_answer = False
    idle = False

    def __init__(self, base: InProcessSystemBase) -> None:
        super().__init__("outside")
        self._base = base

    def put(self, envelope: Envelope) -> None:
        """Bury it."""
        self._base.dead_letters.undelivered(self, envelope[0], envelope[1], "it was told from outside, not asked")


class InProcessSystemBase:
    """Runs actors in this process: messages by reference, one loop thread, own threads for actors that block.

    Give it to Thespian as an object: `ActorSystem(systemBase=InProcessSystemBase(), transientUnique=True)`. Without the
    latter Thespian keeps an earlier base of the same class; capabilities given to `ActorSystem` itself are lost.
    """

    def __init__(
        self,
        capabilities: dict[str, Any] | None = None,
        *,
        clock: Clock | None = None,
        seed: int | None = None,
        shutdown_s: float = 10.0,
    ) -> None:
        self.capabilities = dict(capabilities or {})
        self.clock: Clock = clock or SystemClock()
        self.names: dict[str, Endpoint] = {}
        self.outside = Outside(self)
        self.dead_letters = DeadLetters(names=self.names, clock=self.clock, outside=self.outside)
        self.failures_logged = RateLimit(FAILURES_LOGGED_A_SECOND_MAX)
        self.quiet = Quiescence()
        self.loop = Worker("natya-loop", self.clock, self.quiet.test)
        self._seed = seed
        self._shutdown_s = shutdown_s
        self._cells: dict[Cell, None] = {}
        self._all_gone = threading.Event()
        self._stopped = False
        self.quiet.attach(self.loop)
        self.loop.start()

    # For our own actors and those who run them.

    def start_actor(  # noqa: PLR0913  all but three have one value for outsiders, another for supervisors
        self,
        name: str,
        actor_class: type[RuntimeActor],
        settings: Any,
        *,
        parent: Cell | None = None,
        supervised: bool = False,
        starter: ActorAddress | None = None,
    ) -> RuntimeCell:
        """Make a cell of that name and let it start; the starter, or else the supervising parent, hears how it went.

        Raises:
            NameTakenError: an actor of that name runs.
            SystemStoppedError: the system was shut down.
        """
        self._check_running()
        worker = self._new_worker(name) if actor_class.blocking else self.loop
        cell = RuntimeCell(name, actor_class, base=self, worker=worker, parent=parent)
        cell.name = name
        if self.names.setdefault(name, cell) is not cell:
            raise NameTakenError(f"an actor named {name!r} runs already")
        self._adopt(cell)
        supervisor = parent if supervised else None
        cell.control(
            lifecycle.Start(name=name, settings=settings, starter=starter, supervisor=supervisor), self.outside
        )
        return cell

    def equip(self, cell: RuntimeCell, instance: RuntimeActor, settings: Any) -> None:
        """Give a fresh instance what it may use from `on_start` on."""
        vars(instance)["_myRef"] = cell
        instance.host = cell
        instance.name = cell.name
        instance.settings = settings
        instance.clock = self.clock
        seed = None if self._seed is None else f"{self._seed}/{cell.name}/{cell.life}"
        instance.random = random.Random(seed)  # noqa: S311  for back-off and the like, no secrets

    def forget(self, cell: Cell) -> None:
        """Free what a dead cell had: its name, its thread."""
        self._cells.pop(cell, None)
        if self.names.get(cell.name) is cell:
            del self.names[cell.name]
        if cell.parent is not None:
            cell.parent.children.pop(cell, None)
        if cell.worker is not self.loop:
            self.quiet.unwatch(cell.worker)
            cell.worker.stop()
        if not self._cells:
            self._all_gone.set()

    def find(self, target: ActorAddress | str) -> Endpoint:
        """Return the address of a name, or the address itself.

        Raises:
            UnknownActorError: no such name, or no address of this system.
        """
        found = self.names.get(target) if isinstance(target, str) else target
        if not isinstance(found, Endpoint):
            raise UnknownActorError(
                f"no actor named {target!r} runs; there are: {', '.join(sorted(self.names)) or 'none'}"
            )
        return found

    def tell_from(self, sender: ActorAddress, target: ActorAddress | str, message: Any) -> None:
        """Send from outside, in the name of `sender`."""
        self.find(target).deliver(message, sender)

    def request(self, target: ActorAddress | str, message: Any, timeout_s: float) -> Any:
        """Send and wait for the one answer to this message.

        Raises:
            RequestTimedOut: no answer came in time.
            UnknownActorError: no actor of that name runs.
            WouldDeadlockError: called by an actor, on the shared loop.
        """
        self._check_may_wait()
        reply = BlockingReply(self.dead_letters)
        self.tell_from(reply, target, message)
        return reply.wait(timeout_s)

    def request_future(self, target: ActorAddress | str, message: Any) -> Future[Any]:
        """Send, and return a future of the one answer. Cancelling it forgets the answer."""
        reply = FutureReply(self.dead_letters)
        self.tell_from(reply, target, message)
        return reply.future

    def _check_may_wait(self) -> None:
        self._check_running()
        if self.loop.is_here():
            raise WouldDeadlockError(
                "an actor on the shared loop may not wait for an answer: send, and handle the answer"
            )

    def _check_running(self) -> None:
        if self._stopped:
            raise SystemStoppedError("the system was shut down")

    def _new_worker(self, name: str) -> Worker:
        return Worker(f"natya-{name}", self.clock, self.quiet.something_ended)

    def _adopt(self, cell: Cell) -> None:
        self._cells[cell] = None
        self._all_gone.clear()
        if cell.parent is not None:
            cell.parent.children[cell] = None
        if cell.worker is not self.loop:
            if not cell.background:
                self.quiet.watch(cell.worker)
            cell.worker.start()

    # For Thespian.

    def shutdown(self) -> None:
        """End every actor, children with their parents; wait for them, but never longer than `shutdown_s`."""
        if self._stopped:
            return
        self._stopped = True
        for cell in tuple(self._cells):
            if cell.parent is None:
                cell.exit(self.outside)
        if self._cells and not self.loop.is_here():
            self._all_gone.wait(self._shutdown_s)
        for cell in tuple(self._cells):
            cell.worker.stop()
        self.loop.stop()
