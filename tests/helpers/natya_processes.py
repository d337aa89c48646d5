"""Processes that a test has started, and what it waits for."""

import contextlib
import time
from pathlib import Path

WAIT_S = 60
"""Bound of every wait: a machine that is busy is no failure."""

LOOKS = 20
"""What was awaited for long is looked for seldom: a look may read a whole journal."""


def await_that(condition, *, timeout_s=WAIT_S):
    """Look again and again until it is so, and return what was found."""
    began = time.monotonic()
    while not (found := condition()):
        waited_s = time.monotonic() - began
        assert waited_s < timeout_s, f"{condition} is wanted within {timeout_s} s"
        time.sleep(min(max(waited_s / LOOKS, 0.005), 0.1))  # between two looks; what is awaited is the condition
    return found


FORKING = "natya_starts"
"""Name of a process that makes the forks of `natya_starts`, in `/proc/PID/comm`."""


def children_of(pid):
    """Process ids of those that a process has started and not waited for, but for the one that forks them."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += map(int, task.read_text().split())
    return [child for child in found if _name_of(child) != FORKING]


def _name_of(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:  # it has ended
        return ""


def is_alive(pid):
    """Whether it runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
