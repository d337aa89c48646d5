"""`JournalPages`: how an actor reads many records of the journal without keeping others waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol

from msgspec.structs import replace

from ...messages.addresses import JOURNAL
from ...messages.journal import JournalPage

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...messages.journal import JournalRecord, ReadJournal
    from .offload import Outcome, Then


class Asks(Protocol):
    """The actor that reads."""

    def ask(self, target: Any, message: Any, *, timeout_s: float, then: Then) -> None:
        """As `RuntimeActor.ask`."""
        ...


class JournalPages:
    """Reads all records that match a request, page by page, in order; each page is a turn of the actor.

    Called on the actor's thread alone. A restart of the actor ends it, as any of its requests.
    """

    def __init__(  # noqa: PLR0913  three answers, and whom to ask
        self,
        actor: Asks,
        request: ReadJournal,
        *,
        timeout_s: float,
        take: Callable[[JournalRecord], object],
        done: Callable[[], object],
        unanswered: Callable[[Outcome], object],
        journal: str = JOURNAL,
    ) -> None:
        """Prepare; `read` begins.

        Args:
            actor: asks the journal.
            request: for the first page; `records_max` is the length of each.
            timeout_s: seconds that the journal may take for a page.
            take: called with each record.
            done: called when no record is left. What becomes durable later is read by another `read`.
            unanswered: called when the journal did not answer with a page; `read`, later, goes on where it was.
            journal: the name of the journal.
        """
        self._actor: Final = actor
        self._request: Final = request
        self._timeout_s: Final = timeout_s
        self._take: Final = take
        self._done: Final = done
        self._unanswered: Final = unanswered
        self._journal: Final = journal
        self.sequence = request.after_sequence
        """All that match up to this one are taken in."""

        self.newest = 0
        """The newest sequence of the whole journal, by the newest page."""

    def read(self) -> None:
        """Ask for the next page."""
        request = replace(self._request, after_sequence=self.sequence)
        self._actor.ask(self._journal, request, timeout_s=self._timeout_s, then=self._take_page)

    def _take_page(self, outcome: Outcome) -> None:
        page = outcome.value
        if not isinstance(page, JournalPage):
            self._unanswered(outcome)
            return
        self.newest = page.last_sequence
        for record in page.records:
            self._take(record)
            self.sequence = record.sequence
        if len(page.records) == self._request.records_max:
            self.read()
        else:
            self.sequence = max(self.sequence, page.last_sequence)
            self._done()
