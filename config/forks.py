"""What a fork of this process must not keep.

A lock (`flock`), or a socket that listens, belongs to everyone who has inherited its descriptor: the children of a
process pool would hold it after their parent was killed, and nobody could start again. So they let go of it at once.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_numbers = itertools.count()
_closers: dict[int, Callable[[], object]] = {}


def close_in_forks(close: Callable[[], object]) -> Callable[[], None]:
    """Have every fork of this process call `close` before anything else; return what ends that."""
    number = next(_numbers)
    _closers[number] = close
    return lambda: _closers.pop(number, None) and None


def point_nowhere(paths: Iterable[str]) -> None:
    """Let the descriptors of these files lead to /dev/null: whoever has them, such as an engine, can do no harm.

    They are not closed: their numbers would be given to other files, which the engine would then write to.
    """
    wanted = {*paths}
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        for each in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):  # it was the one that lists them
                if str(each.readlink()).removesuffix(" (deleted)") in wanted:
                    os.dup2(nowhere, int(each.name), inheritable=False)
    finally:
        os.close(nowhere)


def _in_child() -> None:
    closers = list(_closers.values())
    _closers.clear()
    for close in closers:
        with contextlib.suppress(OSError):
            close()


os.register_at_fork(after_in_child=_in_child)
