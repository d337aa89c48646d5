"""The process that reads recordings for `apart.Apart`: settings come in on standard input, frames go out.

Standard input stays open as long as the parent lives; when it closes, this process exits. A broken output pipe would
not do: a file may hold hours without a message, and then nothing is written.

Nothing imports this module: Python warns of one that it runs and that its package has imported before.
"""

from __future__ import annotations

import os
import select
import sys
import threading
from typing import Final

import msgspec

from ...config.sections.feed import FeedSettings
from ...messages.framing import read_frame
from .reading import serve

PARENT_LOOK_S: Final = 1.0
"""Seconds between two checks that the parent still lives."""


def _end_with(parent: int) -> None:
    """Exit this process when its parent ends.

    That closes our standard input, unless children that the parent forked hold it open; so its id is checked, too.
    """
    while os.getppid() == parent:
        readable, _, _ = select.select([0], [], [], PARENT_LOOK_S)
        if readable and not os.read(0, 1):
            break
    os._exit(1)


def main() -> None:
    """Serve standard input and output; exit without a traceback when the pipe is closed."""
    parent = os.getppid()
    stdin = sys.stdin.buffer
    settings = msgspec.msgpack.decode(read_frame(stdin) or b"", type=FeedSettings)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        serve(settings, sys.stdout.buffer)
    except BrokenPipeError:
        os._exit(1)  # nothing can be flushed: the interpreter would complain at its end


if __name__ == "__main__":
    main()
