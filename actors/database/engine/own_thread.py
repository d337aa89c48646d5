"""An executor with one daemon thread, which never delays the exit of the process."""

from __future__ import annotations

import queue
import threading
from concurrent.futures import Executor, Future
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class OwnThread(Executor):
    """Runs jobs one after the other.

    The standard library's pool waits at exit for the running job, before any code can interrupt it: an endless query
    would keep the process alive for ever.
    """

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._guard = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def submit(self, function: Callable[..., T], /, *arguments: Any, **options: Any) -> Future[T]:
        """Queue the job.

        Raises:
            RuntimeError: `shutdown` came first.
        """
        future: Future[T] = Future()
        with self._guard:
            if self._closed:
                raise RuntimeError(f"{self._thread.name} has ended")
            self._jobs.put((future, lambda: function(*arguments, **options)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  the base's
        """End the thread after what is queued, or after what runs."""
        with self._guard:
            if cancel_futures:
                while not self._jobs.empty():
                    job = self._jobs.get()
                    if job is not None and job[0].cancel():
                        job[0].set_running_or_notify_cancel()  # `wait` hears of a cancelled future only by this
            if not self._closed or cancel_futures:
                self._jobs.put(None)
            self._closed = True
        if wait:
            self._thread.join()

    def _serve(self) -> None:
        while (job := self._jobs.get()) is not None:
            future, work = job
            if future.set_running_or_notify_cancel():
                try:
                    future.set_result(work())
                except BaseException as error:  # noqa: BLE001  it is the future's exception
                    future.set_exception(error)
            del job, future, work
