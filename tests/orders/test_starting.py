"""The start: the journal is read back, each record once."""

from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from natya.actors.orders.book.ledger import Ledger
from natya.actors.orders.book.reading import ReadBack
from natya.actors.orders.parts.starting import Starting
from natya.actors.runtime import Outcome
from natya.messages.journal import JournalPage, JournalRecord


@pytest.fixture
def asked():
    """What was asked of the journal: requests, each with what is called with its answer."""
    return []


@pytest.fixture
def starting(asked):
    context = SimpleNamespace(
        ledger=Ledger(),
        read_back=ReadBack(),
        settings=SimpleNamespace(checkpoint_facts=0, lookup_interval_s=1.0),
        ask=lambda _target, request, *, then, **_: asked.append((request, then)),
        after=lambda *_: None,
    )
    return Starting(context, *(Mock() for _ in range(10)))


def test_a_page_that_was_asked_for_twice_goes_into_the_book_once(starting, asked, make):
    """The journal was down for a moment, and the answer of before came all the same."""
    record = JournalRecord(sequence=1, recorded_ns=1, correlation_id="", fact=make.intent())
    page = Outcome(value=JournalPage(records=(record,), last_sequence=5), error=None)
    starting.read_on()
    starting.journal_failed("it was restarted")
    starting.read_on()
    (_, first), (_, second) = asked

    first(page)
    second(page)

    assert [request.after_sequence for request, _ in asked] == [0, 0, 1]
