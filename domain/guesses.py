"""How often somebody may be wrong about a secret, before nothing more is heard of him for a while: pure.

The time is passed in, and it is the caller that compares. Who knows the secret is let in however many others guess:
nobody can lock its owner out.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from .time import SECOND_NS

WRONG_MAX: Final = 5
WRONG_WINDOW_NS: Final = 60 * SECOND_NS
"""Period of `WRONG_MAX`: after that many wrong guesses in it, the next ones are turned away until it is over."""


class Guesses:
    """The wrong guesses of a while."""

    def __init__(self) -> None:
        """Begin with none."""
        self._wrong_ns: Final[deque[int]] = deque(maxlen=WRONG_MAX)

    def wait_s(self, now_ns: int) -> int:
        """Return for how many seconds another wrong guess is turned away; 0: it would be one of those allowed.

        Args:
            now_ns: monotonic.
        """
        while self._wrong_ns and self._wrong_ns[0] <= now_ns - WRONG_WINDOW_NS:
            self._wrong_ns.popleft()
        if len(self._wrong_ns) < WRONG_MAX:
            return 0
        return -((now_ns - self._wrong_ns[0] - WRONG_WINDOW_NS) // SECOND_NS)

    def wrong(self, now_ns: int) -> None:
        """Take note of a wrong guess, unless it was turned away."""
        if not self.wait_s(now_ns):
            self._wrong_ns.append(now_ns)
