"""`EventsSystem`: events by themselves: published, journaled and delivered in this process, without a market."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, ClassVar

from .actors.control import ControlClient, NotRunningError
from .actors.runtime import InProcessSystemBase
from .actors.supervision import SupervisorSettings
from .composition import events_children
from .config.data_directory import DataDirectory, DataDirectoryBusyError
from .config.loader import load_settings
from .supervised_system import SupervisedSystem

if TYPE_CHECKING:
    from concurrent.futures import Future

    import msgspec


class EventsSystem(SupervisedSystem):
    """Journal, router and delivery."""

    KIND: ClassVar[str] = "events"

    def start(self) -> None:
        """Take the data directory, where the log is, and start every actor.

        Raises:
            DataDirectoryBusyError: another process works in it.
            SystemGaveUpError: an actor could not be started.
        """
        settings = self.settings
        self._run(
            InProcessSystemBase,
            lambda: SupervisorSettings(
                children=events_children(settings),
                policy=settings.supervision,
                root=True,
                shutdown_s=settings.system.shutdown_s,
            ),
        )

    def close(self) -> None:
        """Stop every actor, the journal last, as a container does with what it made; a repeat does nothing.

        `stop_failures` has a sentence for each whose stop failed.
        """
        self.stop()

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
