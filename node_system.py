"""`NodeSystem`: one machine that runs strategies for the broker node of its play."""

from __future__ import annotations

from concurrent.futures import wait
from typing import ClassVar, Final

from .actors.runtime import InProcessSystemBase
from .actors.supervision import SupervisorSettings
from .composition import node_children
from .messages.addresses import NODES
from .messages.nodes import NodesStatistics
from .messages.system import Ping, Pong
from .supervised_system import SupervisedSystem

LOOK_TIMEOUT_S: Final = 1.0


class NodeSystem(SupervisedSystem):
    """Router, keeper and strategies."""

    KIND: ClassVar[str] = "node"

    def start(self) -> None:
        """Take the data directory, where the log is, and start every actor; strategies begin when their leases are had.

        Raises:
            DataDirectoryBusyError: another process works in it.
            SystemGaveUpError: an actor could not be started.
        """
        settings = self.settings
        self._run(
            lambda: InProcessSystemBase(
                stall_warn_s=settings.system.stall_warn_s, trace_every=settings.system.trace_every
            ),
            lambda: SupervisorSettings(
                children=node_children(settings),
                policy=settings.supervision,
                root=True,
                shutdown_s=settings.system.shutdown_s,
                journal="",
            ),
        )

    def look(self) -> NodesStatistics | None:
        """Return the state of the node; None: it is busy."""
        future = self.runtime.request_future(NODES, Ping())
        wait((future,), timeout=LOOK_TIMEOUT_S)
        answer = future.result() if future.done() else None
        found = answer.statistics if isinstance(answer, Pong) else None
        return found if isinstance(found, NodesStatistics) else None
