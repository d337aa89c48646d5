"""The journal cursor: up to which sequence the core file is current, and which records come next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....messages.journal import JournalRecord

RECORDS_WAITING_MAX = 100_000
"""Records kept in memory at most; later ones are read from the journal."""


class JournalCursor:
    """Records that wait to be projected: those that arrive in sequence; others are read from the journal.

    Args:
        projected: the sequence up to which the core file is current.
        heard: the newest sequence that the journal has reported.
    """

    def __init__(self, projected: int, heard: int = 0) -> None:
        self.projected = projected
        self.heard = heard
        self.asked = False
        """Whether a page was requested: records that arrive meanwhile are in this page or a later one."""

        self.proved = projected == 0
        """Whether the last projected record was found in the journal."""

        self.first = 1
        """The journal's first sequence: above 1 if old segments were removed (`journal.retain_days`)."""

        self._records: list[JournalRecord] = []
        self._projecting = False
        self._gaps = 0

    @property
    def newest(self) -> int:
        """The newest sequence that we know of."""
        return max(self.heard, self.projected)

    @property
    def lag(self) -> int:
        """Number of records that the core file lacks, as far as the journal has reported."""
        return self.newest - self.projected

    @property
    def waiting(self) -> int:
        """Number of records in memory."""
        return len(self._records)

    @property
    def is_projecting(self) -> bool:
        """Whether records are being projected."""
        return self._projecting

    @property
    def is_behind(self) -> bool:
        """Whether the journal has to be asked."""
        return not self.asked and not self._projecting and not self._records and self.projected < self.newest

    @property
    def next_page_after(self) -> int:
        """The sequence after which to read; at first one less, to get the last projected record for comparison."""
        return self.projected if self.proved else self.projected - 1

    def hear(self, records: Sequence[JournalRecord]) -> None:
        """Take records that the journal has just written."""
        self.heard = max(self.heard, records[-1].sequence)
        if not self.asked and len(self._records) < RECORDS_WAITING_MAX:
            self._records.extend(records)

    def turn_page(self, records: Sequence[JournalRecord], newest: int) -> None:
        """Take a page that was requested."""
        self.asked = False
        self.heard = max(self.heard, newest)
        if records and self.projected == 0:
            self.first = records[0].sequence
        self._records = [record for record in records if record.sequence > self.projected]

    def take(self) -> list[JournalRecord]:
        """Return the records to project now; none while others are being projected, or a page is awaited."""
        if self._projecting or self.asked:
            return []
        records, self._records = self._records, []
        self._projecting = bool(records)
        return records

    def ended(self, projected: int | None) -> None:
        """Take the sequence up to which was projected; None if it failed: the records in memory are dropped then."""
        self._projecting = False
        if projected is None:
            self._records = []
        else:
            self._gaps = 0
            self.projected = projected

    def gap(self) -> bool:
        """Note that records were missing; return whether the journal, just read, lacks them, too."""
        self.ended(None)
        self._gaps += 1
        return self._gaps > 1
