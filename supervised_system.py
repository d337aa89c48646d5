"""`SupervisedSystem`: how a system in a data directory of its own is started, watched and stopped."""

from __future__ import annotations

import contextlib
from concurrent.futures import wait
from typing import TYPE_CHECKING, ClassVar, Final, Self

from .actors.observability import logging_to
from .actors.runtime import InProcessSystem
from .actors.supervision import AwaitSystemStop, StopChildren, stop_bound_s
from .config.data_directory import DataDirectory, DataDirectoryMovedError
from .messages.addresses import SYSTEM
from .system import ENDED_S, SystemGaveUpError, SystemNotRunningError, settle, start_root

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from types import TracebackType
    from typing import Any

    from .actors.runtime import InProcessSystemBase
    from .actors.supervision import ChildrenStopped, SupervisorSettings
    from .config.settings import Settings


class SupervisedSystem:
    """A context manager that starts and stops it; a subclass says with which actors."""

    KIND: ClassVar[str]
    """What it is called in an error."""

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet."""
        self.settings: Final = settings
        self._directory: Final = DataDirectory(settings.system.data_dir)
        self._undo: Final = contextlib.ExitStack()
        self._runtime: InProcessSystem | None = None
        self._root_end: Future[Any] | None = None
        self.stop_bound_s = 0.0
        """Seconds after which a stop has ended, though each actor had to be killed; known once it is started."""

        self.stop_failures: tuple[str, ...] = ()
        """A sentence for each actor whose stop failed; known once it has stopped."""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Take the data directory and start every actor."""
        raise NotImplementedError

    def _run(self, new_base: Callable[[], InProcessSystemBase], new_root: Callable[[], SupervisorSettings]) -> None:
        """Take the data directory, where the log is, and start the root with all its children; if not, nothing is open.

        Raises:
            DataDirectoryBusyError: another process works in it.
            SystemGaveUpError: an actor could not be started.
        """
        with contextlib.ExitStack() as undo:
            self._directory.take()
            undo.callback(self._directory.release)
            undo.enter_context(logging_to(self.settings))
            runtime = undo.enter_context(InProcessSystem(new_base()))
            root = new_root()
            start_root(runtime, root)
            self._root_end = runtime.request_future(SYSTEM, AwaitSystemStop())
            settle(runtime)
            self._runtime = runtime
            self.stop_bound_s = stop_bound_s(root.children, root.shutdown_s) + ENDED_S
            self.expect_running(0.0)
            self._undo.push(undo.pop_all())

    @property
    def runtime(self) -> InProcessSystem:
        """The actors, for tests and for programs that embed it.

        Raises:
            SystemNotRunningError: it was not started, or has stopped.
        """
        if self._runtime is None:
            raise SystemNotRunningError(f"start the {self.KIND} first")
        return self._runtime

    def expect_running(self, timeout_s: float) -> None:
        """Wait for the given seconds; raise as soon as the system no longer runs.

        Raises:
            SystemGaveUpError: the root supervisor gave up, or the data directory was moved away.
        """
        assert self._root_end is not None, "it was started"
        wait((self._root_end,), timeout=timeout_s)
        if self._root_end.done():
            stopped = self._root_end.result()
            raise SystemGaveUpError(stopped.reason) from stopped.error
        try:
            self._directory.expect_in_place()
        except DataDirectoryMovedError as fault:
            raise SystemGaveUpError(str(fault)) from fault

    def stop(self) -> None:
        """Stop every actor, in reverse order of starting; a repeat does nothing."""
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            with self._undo:
                stopped: ChildrenStopped = runtime.request(SYSTEM, StopChildren(), timeout_s=self.stop_bound_s)
                self.stop_failures = stopped.told()
