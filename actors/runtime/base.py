"""The in-process system base: the object that Thespian's `ActorSystem` calls, and the services of its cells."""

from __future__ import annotations

import os
import random
import threading
import weakref
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ...domain.rate_limit import RateLimit
from . import lifecycle
from .actor import RuntimeActor
from .cell import Cell
from .clock import SystemClock
from .dead_letters import DeadLetters
from .endpoint import Endpoint
from .errors import (
    NameTakenError,
    RequestTimedOut,
    SystemStoppedError,
    UnknownActorError,
    WouldDeadlockError,
    timed_out,
)
from .market_clock import MarketClock
from .offload import Offloader
from .probe import Probe
from .quiet import Quiescence
from .requests import AsyncReply, BlockingReply, FutureReply
from .runtime_cell import RuntimeCell
from .thespian.door import ThespianDoor
from .thespian.sources import Sources
from .trace import EVERY, Tracer
from .watchdog import Watchdog
from .watching import watch
from .worker import Worker

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from .clock import Clock
    from .context import HostedActor
    from .endpoint import Envelope

FAILURES_LOGGED_A_SECOND_MAX = 100
"""Log lines about failed handlers, dead letters and restarts, all together."""


class InProcessSystemBase(ThespianDoor):
    """Runs actors in this process: messages by reference, one loop thread, own threads for actors that block.

    Give it to Thespian as an object: `ActorSystem(systemBase=InProcessSystemBase(), transientUnique=True)`. Without
    `transientUnique` Thespian reuses an earlier base of the same class. Thespian ignores the `capabilities` argument of
    `ActorSystem` when the base is an object: give them to the base.
    """

    cell_class: ClassVar[type[RuntimeCell]] = RuntimeCell

    def __init__(  # noqa: PLR0913  each has its default, and no caller gives more than two
        self,
        capabilities: dict[str, Any] | None = None,
        *,
        clock: Clock | None = None,
        market_opening_ns: int | None = None,
        seed: int | None = None,
        shutdown_s: float = 10.0,
        stall_warn_s: float | None = None,
        own_threads: bool = False,
        trace_every: int = EVERY,
    ) -> None:
        """Make a base and start its loop.

        Args:
            capabilities: Thespian capabilities that plain actors may require.
            clock: the time that actors see; by default the machine's.
            market_opening_ns: start of a simulated market in whose time actors live: nanoseconds since 1970-01-01 UTC;
                None: there is none. Actors with `system_time` use `clock` all the same.
            seed: of every actor's `random`; None: different each time.
            shutdown_s: seconds that `shutdown` waits for actors to end.
            stall_warn_s: log a turn that holds the loop for more seconds than this; None: no watchdog.
            own_threads: give every plain Thespian actor a thread, not only those with `blocking = True`.
            trace_every: record one unnamed conversation in so many, and every named one; 0: none at all.
        """
        super().__init__(capabilities, own_threads=own_threads)
        self.conflates = True
        self.clock: Clock = clock or SystemClock()
        self.market = self.new_market(market_opening_ns)
        self.tracer = Tracer(self.clock, every=trace_every)
        self.names: dict[str, Endpoint] = self.new_names()
        self.failures_logged = RateLimit(FAILURES_LOGGED_A_SECOND_MAX)
        self.dead_letters = DeadLetters(names=self.names, clock=self.clock, logged=self.failures_logged)
        self.outside = self.dead_letters.outside
        self.quiet = self.new_quiescence()
        self.loop = self._new_loop()
        self.seed = seed
        self._shutdown_s = shutdown_s
        self._cells: dict[Cell, None] = {}
        self._in_hand: dict[Cell, None] = {}
        self._all_gone = threading.Event()
        self.stopped = False
        """Whether it was shut down, or this process is a fork of the one that it runs in."""

        self.sources = Sources(self.admin, self.on_actor_thread)
        self.quiet.attach(self.loop)
        self.loop.start()
        self.watchdog = None if stall_warn_s is None else Watchdog(self.loop, stall_warn_s)
        _running.add(self)

    # For actors of natya and the programs that start them.

    def start_actor(  # noqa: PLR0913  all but three have one value for outsiders, another for supervisors
        self,
        name: str,
        actor_class: type[HostedActor],
        settings: Any,
        *,
        parent: Cell | None = None,
        supervised: bool = False,
        starter: ActorAddress | None = None,
        supervisor: ActorAddress | None = None,
    ) -> RuntimeCell:
        """Make a cell of that name and start it.

        Args:
            name: unique in the system.
            actor_class: instantiated in the cell.
            settings: given to the actor.
            parent: the cell that it ends with.
            supervised: whether `parent` supervises it; else it restarts by itself, and ends with this life of `parent`.
            starter: receives the first `Started` or `StartFailed`.
            supervisor: receives every later report, if `parent` does not.

        Raises:
            NameTakenError: an actor of that name runs.
            SystemStoppedError: the system was shut down.
        """
        self._check_running()
        on_loop = not actor_class.blocking or (actor_class.on_loop_in_market and self.market.rules)
        worker = self.loop if on_loop else self._new_worker(name)
        cell = self.cell_class(name, actor_class, services=self, worker=worker, parent=parent)
        cell.name = name
        cell.ends_with_life = not supervised
        if self.names.setdefault(name, cell) is not cell:
            raise NameTakenError(f"an actor named {name!r} runs already")
        self._adopt(cell)
        supervisor = parent if supervised else supervisor
        cell.control(
            lifecycle.Start(name=name, settings=settings, starter=starter, supervisor=supervisor), self.outside
        )
        return cell

    def new_random(self, cell: Cell) -> random.Random:
        """Make the random generator of one life of an actor."""
        seed = None if self.seed is None else f"{self.seed}/{cell.name}/{cell.life}"
        return random.Random(seed)  # noqa: S311  for back-off and the like, no secrets

    def forget(self, cell: Cell) -> None:
        """Free the name and the thread of a dead cell."""
        self._cells.pop(cell, None)
        self.sources.forget(cell)
        if cell.global_name is not None:
            self.global_names.pop(cell.global_name, None)
        if self.dead_letters.thespian_handler is cell:
            self.dead_letters.thespian_handler = None
        if self.names.get(cell.name) is cell:
            del self.names[cell.name]
        if cell.parent is not None:
            cell.parent.children.pop(cell, None)
        if cell.worker is not self.loop:
            self.quiet.unwatch(cell.worker)
            cell.worker.stop()
        self._note_gone()

    def keep_in_hand(self, cell: Cell) -> None:
        """Note that a cell ends while its handler runs: what the instance owns is released when that returns."""
        if self.stopped:  # a handler that hung was given up by its supervisor, and keeps no one waiting
            self._in_hand[cell] = None

    def out_of_hand(self, cell: Cell) -> None:
        """Note that such a handler returned, and its instance was released."""
        if self._in_hand.pop(cell, cell) is None:
            self._note_gone()

    def _note_gone(self) -> None:
        if self._is_all_gone():
            self._all_gone.set()

    def _is_all_gone(self) -> bool:
        return self.stopped and not self._cells and not self._in_hand

    def find(self, target: ActorAddress | str) -> Endpoint:
        """Return the address of a name, or the address itself.

        Raises:
            UnknownActorError: no such name, or no address of this system.
            SystemStoppedError: the system was shut down.
        """
        found = self.names.get(target) if isinstance(target, str) else target
        if not isinstance(found, Endpoint):
            self._check_running()
            raise UnknownActorError(
                f"no actor named {target!r} runs; there are: {', '.join(sorted(self.names)) or 'none'}"
            )
        return found

    def tell_from(
        self, sender: ActorAddress, target: ActorAddress | str, message: Any, correlation_id: str = ""
    ) -> None:
        """Send from outside with this sender, as part of the conversation of that name (empty: of a new one)."""
        self.quiet.admit(self.find(target), message, sender, self.tracer.join(correlation_id))

    def request(self, target: ActorAddress | str, message: Any, timeout_s: float, *, correlation_id: str = "") -> Any:
        """Send and wait at most `timeout_s` seconds for the answer; with a correlation id it can be traced.

        Raises:
            RequestTimedOut: no answer came in time.
            UnknownActorError: no actor of that name runs.
            WouldDeadlockError: called on the shared loop, by an actor.
        """
        self._check_may_wait()
        reply = self.new_reply()
        self.tell_from(reply, target, message, correlation_id)
        try:
            return reply.wait(timeout_s)
        except RequestTimedOut:
            raise timed_out(timeout_s, target, message) from None

    def request_future(self, target: ActorAddress | str, message: Any, *, correlation_id: str = "") -> Future[Any]:
        """Send, and return a future of the answer. After a cancel the answer is a dead letter."""
        reply = self.new_future_reply()
        self.tell_from(reply, target, message, correlation_id)
        return reply.future

    def watch(self, name: str) -> Future[Any]:
        """Return a future of `lifecycle.Terminated`, set when the actor of that name has ended; at once if none runs.

        Raises:
            WatchRefusedError: too many watchers, or it is no actor of this process.
        """
        reply = self.new_future_reply()
        found = self.names.get(name)
        if found is None:
            reply.deliver(lifecycle.Terminated(name=name), self.outside)
        else:
            watch(reply, found)
        return reply.future

    async def request_async(
        self, target: ActorAddress | str, message: Any, timeout_s: float, *, correlation_id: str = ""
    ) -> Any:
        """Send, and await the answer, on any asyncio loop.

        Raises:
            RequestTimedOut: no answer came in time.
            UnknownActorError: no actor of that name runs.
        """
        import asyncio  # noqa: PLC0415  20 ms that only who awaits has to pay

        self._check_running()
        reply = AsyncReply(self.dead_letters, asyncio.get_running_loop())
        self.tell_from(reply, target, message, correlation_id)
        try:
            return await reply.wait(timeout_s)
        except RequestTimedOut:
            raise timed_out(timeout_s, target, message) from None

    def _check_may_wait(self) -> None:
        self._check_running()
        if self.loop.is_here():
            raise WouldDeadlockError(
                "an actor on the shared loop may not wait for an answer: send, and handle the answer"
            )

    def _check_running(self) -> None:
        if self.stopped:
            raise SystemStoppedError(_STOPPED)

    # What a simulation or a worker process overrides.

    def new_future_reply(self) -> FutureReply:
        """Make a reply address with a future of its answer."""
        return FutureReply(self.dead_letters)

    def new_reply(self) -> BlockingReply:
        """Make a reply address that a thread can wait at."""
        return BlockingReply(self.dead_letters)

    def new_probe(self, name: str) -> Probe:
        """Make a mailbox without an actor."""
        return Probe(name)

    def new_offloader(self, name: str, *, threads_max: int, jobs_max: int) -> Offloader:
        """Make the threads for the blocking work of one actor."""
        return Offloader(name=name, threads_max=threads_max, jobs_max=jobs_max)

    def new_names(self) -> dict[str, Endpoint]:
        """Make the table of names; in a worker process unknown names lead to the parent process."""
        return {}

    def new_market(self, opening_ns: int | None) -> MarketClock:
        """Make the market's clock; in a worker process it follows that of the parent process."""
        return MarketClock(self.clock, opening_ns)

    def new_quiescence(self) -> Quiescence:
        """Make the test for quiet; in a worker process it reports to the parent process."""
        return Quiescence(self.market)

    def _new_loop(self) -> Worker:
        return Worker("natya-loop", self.clock, self.quiet.test)

    def _await_all_gone(self) -> None:
        self._all_gone.wait(self._shutdown_s)

    def _new_worker(self, name: str) -> Worker:
        return Worker(f"natya-{name}", self.clock, self.quiet.something_ended)

    def _new_cell_of_ours(self, label: str, actor_class: type, parent: Cell | None) -> Cell | None:
        if not issubclass(actor_class, RuntimeActor):
            return None
        worker = self._new_worker(label) if actor_class.blocking else self.loop
        return self.cell_class(label, actor_class, services=self, worker=worker, parent=parent)

    def _adopt(self, cell: Cell) -> None:
        self._cells[cell] = None
        if cell.parent is not None:
            cell.parent.children[cell] = None
        if cell.worker is not self.loop:
            if not cell.background:
                self.quiet.watch(cell.worker)
            cell.worker.start()

    # For cells.

    def on_actor_thread(self) -> bool:
        """Whether the calling thread runs actors of this system."""
        if self.loop.is_here():
            return True
        return any(cell.worker.is_here() for cell in (*self._cells.copy(), *self._in_hand.copy()))

    def primaries(self) -> tuple[Cell, ...]:
        """Return every actor without a parent."""
        return tuple(cell for cell in tuple(self._cells) if cell.parent is None)

    def shutdown_soon(self) -> None:
        """Shut down without waiting, as an actor may ask."""
        threading.Thread(target=self.shutdown, name="natya-shutdown", daemon=True).start()

    def shutdown(self) -> None:
        """End every actor, children with their parents; wait for them, but never longer than `shutdown_s`."""
        if self.stopped:
            if not self.on_actor_thread():
                self._all_gone.wait(self._shutdown_s)
            return
        self.stopped = True
        for cell in self.primaries():
            cell.exit(self.admin)
        if not self._is_all_gone() and not self.on_actor_thread():
            self._await_all_gone()
        self._all_gone.set()
        for cell in tuple(self._cells):
            cell.worker.stop()
        self.loop.stop()
        self.quiet.let_in()
        self.watches.stop()
        if self.watchdog is not None:
            self.watchdog.stop()
        self.sources.unload_all()


_STOPPED: Final = "the system was shut down, or runs in the process that this one was forked from"

_running: weakref.WeakSet[InProcessSystemBase] = weakref.WeakSet()


def _forked() -> None:
    # A forked child has the objects and of the threads only the one that forked: no message would ever be handled, so
    # sending raises. If it was a handler that forked, what waits for its thread is the parent's to do.
    for base in _running:
        base.stopped = True
        base._all_gone = threading.Event()  # noqa: SLF001  this module's own class
        base._all_gone.set()  # noqa: SLF001
        base.names.clear()
        base.loop.abandon()
        for cell in base._cells:  # noqa: SLF001  this module's own class
            cell.put = _refuse
            while cell.box:
                cell.box.popleft()
            cell.worker.abandon()


def _refuse(_: Envelope) -> None:
    raise SystemStoppedError(_STOPPED)


os.register_at_fork(after_in_child=_forked)
