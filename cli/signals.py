"""Signals that end a command: its temporary files are removed first, as after Ctrl-C; one of a crash leaves no core."""

from __future__ import annotations

import os
import resource
import signal
from typing import TYPE_CHECKING, Final

from .exit_codes import SIGNALLED

if TYPE_CHECKING:
    from types import FrameType

ENDING: Final = (signal.SIGTERM, signal.SIGHUP)
"""Python's default would end the process at once, and leave its temporary files."""


def end_in_order() -> None:
    """Let the first signal raise `SystemExit`, and a second one end the process at once.

    One that is ignored (`nohup`) stays so; a forked process, whose parent tidies up, is ended by the default. A command
    that ends otherwise, as `natya run` does, handles them itself meanwhile.
    """
    own = os.getpid()
    heard = [number for number in ENDING if signal.getsignal(number) is signal.SIG_DFL]

    def end(number: int, _: FrameType | None) -> None:
        for each in heard:
            signal.signal(each, signal.SIG_DFL)
        if os.getpid() != own:
            os.kill(os.getpid(), number)
            return
        raise SystemExit(SIGNALLED + number)

    for number in heard:
        signal.signal(number, end)


def leave_no_core() -> None:
    """Have this process, and those that it starts, leave no memory on the disk when they crash: secrets are in it.

    A debugger's user may raise the limit again: `prlimit --core=unlimited`.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
