"""What is learnt of the journal besides the book: the requests of the last day, limits in force, numbers of lives."""

import pytest

from natya.actors.orders.book.ledger import Ledger
from natya.actors.orders.book.reading import ReadBack
from natya.actors.orders.errors import FactWithoutIntentError
from natya.domain.client_order_ids import DRAWS, life_of
from natya.domain.time import DAY_NS
from natya.messages.journal import JournalRecord
from natya.messages.orders import CancellationIntended
from natya.messages.risk import LimitChange, LimitsChanged

NOW_NS = 3 * DAY_NS


@pytest.fixture
def ledger():
    return Ledger()


def record(sequence, fact, recorded_ns=NOW_NS):
    return JournalRecord(sequence=sequence, recorded_ns=recorded_ns, correlation_id="", fact=fact)


class TestRequestsOfBefore:
    def test_are_those_of_less_than_a_day_and_are_told_once(self, make, ledger):
        read = ReadBack()
        times_ns = [NOW_NS - DAY_NS - 1, NOW_NS - DAY_NS, NOW_NS - DAY_NS + 1, NOW_NS]
        for number, time_ns in enumerate(times_ns, 1):
            read.take_in(record(number, make.intent(f"A-{number}"), time_ns), ledger)

        assert read.take_sent_ns(NOW_NS) == (NOW_NS - DAY_NS + 1, NOW_NS)
        assert read.take_sent_ns(NOW_NS) == ()

    def test_are_orders_and_cancellations_and_no_other_facts(self, make, ledger):
        read = ReadBack()
        facts = [make.intent("A"), make.accepted("A"), make.cancelled("A"), make.intent("B"), make.rejected("B")]
        for number, fact in enumerate(facts, 1):
            read.take_in(record(number, fact, NOW_NS + number), ledger)

        assert read.take_sent_ns(NOW_NS) == (NOW_NS + 1, NOW_NS + 3, NOW_NS + 4)

    def test_are_not_a_cancellation_whose_request_is_written_down_already(self, make, ledger):
        read = ReadBack()
        asked = CancellationIntended(client_order_id="A", number=1, asked_by="crossover", occurred_ns=1)
        for number, fact in enumerate([make.intent("A"), make.accepted("A"), asked, make.cancelled("A")], 1):
            read.take_in(record(number, fact, NOW_NS + number), ledger)

        assert read.take_sent_ns(NOW_NS) == (NOW_NS + 1, NOW_NS + 3)


class TestTheNumberOfALife:
    def test_is_1_where_there_is_nothing_before(self):
        assert ReadBack().next_life(draw=0) == DRAWS

    def test_is_above_every_record_and_every_number_before(self, make, ledger):
        read = ReadBack()
        read.take_in(record(7, make.intent("A")), ledger)
        read.note(5)
        lives = [read.next_life(draw=draw) for draw in (3, 2)]
        read.note(20)

        assert [*lives, read.next_life(draw=1)] == [life_of(8, draw=3), life_of(9, draw=2), life_of(21, draw=1)]


def test_a_limit_is_what_was_written_last(ledger):
    read = ReadBack()
    for number, after in enumerate(("5", "6"), 1):
        changes = (LimitChange(name="quantity_max", before="4", after=after, loosened=True),)
        read.take_in(record(number, LimitsChanged(changes=changes, occurred_ns=1)), ledger)

    assert read.limits == {"quantity_max": "6"}
    assert read.sequence == 2


@pytest.mark.parametrize("fact", ["accepted", "cancelled"])
def test_a_fact_without_an_intent_is_told_with_its_record(make, ledger, fact):
    with pytest.raises(FactWithoutIntentError, match=r"^record 9 of the journal: "):
        ReadBack().take_in(record(9, getattr(make, fact)("A")), ledger)
