"""A record that is whole by its checksum and its hash, and says what no version of ours wrote.

Whoever reads it refuses it by its sequence, or takes it for what it says, a fact of the declared types: never anything
else, and never with an error of another kind.
"""

from types import SimpleNamespace
from unittest.mock import patch

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st
from natya_database import a_database
from natya_examples import QUARTER
from natya_messages import messages

from natya.actors.database.writing.read_model import ReadModel
from natya.actors.exchange.recovery import Remembered
from natya.actors.journal import JournalDamagedError, SimulatedDisk, batch
from natya.actors.journal.tools import tail, verify
from natya.actors.orders import FactWithoutIntentError
from natya.actors.orders.book import Book
from natya.domain.accounts import Accounts
from natya.messages import codec
from natya.messages.accounts import AccountEntered, RecordingPlayed
from natya.messages.codec import FACT_TYPES, MESSAGE_TYPES
from natya.messages.journal import JournalRecord
from natya.messages.orders import OrderFact, OrderFilled
from natya.messages.risk_state import RiskStateChanged
from natya.messages.system import Ping
from natya.messages.units import INTEGER_MAX, RUPEES_MAX

RECORDS, SPOILED = 5, 3
KEY = f"A-{SPOILED}"

FACTS = st.sampled_from(FACT_TYPES).flatmap(messages)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.floats(), st.text(max_size=8), st.binary(max_size=8)
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
TAGS = st.sampled_from([*(each.__name__ for each in MESSAGE_TYPES), "", 1, None])


LARGEST = OrderFilled(
    client_order_id="1",
    trade_id="1",
    strategy="",
    symbol="A",
    side="BUY",
    quantity=INTEGER_MAX,
    price=RUPEES_MAX,
    cumulative_quantity=INTEGER_MAX,
    occurred_ns=1,
)


@st.composite
def spoiled(draw):
    """Draw a payload with some bytes changed, cut or put in; one of any message; or one of any values."""
    payload = codec.encode(draw(FACTS))
    place = draw(st.integers(0, len(payload) - 1))
    match draw(st.sampled_from(["flip", "cut", "insert", "message", "values"])):
        case "flip":
            return payload[:place] + bytes([payload[place] ^ draw(st.integers(1, 255))]) + payload[place + 1 :]
        case "cut":
            return payload[:place] + payload[draw(st.integers(place, len(payload))) :]
        case "insert":
            return payload[:place] + draw(st.binary(min_size=1, max_size=4)) + payload[place:]
        case "message":
            return codec.encode(draw(st.sampled_from(MESSAGE_TYPES).flatmap(messages)))
        case _:
            return payload[:1] + msgspec.msgpack.encode([draw(TAGS), *draw(st.lists(VALUES, max_size=14))])


def journal_with(workshop, payload):
    """Write five facts, one of them with this payload in its place; all else is as the journal writes it."""
    disk = SimulatedDisk()
    journal = workshop.a_journal(disk)
    journal.open()
    for number in range(1, RECORDS + 1):
        fact = workshop.an_intent(number)
        encoded = payload if number == SPOILED else codec.encode(fact)
        # Said as a value, not from the loop: the journal decodes what it is about to write, and refuses this.
        told = SimpleNamespace(encode=lambda _, encoded=encoded: encoded, decode=lambda _, fact=fact: fact)
        with patch.object(batch, "codec", told):
            journal.append((fact,), f"A-{number}")
        journal.commit()
    journal.close()
    return disk


def opened(workshop, disk):
    journal = workshop.a_journal(disk)
    journal.open()
    try:
        return list(journal.view().find())
    finally:
        journal.close()


def by_key(workshop, disk):
    journal = workshop.a_journal(disk)
    journal.open()
    try:
        return list(journal.view().find(key=KEY))
    finally:
        journal.close()


READERS = {
    "open": opened,
    "by key": by_key,
    "verify": lambda workshop, disk: verify(workshop.directory, disk=disk),
    "tail": lambda workshop, disk: tail(workshop.directory, records_max=10, disk=disk),
}


@given(payload=spoiled())
@example(payload=codec.encode(Ping()))
def test_what_it_says_is_refused_by_its_sequence_or_is_a_fact_as_declared(workshop, payload):
    disk = journal_with(workshop, payload)
    found, refusals = [], []
    for read in READERS.values():
        try:
            found.append(read(workshop, disk))
        except JournalDamagedError as damage:
            refusals.append(damage.sequence)

    assert refusals in ([], [SPOILED] * len(READERS))
    if refusals:
        return
    record = found[0][SPOILED - 1]
    assert (record.sequence, type(record.fact)) == (SPOILED, type(workshop.an_intent()))
    assert codec.checked(record.fact) is record.fact


@example(facts=[LARGEST, msgspec.structs.replace(LARGEST, trade_id="2")])
@given(facts=st.lists(FACTS, max_size=12))
def test_facts_of_the_declared_types_make_a_book_or_lack_an_intent(facts):
    book, accounts, remembered, lacking = Book(), Accounts(), Remembered("newest"), []
    for fact in facts:
        remembered.apply(fact)
        if isinstance(fact, AccountEntered | RecordingPlayed):
            accounts.apply(fact)
        elif isinstance(fact, OrderFact | RiskStateChanged):
            try:
                book.apply(fact)
            except FactWithoutIntentError as fault:
                lacking.append((repr(fact.client_order_id), str(fault), book.order(fact.client_order_id)))
    remembered.orders()

    assert all(name in reason and order is None for name, reason, order in lacking)
    statistics = book.statistics(book.risk_state)
    assert statistics.risk_state in {"NORMAL", "REDUCING", "HALTED"}
    assert codec.checked(statistics) is statistics


@settings(max_examples=QUARTER)
@example(facts=[LARGEST])
@example(facts=[LARGEST, msgspec.structs.replace(LARGEST, trade_id="2")])
@given(facts=st.lists(FACTS, min_size=1, max_size=8))
def test_facts_of_the_declared_types_are_projected(facts):
    records = [
        JournalRecord(sequence=sequence, recorded_ns=1, correlation_id="", fact=fact)
        for sequence, fact in enumerate(facts, start=1)
    ]
    with a_database() as database:
        assert ReadModel(database).apply(records) == len(records)
