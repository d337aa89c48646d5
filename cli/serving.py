"""The paper exchange in the foreground: announced in one line, served until a signal, stopped in order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ..actors.runtime import tuned_process
from .exit_codes import INTERNAL, OK, exit_code
from .foreground import Interrupts
from .node import TAKES_NO_SETTINGS
from .terminal import complain, has_terminal, out, tell, tell_object

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..config.secrets import Secret
    from ..exchange_system import ExchangeSystem

LOOK_S: Final = 0.25
NAME_WIDTH: Final = 14


def perform(make: Callable[[], ExchangeSystem], token: Secret, *, json: bool) -> int:
    """Serve until a signal comes; return the exit code. First of all it says where, and with which token.

    Args:
        make: makes what is served.
        token: that a client has to have.
        json: say so in one line of JSON also at a terminal; what is no terminal is a program, which is told so anyhow.
    """
    interrupts = Interrupts(has_terminal=has_terminal())
    with interrupts.heard(), tuned_process():
        try:
            with make() as system:
                for note in system.notes:
                    complain(note)
                told = msgspec.structs.asdict(system.found()) | {"token": token.reveal()}
                if json or not out().isatty():
                    tell_object(msgspec.json.encode(told))
                else:
                    tell("\n".join(f"{name:<{NAME_WIDTH}}{value}" for name, value in told.items()))
                out().flush()
                while not interrupts.asked:
                    system.expect_running(LOOK_S)
                    if interrupts.take_reload():
                        complain(TAKES_NO_SETTINGS)
        except Exception as fault:  # noqa: BLE001  reported in words, without a traceback
            complain(str(fault) or type(fault).__name__)
            return exit_code(fault)
    for each in system.stop_failures:
        complain(each)
    return INTERNAL if system.stop_failures else OK
