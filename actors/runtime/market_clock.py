"""The time of a simulated market: it stands still while any actor works, and advances with the market's messages.

The feed gives the time of its next message with `RuntimeActor.when_quiet`. When no actor has work, every earlier timer
fires first, one at a time and in order, each at its own time and each followed by quiet; then the clock is set to the
message's time, and the message is delivered. So the times and the order that actors see are a function of the messages
alone: a slow or busy machine changes nothing.

At one and the same moment what ends comes first, then who acts at that time, then what begins: candles of a recording,
timers of strategies and other guests (phase `GUESTS`), ticks, and timers of our own actors (`OURS`). So the order of a
timer at 15:15 meets the prices of 15:15 whether its market has candles, ticks, or both, as it does live.

A base without a simulated market has a `MarketClock`, too, with `rules` False: actors use real time then. That of a
worker process follows its parent's (`workers/far_market.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .pace import Pace
from .timers import SharedTimerHeap

if TYPE_CHECKING:
    from .clock import Clock
    from .timers import Fire, Timer


GUESTS: Final = 0
OURS: Final = 1


class MarketClock:
    """The `Clock` of actors in a simulated market; its timers may be set from any thread, and fire on the loop."""

    __slots__ = ("_machine", "_timers", "pace", "released_ns", "rules", "time_ns")

    def __init__(self, machine: Clock, opening_ns: int | None) -> None:
        """Make a clock.

        Args:
            machine: real time, for the pace.
            opening_ns: start of the simulated market, in nanoseconds since 1970-01-01 UTC; None: there is none.
        """
        self.rules = opening_ns is not None
        self.pace = Pace(0.0)
        self.released_ns: int | None = None
        """When the market's newest message was released, on the machine's monotonic clock; None: never."""

        self.time_ns = opening_ns or 0
        """The current market time."""

        self._machine = machine
        self._timers = SharedTimerHeap()

    def now_ns(self) -> int:
        """Return market time: nanoseconds since 1970-01-01 UTC; never steps back."""
        return self.time_ns

    def monotonic_ns(self) -> int:
        """Return the market time: it never steps back."""
        return self.time_ns

    elapsed_ns = monotonic_ns

    def go_to(self, at_ns: int) -> None:
        """Advance to this time; an earlier time changes nothing."""
        self.time_ns = max(self.time_ns, at_ns)

    def machine_ns(self) -> int:
        """Read the machine's monotonic clock."""
        return self._machine.monotonic_ns()

    def wait_ns(self, at_ns: int) -> int:
        """Return how long, in real time, until this market time; 0 or less: now."""
        return self.pace.wait_ns(at_ns, self._machine.monotonic_ns())

    def release(self, at_ns: int) -> None:
        """Advance to the time of the market's next message, which is delivered now."""
        self.go_to(at_ns)
        self.released_ns = self._machine.monotonic_ns()

    def since_release_ns(self) -> int | None:
        """Return the real time since the last release; None before the first."""
        return None if self.released_ns is None else self._machine.monotonic_ns() - self.released_ns

    def after(self, delay_ns: int, fire: Fire, phase: int = OURS) -> Timer:
        """Call `fire` once, on the loop, after so much market time."""
        return self.at(self.time_ns + delay_ns, fire, phase)

    def at(self, due_ns: int, fire: Fire, phase: int = OURS) -> Timer:
        """Call `fire` once, on the loop, at this market time, or the present one if that is later."""
        return self._timers.add(due_ns, fire, phase)

    def has_timer_before(self, at_ns: int, *, ends: bool) -> bool:
        """Tell whether a timer fires before the market's next message, at this time; `ends`: it is a candle."""
        due_ns = self._timers.next_due_ns()
        if due_ns is None:
            return False
        moment_ns = max(at_ns, self.time_ns)
        if due_ns < moment_ns:
            return True
        if due_ns > moment_ns:
            return False
        return due_ns <= self.time_ns if self._timers.next_phase() == OURS else not ends

    def goes_to(self, at_ns: int, *, ends: bool) -> bool:
        """Release the market's next message at full speed, unless a timer fires before; return whether it was."""
        moment_ns = at_ns if at_ns > self.time_ns else self.time_ns  # noqa: FURB136  a call, and this is once a tick
        due_ns = self._timers.next_due_ns()
        if due_ns is not None and due_ns <= moment_ns and self.has_timer_before(at_ns, ends=ends):
            return False
        self.time_ns = moment_ns
        self.released_ns = self._machine.monotonic_ns()
        return True

    def next_due_ns(self) -> int | None:
        """Return when the next timer is due; None if none waits."""
        return self._timers.next_due_ns()

    def fire_next(self) -> None:
        """Advance to the time of the next timer, and fire it."""
        popped = self._timers.pop_next()
        if popped is not None:
            due_ns, timer = popped
            self.go_to(due_ns)
            timer.fire()
