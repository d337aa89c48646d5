"""A machine that runs strategies for a broker node, in the foreground: a line for each change, until a signal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from ..actors.runtime import tuned_process
from ..node_system import NodeSystem
from .exit_codes import INTERNAL, OK, exit_code
from .foreground import Interrupts
from .service.manager import ServiceManager
from .service.watchdog import OF_A_NODE, Watchdog
from .terminal import complain, has_terminal, out, tell

if TYPE_CHECKING:
    from ..config.settings import Settings
    from ..messages.nodes import NodesStatistics

LOOK_S: Final = 0.25

TAKES_NO_SETTINGS: Final = "the settings in force stay: only a start takes others"


def perform(settings: Settings) -> int:
    """Run until a signal comes; return the exit code."""
    interrupts, manager = Interrupts(has_terminal=has_terminal()), ServiceManager.of_this_process()
    with interrupts.heard(), tuned_process():
        try:
            with NodeSystem(settings) as system:
                manager.ready(f"node of {settings.nodes.play}, in {settings.system.data_dir}")
                watchdog = Watchdog(manager, OF_A_NODE, system.runtime.request_future)
                told: list[str] = []
                while not interrupts.asked:
                    system.expect_running(LOOK_S)
                    watchdog.look(time.monotonic_ns())
                    if interrupts.take_reload():
                        complain(TAKES_NO_SETTINGS)
                    found = system.look()
                    lines = told if found is None else shown(found)
                    for line in lines:
                        if line not in told:
                            tell(line)
                            out().flush()
                    told = lines
                manager.stopping(system.stop_bound_s)
        except Exception as fault:  # noqa: BLE001  reported in words, without a traceback
            complain(str(fault) or type(fault).__name__)
            return exit_code(fault)
    for each in system.stop_failures:
        complain(each)
    return INTERNAL if system.stop_failures else OK


def shown(found: NodesStatistics) -> list[str]:
    """Return how a node stands, a line for each of its strategies."""
    if not found.is_connected:
        return [f"{found.node}: {found.reason or 'not connected yet'}"]
    return [f"{found.node}: {strategy} {state}" for strategy, state in found.strategies.items()]
