"""Builders for the journal's tests: facts, a journal on a simulated disk, and one in a real directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from natya.actors.journal import Journal, SimulatedDisk
from natya.messages.orders import OrderCancelled, OrderIntended

DIRECTORY = Path("/journal")
SEGMENT_BYTES = 65_536


def an_intent(number=1, *, symbol="RELIANCE"):
    return OrderIntended(
        client_order_id=f"A-{number}",
        strategy="crossover",
        symbol=symbol,
        side="BUY",
        quantity=number,
        order_type="MARKET",
        limit_price=None,
        occurred_ns=1_700_000_000_000_000_000 + number,
    )


def a_cancel(number=1):
    return OrderCancelled(client_order_id=f"A-{number}", reason="asked", occurred_ns=1_700_000_000_000_000_000)


class Ticking:
    """A clock that advances a millisecond whenever it is read."""

    def __init__(self, now_ns=1_700_000_000_000_000_000):
        self.value_ns = now_ns

    def __call__(self):
        self.value_ns += 1_000_000
        return self.value_ns


def a_journal(disk, *, clock=None, segment_bytes=SEGMENT_BYTES):
    return Journal(DIRECTORY, now_ns=clock or Ticking(), segment_bytes=segment_bytes, disk=disk)


def commit_one(journal, number=1):
    """Make one intent durable; returns its sequence."""
    ticket = journal.append((an_intent(number),), f"A-{number}")
    journal.commit()
    return ticket.last_sequence


def facts_of(journal):
    return [record.fact for record in journal.view().page(0, 1_000_000).records]


class Workshop:
    """What a test of the journal builds with."""

    directory = DIRECTORY
    segment_bytes = SEGMENT_BYTES
    an_intent = staticmethod(an_intent)
    a_cancel = staticmethod(a_cancel)
    a_journal = staticmethod(a_journal)
    commit_one = staticmethod(commit_one)
    facts_of = staticmethod(facts_of)
    Ticking = Ticking


@pytest.fixture(scope="session")
def workshop():
    return Workshop


@pytest.fixture
def disk():
    return SimulatedDisk()


@pytest.fixture
def journal(disk):
    journal = a_journal(disk)
    journal.open()
    yield journal
    journal.close()
