"""Blocking work off the actor's thread: a few threads of its own, jobs of a lane in order, outcomes as messages."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from .errors import OffloadRefusedError

IDLE_S = 10.0
"""Seconds after which a thread without work ends."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How an offloaded job ended: its value, or the error that it raised."""

    value: Any = None
    error: BaseException | None = None

    def unwrap(self) -> Any:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value


Then: TypeAlias = Callable[[Outcome], object]


class OutcomeArrived(msgspec.Struct, frozen=True, kw_only=True):
    """To an actor from its own threads: call `then`, unless the actor was restarted since."""

    then: Then
    outcome: Outcome
    life: int
    is_awaited: bool = True
    """Whether a stop waits for it."""


class Job:
    """A function and its arguments; `done` is called once, with the outcome, or None if the job was dropped unbegun."""

    __slots__ = ("_arguments", "_function", "done")

    def __init__(
        self, function: Callable[..., Any], arguments: tuple[Any, ...], done: Callable[[Outcome | None], object]
    ) -> None:
        self._function = function
        self._arguments = arguments
        self.done = done

    def run(self) -> Outcome:
        """Call it, and keep whatever it raises."""
        try:
            return Outcome(value=self._function(*self._arguments))
        except BaseException as error:  # noqa: BLE001  it is the outcome, for the caller
            return Outcome(error=error)


class Offloader:
    """At most `threads_max` threads and `jobs_max` waiting jobs; a lane's next job begins when its last has ended.

    Without threads (`threads_max` 0) a job runs where it is submitted.
    """

    def __init__(self, *, name: str, threads_max: int, jobs_max: int) -> None:
        self._name = name
        self._threads_max = threads_max
        self._jobs_max = jobs_max
        self._changed = threading.Condition()
        self._lanes: dict[str, deque[Job]] = {}
        self._startable: deque[str] = deque()
        self._waiting = 0
        self._threads = 0
        self._idle = 0
        self._closed = False

    def submit(self, job: Job, lane: str) -> None:
        """Queue the job.

        Raises:
            OffloadRefusedError: `jobs_max` are waiting already, or the actor has stopped.
        """
        with self._changed:
            if self._closed or self._waiting >= self._jobs_max:
                state = "it has stopped" if self._closed else f"{self._waiting} are waiting"
                raise OffloadRefusedError(f"{self._name} takes up to {self._jobs_max} jobs, and {state}")
            if self._threads_max:
                self._queue(job, lane)
                return
        job.done(job.run())

    def _queue(self, job: Job, lane: str) -> None:
        self._waiting += 1
        if lane in self._lanes:
            self._lanes[lane].append(job)
            return
        self._lanes[lane] = deque((job,))
        self._startable.append(lane)
        if self._idle < len(self._startable) and self._threads < self._threads_max:
            self._threads += 1
            threading.Thread(target=self._serve, name=f"{self._name}/offload", daemon=True).start()
        else:
            self._changed.notify()

    def close(self) -> None:
        """Drop jobs that have not begun; running ones end by themselves. Does not wait."""
        with self._changed:
            self._closed = True
            dropped = [job for lane in self._lanes.values() for job in lane]
            self._lanes.clear()
            self._startable.clear()
            self._changed.notify_all()
        for job in dropped:
            job.done(None)

    def _serve(self) -> None:
        while (taken := self._take()) is not None:
            lane, job = taken
            pid = os.getpid()
            outcome = job.run()
            if os.getpid() != pid:  # the function forked: the child has nothing else to do
                os._exit(int(outcome.error is not None))
            job.done(outcome)
            with self._changed:
                if self._lanes.get(lane):
                    self._startable.append(lane)  # for this thread itself: no other has to wake for it
                else:
                    self._lanes.pop(lane, None)

    def _take(self) -> tuple[str, Job] | None:
        with self._changed:
            while not self._startable:
                self._idle += 1
                woken = not self._closed and self._changed.wait(IDLE_S)
                self._idle -= 1
                if not self._startable and not woken:
                    self._threads -= 1
                    return None
            lane = self._startable.popleft()
            self._waiting -= 1
            return lane, self._lanes[lane].popleft()
