"""The facts of delivery itself, each taken in once, in sequence: at the start from the journal, then as they come.

An append whose answer was lost, or that an earlier life had sent, becomes durable all the same. So only the journal's
records count: an append that was requested proves nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from ....messages.delivery import DeadLettersChanged, EventDeadLettered, SubscriptionMoved
from ....messages.journal import Append, ReadJournal
from ...runtime import JournalPages

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....messages.delivery import EventFact
    from ....messages.journal import JournalRecord
    from ...runtime import Outcome, RuntimeActor
    from .settings import DeliverySettings

OWN_FACTS: Final = (SubscriptionMoved, EventDeadLettered, DeadLettersChanged)
"""Not handed over to subscribers: else journaling a position would move the position."""

PAGE_RECORDS: Final = 1_000


def append(actor: RuntimeActor, settings: DeliverySettings, fact: EventFact, then: Callable[[Outcome], object]) -> None:
    """Have the journal make a fact durable; `then` is called with its answer, or with why there is none."""
    actor.ask(settings.journal, Append(facts=(fact,)), timeout_s=settings.append_s, then=then)


class CallDue(msgspec.Struct, frozen=True):
    """To delivery itself: try again what the journal did not do."""

    call: Any


class OwnFacts:
    """Reads these facts back. Called on the actor's thread alone.

    Args:
        actor: asks the journal.
        settings: of delivery.
        take: called with each record.
        loaded: called when all that were durable at the start are taken in.
    """

    def __init__(
        self,
        actor: RuntimeActor,
        settings: DeliverySettings,
        *,
        take: Callable[[JournalRecord], None],
        loaded: Callable[[], None],
    ) -> None:
        self._take: Final = take
        self._loaded: Final = loaded
        self._is_reading = True
        """True from the start until no record is missing, and again whenever one is."""

        self._heard = 0
        self.is_loaded = False
        self._pages: Final = JournalPages(
            actor,
            ReadJournal(records_max=PAGE_RECORDS, types=tuple(each.__name__ for each in OWN_FACTS)),
            journal=settings.journal,
            timeout_s=settings.append_s,
            take=take,
            done=self._end_or_read_on,
            unanswered=lambda _: actor.after(settings.retry_s, CallDue(self.read)),
        )

    @property
    def last_sequence(self) -> int:
        """Sequence up to which all records of the journal are taken in."""
        return self._pages.sequence

    def hear(self, records: tuple[JournalRecord, ...]) -> None:
        """Take in own facts among records that are durable now; read earlier records first if any is missing."""
        self._heard = max(self._heard, records[-1].sequence)
        if self._is_reading:
            return
        if records[0].sequence > self.last_sequence + 1:
            self.read()
            return
        after = self.last_sequence
        for record in records:
            if isinstance(record.fact, OWN_FACTS) and record.sequence > after:
                self._pages.sequence = record.sequence
                self._take(record)
        self._pages.sequence = max(after, records[-1].sequence)

    def read(self) -> None:
        """Read on, page by page, until no record is missing."""
        self._is_reading = True
        self._pages.read()

    def _end_or_read_on(self) -> None:
        if self._heard > self.last_sequence:
            self.read()
            return
        self._is_reading = False
        if not self.is_loaded:
            self.is_loaded = True
            self._loaded()
