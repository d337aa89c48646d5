"""Projects journal records into the core file, and reads missing ones from the journal."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ....messages.addresses import JOURNAL
from ....messages.journal import JournalPage, ReadJournal
from ..errors import DatabaseDamaged, DatabaseError, JournalBehind, JournalGap
from ..writing.journal_cursor import JournalCursor
from ..writing.read_model import LastFact, ReadModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ....config.sections.database import DatabaseSettings
    from ....messages.journal import JournalRecord
    from ...runtime import Outcome, RuntimeActor, Timer
    from ..upkeep.recovery import Opened
    from .files import Files

LANE = "core"
PAGE_RECORDS = 10_000
PAGE_S = 5.0
"""Seconds after which a journal that has not answered (it was restarted, say) is asked again."""

RETRY_S = 1.0


class Projector:
    """Projects what comes in sequence, batch by batch, and reads from the journal what is missing.

    Args:
        actor: provides threads, timers and messages.
        files: the files to write to, while they are open.
        settings: how large a batch is, and how long it waits.
        in_time: a message to the actor, at which it calls `time_is_up`.
        read_on: a message to the actor, at which it calls `read`.
    """

    def __init__(
        self, actor: RuntimeActor, files: Files, settings: DatabaseSettings, *, in_time: object, read_on: object
    ) -> None:
        self.journal_cursor = JournalCursor(0)
        self._actor = actor
        self._files = files
        self._settings = settings
        self._in_time = in_time
        self._read_on = read_on
        self._timer: Timer | None = None
        self._read_model: ReadModel | None = None
        self._last: LastFact | None = None

    @property
    def is_idle(self) -> bool:
        """Whether all records received are projected."""
        return not (self.journal_cursor.is_projecting or self.journal_cursor.waiting)

    def opened(self, opened: Opened) -> None:
        """Continue with opened files, from the sequence up to which they are current."""
        self._read_model = ReadModel(opened.database)
        self._last = opened.last
        self.journal_cursor = JournalCursor(opened.last.sequence if opened.last else 0, self.journal_cursor.heard)
        self.read()

    def hear(self, records: Sequence[JournalRecord]) -> None:
        """Project the records, or note that they have to be read from the journal."""
        if not records:
            return
        if self._files.database is None:
            self.journal_cursor.heard = max(self.journal_cursor.heard, records[-1].sequence)
            return
        self.journal_cursor.hear(records)
        self._gather()

    def _answered(self, life: int, outcome: Outcome) -> None:
        page = outcome.value
        if life != self._files.life or self._files.database is None:
            return
        if isinstance(page, JournalPage):
            self._turn_page(page)
        else:  # `Failed`, `Unavailable`, or a time-out
            self._ask_later()

    def _turn_page(self, page: JournalPage) -> None:
        """Project a page of the journal; the first page proves that the core file was projected from this journal."""
        cursor = self.journal_cursor
        if not cursor.proved and not self._prove(page):
            return
        cursor.turn_page(page.records, page.last_sequence)
        if cursor.waiting or not cursor.lag:
            self.project()
        else:
            self._actor.log("journal.page_missing", level="error", after=cursor.projected, newest=page.last_sequence)
            self._ask_later()

    def time_is_up(self) -> None:
        """Project a batch that did not fill up in time."""
        self._timer = None
        self.project()

    def project(self) -> None:
        """Project the waiting records, if no batch is being projected; read the journal if there are none."""
        if self._files.database is None or self._read_model is None:
            return
        records = self.journal_cursor.take()
        if records:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            then = functools.partial(self._projected, self._files.life)
            apply = functools.partial(self._read_model.apply, first=self.journal_cursor.first)
            self._actor.offload(apply, records, then=then, lane=LANE)
        elif self.journal_cursor.is_behind:
            self.read()

    def read(self) -> None:
        """Read the journal's next page; not by `JournalPages`: the next one is read when this one is in the tables."""
        if self._files.database is None:
            return
        self._ask(after_sequence=self.journal_cursor.next_page_after, then=self._answered)

    def _ask(self, *, after_sequence: int, then: Callable[[int, Outcome], None]) -> None:
        self.journal_cursor.asked = True
        page = ReadJournal(after_sequence=after_sequence, records_max=PAGE_RECORDS)
        self._actor.ask(JOURNAL, page, timeout_s=PAGE_S, then=functools.partial(then, self._files.life))

    def _gather(self) -> None:
        """Project the batch if it is full, else set a timer for it: each batch costs one commit."""
        cursor = self.journal_cursor
        if cursor.waiting >= self._settings.batch_rows_max or not cursor.waiting:
            self.project()
        elif self._timer is None and not cursor.is_projecting:
            self._timer = self._actor.after(self._settings.batch_wait_s, self._in_time)

    def _projected(self, life: int, outcome: Outcome) -> None:
        if life != self._files.life:
            return
        if isinstance(outcome.error, JournalGap):
            if self.journal_cursor.gap():
                self._actor.log("journal.gap", level="error", reason=str(outcome.error))
                self._ask_later()
                return
        elif isinstance(outcome.error, DatabaseError):
            self.journal_cursor.ended(None)
            if self._files.failed(outcome.error, life):
                self._ask_later()
            return
        else:
            self.journal_cursor.ended(outcome.unwrap())
        self._gather()

    def _prove(self, page: JournalPage) -> bool:
        """Find the last projected record in the journal; a core file of another journal is put aside.

        Raises:
            JournalBehind: the journal lacks its end, or is empty.
        """
        last, first = self._last, page.records[0] if page.records else None
        assert last is not None, "a file without facts needs no proof"
        if first is not None and last.is_of(first):
            self.journal_cursor.proved = True
            return True
        if page.last_sequence == 0:
            raise JournalBehind(_behind(last, 0))
        if page.last_sequence < last.sequence and first is None:
            self._ask(after_sequence=page.last_sequence - 1, then=self._hear_newest)
        else:
            self._put_aside(first)
        return False

    def _hear_newest(self, life: int, outcome: Outcome) -> None:
        """Compare the newest record of a journal that ends before the core file: is it the same journal?"""
        page, model = outcome.value, self._read_model
        if life != self._files.life or self._files.database is None or model is None:
            return
        if not isinstance(page, JournalPage) or not page.records:
            self._ask_later()
            return
        newest = page.records[0]

        def compared(outcome: Outcome) -> None:
            if outcome.error is not None:
                self._ask_later()
            elif outcome.value and self._last is not None:
                raise JournalBehind(_behind(self._last, newest.sequence))
            else:
                self._put_aside(newest)

        self._actor.offload(model.holds, newest, then=compared, lane=LANE)

    def _put_aside(self, found: JournalRecord | None) -> None:
        last = self._last
        assert last is not None, "a file without facts is of every history"
        journal_has = "none" if found is None else f"{found.sequence} of {found.recorded_ns} ns"
        reason = (
            f"the core file ends with record {last.sequence} of {last.recorded_ns} ns, the journal has {journal_has}"
        )
        self._files.close(DatabaseDamaged(reason), core_is_foreign=True)

    def _ask_later(self) -> None:
        self.journal_cursor.asked = True
        self._actor.after(RETRY_S, self._read_on)


def _behind(last: LastFact, found: int) -> str:
    return (
        f"the core file has {last.sequence} facts, and the journal ends with record {found}: put the journal's files "
        "back; where they are lost for good, `natya db rebuild` begins with what is left"
    )
