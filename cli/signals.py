"""Signals that end a command: its temporary files are removed first, as after Ctrl-C; one of a crash leaves no core.

The trap: a module written in C++ that is being imported aborts the process, with a traceback, where an exception comes
into its code. So who is importing is ended by the signal itself: then nothing has begun that would have to be tidied.
"""

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


IMPORTING: Final = "<frozen importlib._bootstrap>"


def end_in_order() -> None:
    """Let the first signal raise `SystemExit`, Ctrl-C `KeyboardInterrupt`, and a second signal end the process at once.

    One that is ignored (`nohup`) stays so; a forked process, whose parent tidies up, is ended by the default, and so is
    one that is importing. A command that ends otherwise, as `natya run` does, handles them itself meanwhile.
    """
    own = os.getpid()
    heard = [number for number in ENDING if signal.getsignal(number) is signal.SIG_DFL]

    def end(number: int, frame: FrameType | None) -> None:
        for each in heard:
            signal.signal(each, signal.SIG_DFL)
        if os.getpid() != own or _is_importing(frame):
            os.kill(os.getpid(), number)
            return
        raise SystemExit(SIGNALLED + number)

    def interrupt(number: int, frame: FrameType | None) -> None:
        if _is_importing(frame):
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            return
        signal.default_int_handler(number, frame)

    for number in heard:
        signal.signal(number, end)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupt)


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == IMPORTING:
            return True
        frame = frame.f_back
    return False


def leave_no_core() -> None:
    """Have this process, and those that it starts, leave no memory on the disk when they crash: secrets are in it.

    A debugger's user may raise the limit again: `prlimit --core=unlimited`.
    """
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, most))
