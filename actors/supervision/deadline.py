"""A cancellable timer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..runtime.timers import Timer


class Deadline:
    """Calls `act` once, unless cancelled before: then never, even if the timer's message is in the mailbox already."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act: Callable[[], None] | None = act
        self.timer: Timer | None = None

    @property
    def waits(self) -> bool:
        """Whether it has neither been called nor cancelled."""
        return self._act is not None

    def cancel(self) -> None:
        """Cancel it; no effect if it has come."""
        self._act = None
        if self.timer is not None:
            self.timer.cancel()

    def come(self) -> None:
        """Call `act`, the first time only."""
        act, self._act = self._act, None
        if act is not None:
            act()
