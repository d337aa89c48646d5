"""Builders for the journal's tests: facts, a journal on a simulated disk, and one in a real directory."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from natya.actors.journal import Journal, SimulatedDisk
from natya.messages.orders import OrderCancelled, OrderIntended
from natya.messages.supervision import ChildRestarted

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


def a_restart(number=1):
    """A fact that no book needs."""
    return ChildRestarted(
        supervisor="system", child="feed", restarts=number, occurred_ns=1_700_000_000_000_000_000 + number
    )


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
    a_restart = staticmethod(a_restart)
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


UNREADABLE = [
    ({"quantity": 0},),
    ({"quantity": 1 << 70},),
    ({"quantity": "5"},),
    ({"limit_price": float("nan"), "order_type": "LIMIT"},),
    ({"limit_price": float("inf"), "order_type": "LIMIT"},),
    ({"side": "HOLD"},),
    ({"symbol": None},),
    ({"symbol": "\ud800"},),
    ({"symbol": object},),
    ({"occurred_ns": -1},),
    ({}, {"quantity": -1}),
]
"""What is changed in good facts that msgspec makes then, and nobody could read again."""


@pytest.fixture(params=UNREADABLE, ids=str)
def unreadable(request):
    return tuple(msgspec.structs.replace(an_intent(1), **changes) for changes in request.param)
