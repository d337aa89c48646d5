"""`NodeSystem`: one machine that runs strategies for the broker node of its play."""

from __future__ import annotations

import contextlib
from concurrent.futures import wait
from typing import TYPE_CHECKING, Final, Self

from .actors.observability import logging_to
from .actors.runtime import InProcessSystem, InProcessSystemBase
from .actors.supervision import AwaitSystemStop, StopChildren, Supervisor, SupervisorSettings
from .composition import node_children
from .config.data_directory import DataDirectory, DataDirectoryMovedError
from .messages.addresses import NODES, SYSTEM
from .messages.nodes import NodesStatistics
from .messages.system import Ping, Pong
from .system import START_TIMEOUT_S, SystemGaveUpError, SystemNotRunningError

if TYPE_CHECKING:
    from concurrent.futures import Future
    from types import TracebackType
    from typing import Any

    from .config.settings import Settings

LOOK_TIMEOUT_S: Final = 1.0


class NodeSystem:
    """Router, keeper and strategies. A context manager that starts and stops it."""

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet."""
        self.settings: Final = settings
        self._directory: Final = DataDirectory(settings.system.data_dir)
        self._undo: Final = contextlib.ExitStack()
        self._runtime: InProcessSystem | None = None
        self._root_end: Future[Any] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Take the data directory, where the log is, and start every actor; strategies begin when their leases are had.

        Raises:
            DataDirectoryBusyError: another process works in it.
            SystemGaveUpError: an actor could not be started.
        """
        settings = self.settings
        with contextlib.ExitStack() as undo:
            self._directory.take()
            undo.callback(self._directory.release)
            undo.enter_context(logging_to(settings))
            base = InProcessSystemBase(
                stall_warn_s=settings.system.stall_warn_s, trace_every=settings.system.trace_every
            )
            runtime = undo.enter_context(InProcessSystem(base))
            children = node_children(settings)
            root = SupervisorSettings(
                children=children,
                policy=settings.supervision,
                root=True,
                shutdown_s=settings.system.shutdown_s,
                journal="",
            )
            runtime.start(SYSTEM, Supervisor, root, timeout_s=START_TIMEOUT_S)
            self._root_end = runtime.request_future(SYSTEM, AwaitSystemStop())
            runtime.request(SYSTEM, Ping())  # answered in order: if the root gave up, `_root_end` is done by now
            self._runtime, self._stop_s = runtime, settings.system.shutdown_s * (len(children) + 1)
            self.expect_running(0.0)
            self._undo.push(undo.pop_all())

    def look(self) -> NodesStatistics | None:
        """Tell how it stands; None: it is busy."""
        future = self.runtime.request_future(NODES, Ping())
        wait((future,), timeout=LOOK_TIMEOUT_S)
        answer = future.result() if future.done() else None
        found = answer.statistics if isinstance(answer, Pong) else None
        return found if isinstance(found, NodesStatistics) else None

    @property
    def runtime(self) -> InProcessSystem:
        """The actors, for tests and for programs that embed it.

        Raises:
            SystemNotRunningError: it was not started, or has stopped.
        """
        if self._runtime is None:
            raise SystemNotRunningError("start the node first")
        return self._runtime

    def expect_running(self, timeout_s: float) -> None:
        """Wait so many seconds; raise as soon as it does not run any more.

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
        """Stop the strategies, and then all else; their leases run out for the others. A repeat does nothing."""
        runtime, self._runtime = self._runtime, None
        if runtime is not None:
            with self._undo:
                runtime.request(SYSTEM, StopChildren(), timeout_s=self._stop_s)
