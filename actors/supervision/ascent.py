"""Children that come up together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .deadline import Deadline


class Ascent:
    """Children that come up one after another, each when the one before it is up.

    The start of all is one; so is every restart, with the siblings it takes along.
    """

    def __init__(self, names: Iterable[str], *, probes: Iterable[str] = (), not_before_ns: int = 0) -> None:
        self.names = list(names)
        """Still to come up; the first is on its way."""

        self.probes = set(probes)
        """Have to answer a Ping before it counts as success."""

        self.not_before_ns = not_before_ns
        """The back-off: monotonic time before which nobody is brought up."""

        self.timer: Deadline | None = None
        """Of the back-off, or of the probes."""

    def set_timer(self, timer: Deadline | None) -> None:
        """Replace what it waits for; None: it does not."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = timer

    def without(self, names: Iterable[str]) -> Ascent:
        """Make one of those that are left when these drop out."""
        dropped = set(names)
        names = (name for name in self.names if name not in dropped)
        return Ascent(names, probes=self.probes - dropped, not_before_ns=self.not_before_ns)
