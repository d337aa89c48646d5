"""Delivery of journal records in sequence, each once, with detection of gaps (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...messages.journal import JournalRecord


class SequenceGate:
    """Admits records in sequence, each once; a record that comes too early reveals a gap, to be read from the journal.

    The first batch sets where it begins, unless `delivered` is given.
    """

    def __init__(self, delivered: int | None = None) -> None:
        self._delivered = delivered

    @property
    def delivered(self) -> int:
        """Newest sequence admitted; 0 before the first batch."""
        return self._delivered or 0

    def admit(self, records: tuple[JournalRecord, ...]) -> tuple[JournalRecord, ...] | None:
        """Return those of `records` (in sequence, without gaps) that are new; None if some before them are missing.

        After None, read the journal after `delivered`, and admit its pages instead.
        """
        if not records:
            return ()
        if self._delivered is None:
            self._delivered = records[0].sequence - 1
        if records[0].sequence > self._delivered + 1:
            return None
        fresh = records[max(0, self._delivered + 1 - records[0].sequence) :]
        if fresh:
            self._delivered = fresh[-1].sequence
        return fresh
