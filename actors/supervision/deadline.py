"""Something to be done at a time to come."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..runtime.timers import Timer


class Deadline:
    """Something to be done at a time to come. Once cancelled it is never done, even if its message is queued."""

    def __init__(self, act: Callable[[], None]) -> None:
        self._act: Callable[[], None] | None = act
        self.timer: Timer | None = None

    @property
    def waits(self) -> bool:
        """Whether it has neither come nor been cancelled."""
        return self._act is not None

    def cancel(self) -> None:
        """Forget it."""
        self._act = None
        if self.timer is not None:
            self.timer.cancel()

    def come(self) -> None:
        """Do it, once."""
        act, self._act = self._act, None
        if act is not None:
            act()
