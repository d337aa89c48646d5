"""When to look up again (plain, without actors)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...runtime import Timer


class Rounds:
    """A timer that runs only while it is needed, since a simulated market stops for each timer that fires."""

    def __init__(self, start: Callable[[float], Timer]) -> None:
        """Take what starts the timer, given the seconds until it fires."""
        self._start = start
        self._timer: Timer | None = None

    def keep(self, is_needed: bool, *, after_s: float) -> None:  # noqa: FBT001  the very thing that it is about
        """Start the timer if it is needed, else stop it; a timer that runs is not put off."""
        if is_needed and self._timer is None:
            self._timer = self._start(after_s)
        elif not is_needed:
            self.stop()

    def fired(self) -> None:
        """Note that it has fired."""
        self._timer = None

    def stop(self) -> None:
        """Stop the timer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
