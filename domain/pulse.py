"""Whether a process is alive, by its heartbeat (pure).

The problem: a process that hangs says nothing, and neither does one that was killed. The idea: it counts a number up as
long as it works, and whoever reads it measures with a clock of its own how long the number has stood still. The trap:
no clock is shared. One that is set, or a machine that slept, makes time pass for the reader in which nobody could have
counted; so it is the reader's own time awake that counts, from the moment that it saw the number first.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

from .time import SECOND_NS

Pulse: TypeAlias = Literal["absent", "alive", "ended", "dead"]
"""`absent`: there never was one. `alive`: it beats, or stands still for less than the limit. `ended`: it stopped in
order. `dead`: it stands still for longer."""


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """One beat."""

    epoch: int = 0
    """Counts the lives of the one who beats: a new one is not to be taken for the one before."""

    number: int = 0
    pid: int = 0
    ended: bool = False
    """It is the last one, and was meant to be."""

    trouble: str = ""
    """What the one who beats could not do, if it had to do it now."""


class Listener:
    """Measures how long the heartbeat has stood still."""

    def __init__(self, after_s: float) -> None:
        """Judge it dead after so many seconds without a beat."""
        self._after_ns: Final = round(after_s * SECOND_NS)
        self._newest: Beat | None = None
        self._since_ns = 0

    def hear(self, beat: Beat | None, now_ns: int) -> Pulse:
        """Take in the value read now (at monotonic nanoseconds of the reader), and return the state."""
        if beat is None and self._newest is None:
            return "absent"
        if beat is not None and beat != self._newest:
            self._newest, self._since_ns = beat, now_ns
        assert self._newest is not None, "one was read, now or before"
        if self._newest.ended:
            return "ended"
        return "dead" if now_ns - self._since_ns >= self._after_ns else "alive"

    def silent_s(self, now_ns: int) -> float:
        """Return for how many seconds it has stood still."""
        return (now_ns - self._since_ns) / SECOND_NS if self._newest is not None else 0.0
