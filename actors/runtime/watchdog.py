"""Names the handler that holds the shared loop, with its stack, while it does."""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from .cell import Cell
    from .worker import Worker

_log = logging.getLogger("natya")


class Stall(msgspec.Struct, frozen=True, kw_only=True):
    """One turn that took too long."""

    actor: str
    held_s: float
    """At least so long when it was noticed."""

    stack: str


class Watchdog:
    """Looks at the loop every `stall_warn_s`; twice the same turn is a stall, reported once."""

    def __init__(self, loop: Worker, stall_warn_s: float) -> None:
        self._loop = loop
        self._stall_warn_s = stall_warn_s
        self._stopped = threading.Event()
        self.stalls = 0
        self.last: Stall | None = None
        threading.Thread(target=self._watch, name="natya-watchdog", daemon=True).start()

    def stop(self) -> None:
        """End its thread."""
        self._stopped.set()

    def _watch(self) -> None:
        seen: tuple[Cell | None, int, int] | None = None
        reported = False
        while not self._stopped.wait(self._stall_warn_s):
            cell = self._loop.current
            now = (cell, self._loop.rounds, 0 if cell is None else cell.handled)
            if cell is None or now != seen:
                seen, reported = now, False
            elif not reported:
                reported = True
                self._report(cell)

    def _report(self, cell: Cell) -> None:
        frame = sys._current_frames().get(self._loop.ident)  # noqa: SLF001  its documented use: debugging of threads
        stack = "" if frame is None else "".join(traceback.format_stack(frame))
        self.stalls += 1
        self.last = Stall(actor=cell.name or str(cell), held_s=self._stall_warn_s, stack=stack)
        fields = {"held_s": self._stall_warn_s, "stack": stack}
        _log.warning("loop.stalled", extra={"actor": self.last.actor, "fields": fields})
