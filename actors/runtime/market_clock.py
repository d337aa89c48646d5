"""The time of a simulated market: it stands still while anyone works, and goes on with the market's own messages.

Whoever releases the market says of which time its next message is (`RuntimeActor.when_quiet`). When all is quiet,
every timer that is due before fires first, one at a time and in order, each at its own moment and each followed by
quiet; then the clock is the message's time, and the message goes. So what an actor sees of time, and in which order, is
a function of messages alone: a machine that is slow or busy changes nothing.

A base without a simulated market has one, too, that does not rule: actors live on the machine's time then, and nothing
is left of it but the pace.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .pace import Pace
from .timers import SharedTimerHeap

if TYPE_CHECKING:
    from .clock import Clock
    from .timers import Fire, Timer


class MarketClock:
    """Implements `Clock` where the market rules; its timers may be set from any thread, and fire on the loop."""

    __slots__ = ("_machine", "_timers", "pace", "released_ns", "rules", "time_ns")

    def __init__(self, machine: Clock, opening_ns: int | None) -> None:
        """Stand at the opening: nanoseconds since 1970-01-01 UTC; None: no market rules."""
        self.rules = opening_ns is not None
        self.pace = Pace(0.0)
        self.released_ns: int | None = None
        """When the market's newest message was released, by the machine's monotonic clock; None: never."""

        self.time_ns = opening_ns or 0
        """What `now_ns` tells."""

        self._machine = machine
        self._timers = SharedTimerHeap()

    def now_ns(self) -> int:
        """Nanoseconds since 1970-01-01 UTC, by the market; never steps back."""
        return self.time_ns

    def monotonic_ns(self) -> int:
        """Return the same: it never steps back."""
        return self.time_ns

    def go_to(self, at_ns: int) -> None:
        """Let time go on to this moment; one that is past changes nothing."""
        self.time_ns = max(self.time_ns, at_ns)

    def machine_ns(self) -> int:
        """Read the machine's monotonic clock."""
        return self._machine.monotonic_ns()

    def wait_ns(self, at_ns: int) -> int:
        """Tell how long this moment of the market has to wait still, on the machine's clock; 0 or less: it has come."""
        return self.pace.wait_ns(at_ns, self._machine.monotonic_ns())

    def release(self, at_ns: int) -> None:
        """Let the market's next message go out: it is of this moment."""
        if at_ns > self.time_ns:  # noqa: PLR1730  `max` is a call, and this is once a tick
            self.time_ns = at_ns
        self.released_ns = self._machine.monotonic_ns()

    def since_release_ns(self) -> int | None:
        """Tell how long ago that was on the machine's clock; None where none was noted."""
        return None if self.released_ns is None else self._machine.monotonic_ns() - self.released_ns

    def after(self, delay_ns: int, fire: Fire) -> Timer:
        """Call `fire` once, on the loop, so much market time from now."""
        return self._timers.add(self.time_ns + delay_ns, fire)

    def next_due_ns(self) -> int | None:
        """When the next timer is due; None if none waits."""
        return self._timers.next_due_ns()

    def fire_next(self) -> None:
        """Go on to the moment of the next timer, and let it come."""
        popped = self._timers.pop_next()
        if popped is not None:
            due_ns, timer = popped
            self.go_to(due_ns)
            timer.fire()
