"""Logs a handler that holds the shared loop for too long, with its stack, while it does so."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from ...domain.time import SECOND_NS

if TYPE_CHECKING:
    from .worker import Runnable, Worker

_log = logging.getLogger("natya")

OURS: Final = f"{Path(__file__).parents[1]}{os.sep}"
"""Folder of natya's own actors."""


class Stall(msgspec.Struct, frozen=True, kw_only=True):
    """One turn that took too long."""

    actor: str
    held_s: float
    """Seconds that it had taken at least when it was noticed."""

    since_ns: int = 0
    """When it was seen first, by the monotonic clock of the machine: nanoseconds."""

    stack: str

    place: str
    """The line being executed, the innermost of a user's code if there is any: `my_strategy.py:12 in on_tick`."""


class Watchdog:
    """Samples the loop every `stall_warn_s` seconds; the same turn in two samples is a stall, reported once."""

    def __init__(self, loop: Worker, stall_warn_s: float) -> None:
        self._loop = loop
        self._stall_warn_s = stall_warn_s
        self._stopped = threading.Event()
        self.stalls = 0
        self.last: Stall | None = None
        self.held: Stall | None = None
        """The present stall; None if there is none."""

        threading.Thread(target=self._watch, name="natya-watchdog", daemon=True).start()

    def stop(self) -> None:
        """End its thread."""
        self._stopped.set()

    def _watch(self) -> None:
        seen: tuple[Runnable | None, int, int] | None = None
        reported, since_ns = False, 0
        while not self._stopped.wait(self._stall_warn_s):
            cell = self._loop.current
            now = (cell, self._loop.rounds, 0 if cell is None else cell.handled)
            if cell is None or now != seen:
                seen, reported, self.held, since_ns = now, False, None, time.monotonic_ns()
            elif not reported:
                reported = True
                self._report(cell, since_ns)

    def held_s(self) -> float:
        """Return how many seconds the present stall has lasted; 0 if there is none."""
        held = self.held
        return 0.0 if held is None else (time.monotonic_ns() - held.since_ns) / SECOND_NS

    def _report(self, cell: Runnable, since_ns: int) -> None:
        frame = sys._current_frames().get(self._loop.ident)  # noqa: SLF001  its documented use: debugging of threads
        calls = [] if frame is None else traceback.extract_stack(frame)
        stack = "".join(traceback.format_list(calls))
        self.stalls += 1
        name, place = cell.name or str(cell), _place(calls)
        self.held = Stall(actor=name, held_s=self._stall_warn_s, since_ns=since_ns, stack=stack, place=place)
        self.last = self.held
        fields = {"held_s": self._stall_warn_s, "stack": stack}
        _log.warning("loop.stalled", extra={"actor": self.last.actor, "fields": fields})


def _place(calls: list[traceback.FrameSummary]) -> str:
    is_ours = [call.filename.startswith(OURS) for call in calls]
    ours_begin = is_ours.index(True) if any(is_ours) else 0
    theirs = [call for call, ours in zip(calls[ours_begin:], is_ours[ours_begin:], strict=True) if not ours]
    innermost = next(iter((theirs or calls)[-1:]), None)
    return "" if innermost is None else f"{innermost.filename}:{innermost.lineno} in {innermost.name}"
