"""Which events a subscription has settled in earlier lives, as far as its window reaches. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ....messages.delivery import EventPublished

REACH: Final = 16
"""Records looked back through, as a multiple of the window. Most of them may be facts that are no events, which come
once and are not remembered; they are passed over undecoded, at a microsecond each."""


class Recall:
    """Goes back from a position span by span, each twice as long as all before it, until the window is full.

    Args:
        position: of the subscription: what is journaled up to it is settled.
        window: ids that are remembered.
    """

    def __init__(self, *, position: int, window: int) -> None:
        self._position: Final = position
        self._window: Final = window
        self._lowest: Final = max(0, position - window * REACH)
        self._low, self._high = max(0, position - window), position
        self._span: list[str] = []
        self._ids: list[str] = []
        self.after = self._low
        """Events behind this sequence are read next."""

    @property
    def ids(self) -> list[str]:
        """The newest ids that were found, the oldest first."""
        return self._ids[-self._window :]

    def take(self, events: Iterable[tuple[int, EventPublished]], *, upto: int, is_end: bool) -> bool:
        """Take the next page, and tell whether all is found.

        Args:
            events: those of the page that are the subscription's, and their sequences in the journal; some may be had.
            upto: all that are journaled up to this sequence are in the page, or were in those before.
            is_end: the journal has no more behind them.
        """
        self._span += [event.event_id for sequence, event in events if self.after < sequence <= self._high]
        self.after = max(self.after, min(upto, self._high))
        if self.after < self._high and not is_end:
            return False
        self._ids[:0], self._span = self._span, []
        if len(self._ids) >= self._window or self._low == self._lowest:
            return True
        self._low, self._high = max(self._lowest, 3 * self._low - 2 * self._position), self._low
        self.after = self._low
        return False
