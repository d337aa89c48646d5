"""When the next message of a simulated market is due."""

from __future__ import annotations


class Pace:
    """Plays recorded time at a multiple of its speed; 0 is as fast as possible.

    The first message is due at once and sets the origin. A system that falls behind catches up without pause.
    """

    def __init__(self, speed: float) -> None:
        self.speed = speed
        self._origin: tuple[int, int] | None = None

    def skip(self, market_ns: int) -> None:
        """Let so much market time pass without waiting for it; what is due after it is due so much sooner."""
        if self._origin is not None:
            market_origin_ns, origin_ns = self._origin
            self._origin = market_origin_ns + market_ns, origin_ns

    def wait_ns(self, market_ns: int, now_ns: int) -> int:
        """Return the nanoseconds of real time until this market time is due; 0 or less: now. `now_ns` is monotonic."""
        if self.speed == 0:
            return 0
        if self._origin is None:
            self._origin = market_ns, now_ns
        market_origin_ns, origin_ns = self._origin
        return origin_ns + round((market_ns - market_origin_ns) / self.speed) - now_ns
