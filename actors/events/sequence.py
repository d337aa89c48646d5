"""Delivering the journal in sequence: each record once, and a gap noticed, as a pure rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ...messages.journal import JournalRecord


class SequenceGate:
    """Lets records through in sequence, each once; what comes too early opens a gap that the journal must fill.

    The first batch it ever sees sets where it begins.
    """

    def __init__(self, delivered: int | None = None) -> None:
        self._delivered = delivered

    @property
    def delivered(self) -> int | None:
        """Newest sequence let through; none before the first batch."""
        return self._delivered

    def admit(self, records: tuple[JournalRecord, ...]) -> tuple[JournalRecord, ...] | None:
        """Return what of `records` (in sequence, no gaps among them) is new, or None when some before are missing.

        After None, read the journal from `delivered` on and admit its pages instead.
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
