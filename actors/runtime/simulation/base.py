"""The simulated base: the same actors in one thread, the caller's, on a clock that jumps to the next event."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar

from ....domain.time import SECOND_NS
from ..base import InProcessSystemBase
from ..requests import FutureReply
from ..workers import StandIn
from .cell import SimulatedCell
from .clock import VirtualClock
from .faults import Faults
from .injector import Injector
from .jobs import SimulatedOffloader
from .links import Links
from .loop import SteppedLoop
from .waiting import SimulatedFuture, SimulatedProbe, SimulatedReply

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from ..context import HostedActor
    from ..requests import BlockingReply
    from ..runtime_cell import RuntimeCell
    from ..worker import Worker


class SimulatedSystemBase(InProcessSystemBase):
    """Runs `RuntimeActor`s, deterministically: one seed, one run, to the last message.

    Nothing happens by itself: the simulation runs while its caller waits in `request`, at a probe or a future, or in
    `run_for`, and virtual time passes at once. It keeps the promises of the runtime, and no more: messages of one
    sender to one receiver keep their order; the seed decides whose turn is next, how many messages it takes and how
    long. Threads and plain Thespian actors are not supported; an actor with a worker process has none here.
    """

    cell_class: ClassVar[type[RuntimeCell]] = SimulatedCell
    injector_class: ClassVar[type[Injector]] = Injector

    def __init__(
        self,
        seed: int,
        *,
        faults: Faults | None = None,
        fatal: tuple[type[BaseException], ...] = (),
        clock: VirtualClock | None = None,
    ) -> None:
        """Make a base.

        Args:
            seed: of the order, of all latencies and faults, and of every actor's `random`.
            faults: to be injected; None: none.
            fatal: errors that end the whole process, as a power cut does, instead of failing an actor; they are raised
                to the caller that runs the simulation.
            clock: of an earlier simulation, to go on from its time.
        """
        self.virtual_clock = clock or VirtualClock()
        self.random = Random(f"{seed}/order")  # noqa: S311  the whole point is that it can be repeated
        self.injector = self.injector_class(faults or Faults(), Random(f"{seed}/faults"))  # noqa: S311
        self.fatal = fatal
        super().__init__(clock=self.virtual_clock, seed=seed)
        self.links = Links(self.injector, self._stepped)

    def start_actor(self, name: str, actor_class: type[HostedActor], settings: Any, **options: Any) -> RuntimeCell:
        """Start an actor; one that would have a worker process runs in the simulation, as all others do."""
        if issubclass(actor_class, StandIn):
            actor_class, settings = settings.actor, settings.settings
        return super().start_actor(name, actor_class, settings, **options)

    def run_for(self, seconds: float) -> None:
        """Run for so many seconds of virtual time."""
        self.run_until(lambda: False, seconds)

    def run_until(self, condition: Callable[[], bool], timeout_s: float) -> bool:
        """Run until the condition holds, at most `timeout_s` of virtual time; return whether it holds."""
        until_ns = self.clock.monotonic_ns() + int(timeout_s * SECOND_NS)
        step = self._stepped.step
        while not condition():
            if not step(until_ns):
                return condition()
        return True

    def abandon(self) -> None:
        """Drop all actors as they are, as if the process were killed."""
        self.stopped = True
        self._cells.clear()
        self.names.clear()

    async def request_async(
        self, target: ActorAddress | str, message: Any, timeout_s: float, *, correlation_id: str = ""
    ) -> Any:
        """Send, and return the one answer; no other coroutine runs meanwhile."""
        return self.request(target, message, timeout_s, correlation_id=correlation_id)

    def new_future_reply(self) -> FutureReply:
        """Return an address with a future; waiting for its result runs the simulation."""
        reply = super().new_future_reply()
        reply.future = SimulatedFuture(self.run_until)
        return reply

    def new_reply(self) -> BlockingReply:
        """Make an address whose owner runs the simulation while it waits."""
        return SimulatedReply(self.dead_letters, self.run_until)

    def new_probe(self, name: str) -> SimulatedProbe:
        """Make a mailbox whose owner runs the simulation while it waits."""
        return SimulatedProbe(name, self.run_until)

    def new_offloader(self, name: str, *, threads_max: int, jobs_max: int) -> SimulatedOffloader:
        """Make what runs an actor's blocking work inline."""
        return SimulatedOffloader(
            name=name, threads_max=threads_max, jobs_max=jobs_max, loop=self._stepped, random=self.random
        )

    def _new_loop(self) -> Worker:
        self._stepped = SteppedLoop(self.virtual_clock, self.quiet, self.injector, self.random)
        return self._stepped

    def _new_worker(self, name: str) -> Worker:
        del name
        return self.loop

    def _await_all_gone(self) -> None:
        self.run_until(lambda: not self._cells, self._shutdown_s)
