"""What a forked child must close.

A lock (`flock`) or a listening socket is held by every process that inherited its descriptor: the children of a process
pool would hold it after their parent was killed, and no new process could start. So they close it right after the fork.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_numbers = itertools.count()
_closers: dict[int, Callable[[], object]] = {}


def close_in_forks(close: Callable[[], object]) -> Callable[[], object]:
    """Call `close` in every forked child of this process, first of all; return a function that ends this."""
    number = next(_numbers)
    _closers[number] = close
    return functools.partial(_closers.pop, number, None)


def point_nowhere(paths: Iterable[str]) -> None:
    """Redirect this process's descriptors of these files to /dev/null, so that an engine that has them does no harm.

    They are not closed, since their numbers would be reused for other files, and the engine would write to those.
    """
    wanted = {*paths}
    nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    try:
        for each in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):  # the descriptor of this listing itself
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
