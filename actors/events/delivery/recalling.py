"""Which events a subscription has settled in earlier lives, as far as its window reaches. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....messages.delivery import EventPublished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ....messages.journal import JournalRecord

REACH: Final = 16
"""So many times the window is looked back, in records of the journal. Most of them may be facts that are no events,
which come once and are not remembered; they are passed over undecoded, at a microsecond each."""


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
        """Of the newest that were found, the oldest first."""
        return self._ids[-self._window :]

    def take(self, records: Iterable[JournalRecord], wants: Callable[[EventPublished], bool], *, is_end: bool) -> bool:
        """Take the next page of events, and tell whether all is found.

        Args:
            records: of events, be there facts among them or not.
            wants: tells whether an event is one of the subscription's.
            is_end: the journal has no more behind them.
        """
        for record in records:
            if record.sequence > self._high:
                is_end = True
                break
            self.after = record.sequence
            if isinstance(record.fact, EventPublished) and wants(record.fact):
                self._span.append(record.fact.event_id)
        if not is_end:
            return False
        self._ids[:0], self._span = self._span, []
        if len(self._ids) >= self._window or self._low == self._lowest:
            return True
        self._low, self._high = max(self._lowest, 3 * self._low - 2 * self._position), self._low
        self.after = self._low
        return False
