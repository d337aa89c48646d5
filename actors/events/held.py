"""What is kept for a subscriber while another instance takes its place (plain)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..runtime import newest_of

if TYPE_CHECKING:
    from ..runtime import ActorAddress

HELD_MAX: Final = 65_536
"""Messages kept for one subscriber; beyond it market data is conflated to the newest of each symbol."""


class HeldMessages:
    """Messages for one subscriber, in order, each with its conversation."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._kept: list[tuple[Any, ActorAddress, Any]] = []
        self._most = HELD_MAX
        self.conflated = 0
        """Ticks that were left out."""

    def __len__(self) -> int:
        return len(self._kept)

    def add(self, message: Any, sender: ActorAddress, trace: Any) -> None:
        """Keep one more."""
        self._kept.append((message, sender, trace))
        if len(self._kept) > self._most:
            kept = newest_of(self._kept)[::-1]
            self.conflated += len(self._kept) - len(kept)
            self._kept = kept
            self._most = max(HELD_MAX, 2 * len(kept))  # facts are all kept: no need to look through them

    def take(self) -> list[tuple[Any, ActorAddress, Any]]:
        """Return them, in order, and keep none."""
        kept, self._kept = self._kept, []
        return kept
