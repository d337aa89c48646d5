"""Reads of the journal for durable subscriptions: one at a time, and a page serves all that are at a place in it.

A read for each of a thousand subscriptions that begin, or are a little behind, kept the journal from its writers for
longer than these wait; and while all of them were read the journal had gone on, so that they never came to its end.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

from ....domain.events.catalog import event_of
from ....messages.journal import JournalPage, ReadJournal
from .own_facts import OWN_FACTS, PAGE_RECORDS, CallDue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ....domain.events.interests import Interests
    from ....messages.delivery import EventPublished
    from ....messages.journal import JournalRecord
    from ...runtime import Outcome, RuntimeActor
    from .settings import DeliverySettings
    from .subscription import Subscription


class Found(NamedTuple):
    """What subscriptions want of some records of the journal."""

    by_name: dict[str, list[tuple[int, EventPublished]]]
    """Events with their sequences, in order."""

    upto: int
    """Sequence of the newest of the records."""

    has_others: bool
    """Whether there are records other than delivery's own."""

    is_end: bool = False
    """The journal has no more behind them."""

    last_sequence: int = 0
    """Newest of the journal."""


def found_in(records: Sequence[JournalRecord], interests: Interests) -> Found:
    """Find what all subscriptions want of some records (at least one), looking at each record once."""
    by_name: defaultdict[str, list[tuple[int, EventPublished]]] = defaultdict(list)
    has_others = False
    for record in records:
        if isinstance(record.fact, OWN_FACTS):
            continue
        has_others = True
        event = event_of(record)
        numbered = record.sequence, event
        for name in interests.of(event):
            by_name[name].append(numbered)
    return Found(by_name, records[-1].sequence, has_others)


class Want(NamedTuple):
    """A page that a subscription wants."""

    number: int
    after: int
    records_max: int
    take: Callable[[Found], None]


class SharedReads:
    """Pages for whoever is next, in turn. Called on the actor's thread alone.

    Args:
        actor: asks the journal.
        settings: of delivery.
        interests: what those subscriptions want that are active.
        types: names of the fact types that are read; empty for all.
    """

    def __init__(
        self, actor: RuntimeActor, settings: DeliverySettings, interests: Interests, *, types: tuple[str, ...] = ()
    ) -> None:
        self._actor: Final = actor
        self._settings: Final = settings
        self._interests: Final = interests
        self._types: Final = types
        self._wanted: dict[Subscription, Want] = {}
        self._count = 0
        self._is_reading = False

    def want(self, subscription: Subscription, *, after: int, records_max: int, take: Callable[[Found], None]) -> None:
        """Have a page read for a subscription, unless that has ended when it is there.

        Args:
            subscription: for which; one page at a time.
            after: all up to this sequence is not wanted.
            records_max: of the page, if it is read for this one.
            take: called with what is found in records behind `after`, and in some before it.
        """
        self._count += 1
        self._wanted[subscription] = Want(self._count, after, records_max, take)
        self._read_next()

    def _read_next(self) -> None:
        if self._is_reading:
            return
        for subscription in tuple(self._wanted):
            if not subscription.is_ended:
                self._read(self._wanted[subscription])
                return
            del self._wanted[subscription]

    def _read(self, first: Want) -> None:
        self._is_reading = True
        # For one subscription no more is read than it has room for; a page for many is read whole.
        records_max = min(PAGE_RECORDS, first.records_max * len(self._wanted))
        request = ReadJournal(after_sequence=first.after, records_max=records_max, types=self._types)
        then = functools.partial(self._take, request, self._count)
        self._actor.ask(self._settings.journal, request, timeout_s=self._settings.append_s, then=then)

    def _take(self, request: ReadJournal, newest: int, outcome: Outcome) -> None:
        page = outcome.value
        if not isinstance(page, JournalPage):  # the journal failed or restarts: it has the records
            self._actor.after(self._settings.retry_s, CallDue(self._go_on))
            return
        after, is_end = request.after_sequence, len(page.records) < request.records_max
        found = Found({}, after, has_others=False) if not page.records else found_in(page.records, self._interests)
        found = found._replace(is_end=is_end, last_sequence=page.last_sequence)
        # A subscription that came after the request may be at a position beyond what the journal had then.
        served = {
            subscription: want
            for subscription, want in self._wanted.items()
            if want.number <= newest and after <= want.after and (want.after < found.upto or is_end)
        }
        for subscription in served:
            del self._wanted[subscription]
        for subscription, want in served.items():
            if not subscription.is_ended:
                want.take(found)
        self._go_on()

    def _go_on(self) -> None:
        self._is_reading = False
        self._read_next()
