"""Children that are started together, one after another."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .deadline import Deadline


class StartGroup:
    """Children that are started one after another, each when the one before it has started.

    The first start of all children is one group; so is every restart, with the siblings that restart with it.
    """

    def __init__(self, names: Iterable[str], *, probes: Iterable[str] = (), not_before_ns: int = 0) -> None:
        self.names = list(names)
        """Still to be started, in order; the first may be starting now."""

        self.probes = set(probes)
        """Children that must answer a Ping before their restart counts as a success."""

        self.not_before_ns = not_before_ns
        """End of the back-off, monotonic: none is started before."""

        self.timer: Deadline | None = None
        """Of the back-off, or of the probes."""

    def set_timer(self, timer: Deadline | None) -> None:
        """Replace its deadline, cancelling the old one; None: it has none."""
        if self.timer is not None:
            self.timer.cancel()
        self.timer = timer

    def without(self, names: Iterable[str]) -> StartGroup:
        """Return a group without these children."""
        dropped = set(names)
        names = (name for name in self.names if name not in dropped)
        return StartGroup(names, probes=self.probes - dropped, not_before_ns=self.not_before_ns)
