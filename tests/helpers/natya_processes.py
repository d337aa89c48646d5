"""Processes that a test has started, and what it waits for."""

import contextlib
import time
from pathlib import Path

WAIT_S = 60
"""Bound of every wait: a machine that is busy is no failure."""


def await_that(condition, *, timeout_s=WAIT_S):
    """Look again and again until it is so, and return what was found."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{condition} is wanted within {timeout_s} s"
        time.sleep(0.005)  # between two looks; what is awaited is the condition
    return found


def children_of(pid):
    """Process ids of those that a process has started and not waited for."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, task.read_text().split())
    return found


def is_alive(pid):
    """Whether it runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
