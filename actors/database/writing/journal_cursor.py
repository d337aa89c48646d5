"""The journal cursor: up to which sequence the core file is current, and which records come next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....messages.journal import JournalRecord

RECORDS_WAITING_MAX = 100_000
"""Beyond it records are left to the journal, and read from there."""


class JournalCursor:
    """Records that wait to be projected. Those that come in sequence are; the others are read from the journal.

    Args:
        projected: the sequence up to which the core file is current.
        heard: the newest sequence that the journal has spoken of.
    """

    def __init__(self, projected: int, heard: int = 0) -> None:
        self.projected = projected
        self.heard = heard
        self.asked = False
        """Whether a page of the journal is on its way: what comes meanwhile is in a page to come."""

        self.proved = projected == 0
        """Whether the last projected record was found in the journal."""

        self.first = 1
        """The first record there is: a journal that retains only so many days begins later."""

        self._records: list[JournalRecord] = []
        self._projecting = False
        self._gaps = 0

    @property
    def newest(self) -> int:
        """The newest sequence that we know of."""
        return max(self.heard, self.projected)

    @property
    def lag(self) -> int:
        """Records of the journal that are not in the core file yet, as far as was heard."""
        return self.newest - self.projected

    @property
    def waiting(self) -> int:
        """Records that are at hand."""
        return len(self._records)

    @property
    def is_projecting(self) -> bool:
        """Whether records are on their way into the file."""
        return self._projecting

    @property
    def is_behind(self) -> bool:
        """Whether the journal has to be asked."""
        return not self.asked and not self._projecting and not self._records and self.projected < self.newest

    @property
    def next_page_after(self) -> int:
        """After which sequence to read; at first so that the last projected record comes along."""
        return self.projected if self.proved else self.projected - 1

    def hear(self, records: Sequence[JournalRecord]) -> None:
        """Take in what the journal has just written."""
        self.heard = max(self.heard, records[-1].sequence)
        if not self.asked and len(self._records) < RECORDS_WAITING_MAX:
            self._records.extend(records)

    def turn_page(self, records: Sequence[JournalRecord], newest: int) -> None:
        """Take in what was asked for."""
        self.asked = False
        self.heard = max(self.heard, newest)
        if records and self.projected == 0:
            self.first = records[0].sequence
        self._records = [record for record in records if record.sequence > self.projected]

    def take(self) -> list[JournalRecord]:
        """Take what can be projected now; nothing while records are on their way, or a page."""
        if self._projecting or self.asked:
            return []
        records, self._records = self._records, []
        self._projecting = bool(records)
        return records

    def ended(self, projected: int | None) -> None:
        """Hear how far it came; None if nothing was projected: what is at hand is of no use then."""
        self._projecting = False
        if projected is None:
            self._records = []
        else:
            self._gaps = 0
            self.projected = projected

    def gap(self) -> bool:
        """Hear that records were missing; tell whether the journal itself has none either, asked a moment ago."""
        self.ended(None)
        self._gaps += 1
        return self._gaps > 1
