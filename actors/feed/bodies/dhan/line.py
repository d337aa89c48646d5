"""One connection of a feed as time passes: when to open it, when it is dead, when to try again. Pure.

The problem: a socket that is open says nothing of whether anything comes through it. The idea: in hours of trading the
age of the newest data decides; a connection that has gone silent is dropped like one that was closed. The trap: a
service that takes a connection and ends it at once must not be called in a circle, so the delay grows until a
connection has stood for a while, and not until one was opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec

from .....domain.reconnecting import Reconnecting
from .....domain.time import SECOND_NS

if TYPE_CHECKING:
    from random import Random

State: TypeAlias = Literal["waiting", "opening", "open"]
Deed: TypeAlias = Literal["", "open", "drop"]


class LineBounds(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds."""

    silence_s: float = 15.0
    """Without data in hours of trading, a connection is dead."""

    opening_s: float = 10.0
    """A connection that takes longer to open is given up."""

    backoff_s: float = 1.0
    """Longest wait before the second attempt; it doubles with each that fails."""

    backoff_max_s: float = 30.0
    steady_s: float = 30.0
    """Seconds after which a connection that ended begins with the shortest wait again."""


class Line:
    """Times are on the monotonic clock, in nanoseconds."""

    def __init__(self, bounds: LineBounds, random: Random) -> None:
        """Wait for nothing: it may be opened at once."""
        self._bounds: Final = bounds
        self._random: Final = random
        self._since_ns = 0
        """When it came into its state."""

        self._heard_ns = 0
        self._due_ns = 0
        self._reconnecting = Reconnecting()
        self.state: State = "waiting"

    def deed(self, now_ns: int, *, trading_since_ns: int | None) -> Deed:
        """Return what is to be done now.

        Args:
            now_ns: now.
            trading_since_ns: since when its instruments are traded; None: they are not.
        """
        if self.state == "waiting":
            return "open" if now_ns >= self._due_ns else ""
        if self.state == "opening":
            return "drop" if now_ns - self._since_ns > self._bounds.opening_s * SECOND_NS else ""
        if trading_since_ns is None:
            return ""
        silent_ns = now_ns - max(self._heard_ns, self._since_ns, trading_since_ns)
        return "drop" if silent_ns > self._bounds.silence_s * SECOND_NS else ""

    def began(self, now_ns: int) -> None:
        """Note that it is being opened."""
        self.state, self._since_ns = "opening", now_ns

    def opened(self, now_ns: int) -> None:
        """Note that it is open."""
        self.state, self._since_ns, self._heard_ns = "open", now_ns, now_ns

    def heard(self, now_ns: int) -> None:
        """Note that data came."""
        self._heard_ns = now_ns

    def ended(self, now_ns: int, *, busy: bool = False) -> None:
        """Note that it is not open any more, or could not be opened.

        Args:
            now_ns: now.
            busy: the service said that there are too many: it is left alone for the longest wait, or half of it.
        """
        bounds = self._bounds
        lived_s = (now_ns - self._since_ns) / SECOND_NS if self.state == "open" else 0.0
        self._reconnecting = self._reconnecting.after(lived_s=lived_s, settled_s=bounds.steady_s)
        wait_s = self._reconnecting.wait_s(
            chance=self._random.random(),
            is_told_to_wait=busy,
            first_s=bounds.backoff_s,
            max_s=bounds.backoff_max_s,
            min_s=0.0,
        )
        self.state, self._since_ns, self._due_ns = "waiting", now_ns, now_ns + round(wait_s * SECOND_NS)
