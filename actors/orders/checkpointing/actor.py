"""The checkpoint actor: keeps short what orders has to read of the journal at a start.

Owns    while it makes a checkpoint, a book of its own, built from the one before and the records behind it.
Hears   nothing but answers.
Sends   to the journal ReadJournal, ReadCheckpoint and KeepCheckpoint.
Fails   when the journal holds facts without their intent, as orders would. What cannot be read or kept is tried again
        at the next look. Nothing depends on it: a start without a checkpoint reads the whole journal.

It reads the journal as a start does, and does not ask orders for its book: so a checkpoint never holds on to what a
book in use may have missed. It waits until nothing was journaled from one look to the next, but not for ever.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec

from ....messages.addresses import JOURNAL, ORDERS
from ....messages.journal import (
    CheckpointKept,
    CheckpointRead,
    JournalPage,
    KeepCheckpoint,
    ReadCheckpoint,
    ReadJournal,
)
from ....messages.units import INTEGER_MAX
from ...runtime import RuntimeActor, handles
from ..book.checkpoint import CheckpointBrokenError, made, restored, version
from ..book.ledger import Ledger
from ..book.reading import TYPES, ReadBack

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...runtime import ActorAddress, Outcome

LOOK_S: Final = 10.0
"""Seconds from one look to the next."""

WAITS_MAX: Final = 10
"""Behind by so many times `facts`, a checkpoint is made although the system is busy."""

PAGE_RECORDS: Final = 2_000
PAUSE_S: Final = 0.02
"""Seconds between two pages, so that other actors are not kept waiting."""

ANSWER_S: Final = 60.0

Answer = TypeVar("Answer", bound=msgspec.Struct)


class CheckpointSettings(msgspec.Struct, frozen=True, kw_only=True):
    """When one is made."""

    facts: int
    """Records behind the newest checkpoint, at least 1."""


class LookDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to see how far the journal has gone."""


class ReadOn(msgspec.Struct, frozen=True, gc=False):
    """To itself: read the next page."""


class Making:
    """A checkpoint in the making: a book built from the journal alone, each record once and in sequence."""

    def __init__(self) -> None:
        """Begin with nothing read."""
        self.ledger: Final = Ledger()
        self.read_back: Final = ReadBack()
        self.follows = 0
        """Sequence of the checkpoint that it goes on with; 0: of none."""

    def checkpoint(self) -> KeepCheckpoint:
        """Return the checkpoint as it is to be kept."""
        ended, state = made(self.ledger, self.read_back)
        return KeepCheckpoint(
            name=ORDERS,
            version=version(),
            sequence=self.read_back.sequence,
            follows=self.follows,
            past=ended,
            state=state,
        )


class CheckpointActor(RuntimeActor):
    """Looks every few seconds how far the journal has gone; mostly there is nothing to do.

    Making a checkpoint is a chain of requests, one at a time, whatever answer comes late or twice: with two of them
    pending, records would enter the book twice.
    """

    blocking = True  # it decodes pages, and all orders that are open
    background = True  # a simulated market does not wait for it
    system_time = True

    settings: CheckpointSettings

    def on_start(self) -> None:
        """Know of no checkpoint yet."""
        self._kept: int | None = None
        """Sequence of the newest; None: not known."""

        self._newest = -1
        """The journal's newest sequence at the last look."""

        self._making: Making | None = None
        self._asked = False
        """Whether a request is pending: then nothing else is begun."""

        self.after(LOOK_S, LookDue())

    @handles(LookDue)
    def look(self, _message: LookDue, _sender: ActorAddress) -> None:
        """See how far the journal has gone."""
        if self._asked or self._making is not None:
            return
        if self._kept is None:
            wanted = ReadCheckpoint(name=ORDERS, version=version(), only_looks=True)
            self._ask(wanted, CheckpointRead, self._know)
        else:
            self._ask(ReadJournal(after_sequence=INTEGER_MAX, records_max=1), JournalPage, self._decide)

    def _know(self, found: CheckpointRead) -> None:
        self._kept = found.sequence
        self._rest()

    def _decide(self, page: JournalPage) -> None:
        behind, is_quiet = page.last_sequence - (self._kept or 0), page.last_sequence == self._newest
        self._newest = page.last_sequence
        if behind >= self.settings.facts * (1 if is_quiet else WAITS_MAX):
            self._ask(ReadCheckpoint(name=ORDERS, version=version()), CheckpointRead, self._begin)
        else:
            self._rest()

    def _begin(self, found: CheckpointRead) -> None:
        making, reason = Making(), found.reason
        if found.sequence:
            try:
                restored(making.ledger, making.read_back, ended=found.past, state=found.state)
                making.follows = found.sequence
            except CheckpointBrokenError as fault:
                reason = str(fault)
        if reason:
            self.log("checkpoint.refused", level="warning", reason=reason)
        self._making = making
        self.read_on(ReadOn(), self.myAddress)

    @handles(ReadOn)
    def read_on(self, _message: ReadOn, _sender: ActorAddress) -> None:
        """Read the next page; not by `JournalPages`, which leaves the traders no pause between pages."""
        making = self._making
        if making is not None and not self._asked:
            page = ReadJournal(after_sequence=making.read_back.sequence, types=TYPES, records_max=PAGE_RECORDS)
            self._ask(page, JournalPage, functools.partial(self._take, making))

    def _take(self, making: Making, page: JournalPage) -> None:
        for record in page.records:
            making.read_back.take_in(record, making.ledger)
        if len(page.records) == PAGE_RECORDS:
            self.after(PAUSE_S, ReadOn())
        else:
            making.read_back.read_to(page.last_sequence)
            self._ask(making.checkpoint(), CheckpointKept, self._written)

    def _written(self, answer: CheckpointKept) -> None:
        if answer.sequence:
            self.log("checkpoint.kept", sequence=answer.sequence)
        else:
            self.log("checkpoint.not_kept", level="warning", reason=answer.reason)
        self._kept = answer.sequence or None
        self._rest()

    def _ask(
        self,
        request: ReadJournal | ReadCheckpoint | KeepCheckpoint,
        wanted: type[Answer],
        then: Callable[[Answer], None],
    ) -> None:
        """Go on with the answer; where there is none begin again at the next look."""
        assert not self._asked, "one question at a time"
        self._asked = True

        def answered(outcome: Outcome) -> None:
            self._asked = False
            if isinstance(outcome.value, wanted):
                then(outcome.value)
                return
            self.log("checkpoint.not_made", level="warning", answer=str(outcome.value or outcome.error))
            self._kept = None
            self._rest()

        self.ask(JOURNAL, request, timeout_s=ANSWER_S, then=answered)

    def _rest(self) -> None:
        """Forget the book until the next one is made."""
        self._making = None
        self.after(LOOK_S, LookDue())
