"""Offloaded work in a simulation: done inline, after a virtual latency."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from random import Random
from typing import TYPE_CHECKING, Any, Final

from ..errors import OffloadRefusedError
from ..offload import Offloader

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..offload import Job
    from .loop import SteppedLoop

LATENCY_NS_MAX: Final = 2_000_000


class SimulatedOffloader(Offloader):
    """Runs each job inline at the end of a latency that the seed chooses; a lane's jobs one after the other."""

    def __init__(self, *, name: str, threads_max: int, jobs_max: int, loop: SteppedLoop, random: Random) -> None:
        super().__init__(name=name, threads_max=threads_max, jobs_max=jobs_max)
        self._loop = loop
        self._random = random
        self._queues: dict[str, list[Job]] = {}
        self._count = 0

    def submit(self, job: Job, lane: str) -> None:
        """Queue the job.

        Raises:
            OffloadRefusedError: as many as may wait are waiting already, or the actor has stopped.
        """
        if self._closed or self._count >= self._jobs_max:
            state = "it has stopped" if self._closed else f"{self._count} are waiting"
            raise OffloadRefusedError(f"{self._name} takes up to {self._jobs_max} jobs, and {state}")
        self._count += 1
        queue = self._queues.setdefault(lane, [])
        queue.append(job)
        if len(queue) == 1:
            self._begin(queue)

    def close(self) -> None:
        """Drop what has not ended."""
        self._closed = True
        dropped = [job for queue in self._queues.values() for job in queue]
        self._queues.clear()
        for job in dropped:
            job.done(None)

    def _begin(self, queue: list[Job]) -> None:
        self._loop.call_after(1 + int(self._random.random() * LATENCY_NS_MAX), lambda: self._end(queue))

    def _end(self, queue: list[Job]) -> None:
        if self._closed:
            return
        job = queue[0]
        self._count -= 1
        job.done(job.run())
        del queue[0]
        if queue:
            self._begin(queue)
        else:
            self._queues = {lane: each for lane, each in self._queues.items() if each}


class InlineExecutor(Executor):
    """An executor for libraries that want one: runs each job in `submit`."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        """Call the function, and return a future of its outcome."""
        future: Future[Any] = Future()
        try:
            future.set_result(function(*arguments, **options))
        except BaseException as error:  # noqa: BLE001  an executor hands on whatever its job raised
            future.set_exception(error)
        return future
