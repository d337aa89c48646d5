"""`EventsSystem`: events by themselves: published, journaled and delivered in this process, without a market."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, Any, Final, Self

from .actors.control import ControlClient, NotRunningError
from .actors.runtime import InProcessSystem, InProcessSystemBase
from .actors.supervision import StopChildren, SupervisorSettings
from .composition import events_children
from .config.data_directory import DataDirectory, DataDirectoryBusyError
from .config.loader import load_settings
from .messages.addresses import SYSTEM
from .system import SystemNotRunningError, start_root

if TYPE_CHECKING:
    from concurrent.futures import Future
    from types import TracebackType

    import msgspec

    from .config.settings import Settings


class EventsSystem:
    """Journal, router and delivery. A context manager that starts and stops it."""

    def __init__(self, settings: Settings) -> None:
        """Open nothing yet."""
        self.settings: Final = settings
        self._undo: Final = contextlib.ExitStack()
        self._runtime: InProcessSystem | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Take the data directory and start every actor.

        Raises:
            DataDirectoryBusyError: another process works in it.
        """
        children = events_children(self.settings)
        with contextlib.ExitStack() as undo:
            directory = DataDirectory(self.settings.system.data_dir)
            directory.take()
            undo.callback(directory.release)
            runtime = undo.enter_context(InProcessSystem(InProcessSystemBase()))
            root = SupervisorSettings(
                children=children,
                policy=self.settings.supervision,
                root=True,
                shutdown_s=self.settings.system.shutdown_s,
            )
            start_root(runtime, root)
            stop_s = self.settings.system.shutdown_s * (len(children) + 1)
            undo.callback(runtime.request, SYSTEM, StopChildren(), timeout_s=stop_s)
            self._runtime = runtime
            self._undo.push(undo.pop_all())

    def close(self) -> None:
        """Stop every actor, the journal last; a repeat does nothing."""
        self._runtime = None
        self._undo.close()

    @property
    def runtime(self) -> InProcessSystem:
        """The actors.

        Raises:
            SystemNotRunningError: it was not started, or has stopped.
        """
        if self._runtime is None:
            raise SystemNotRunningError("start the events first")
        return self._runtime

    def request(self, actor: str, message: msgspec.Struct, *, timeout_s: float) -> Any:
        """Send a message to an actor by name and return its answer."""
        return self.runtime.request(actor, message, timeout_s=timeout_s)

    def request_future(self, actor: str, message: msgspec.Struct) -> Future[Any]:
        """Send a message to an actor by name and return a future of its answer."""
        return self.runtime.request_future(actor, message)


def open_events() -> EventsSystem | ControlClient:
    """Return the system that works in the data directory of the settings; one of events is started if there is none.

    Raises:
        DataDirectoryBusyError: another process works there that cannot be asked.
        SettingsError: the settings are wrong.
    """
    system = EventsSystem(load_settings())
    try:
        system.start()
    except DataDirectoryBusyError as busy:
        try:
            return ControlClient(DataDirectory(system.settings.system.data_dir).path, monotonic_ns=time.monotonic_ns)
        except NotRunningError:
            raise busy from None
    return system
