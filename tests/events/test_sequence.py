"""Records in sequence, each once."""

from hypothesis import given
from hypothesis import strategies as st

from natya.actors.events.sequence import SequenceGate
from natya.messages.journal import JournalRecord
from natya.messages.orders import OrderAccepted


def records(first, last):
    return tuple(
        JournalRecord(
            sequence=sequence,
            recorded_ns=sequence,
            correlation_id="a",
            fact=OrderAccepted(client_order_id="a", broker_order_id="X-1", occurred_ns=sequence),
        )
        for sequence in range(first, last + 1)
    )


class TestARouterThatHasDeliveredUpToTen:
    def test_lets_the_next_records_through(self):
        assert SequenceGate(10).admit(records(11, 13)) == records(11, 13)

    def test_drops_what_it_has_delivered_already(self):
        assert SequenceGate(10).admit(records(8, 12)) == records(11, 12)
        assert SequenceGate(10).admit(records(3, 10)) == ()

    def test_finds_a_gap(self):
        gate = SequenceGate(10)

        assert gate.admit(records(12, 12)) is None
        assert gate.delivered == 10


@given(
    cuts=st.lists(st.tuples(st.integers(1, 30), st.integers(0, 6)), max_size=30),
    begin=st.integers(0, 3),
)
def test_whatever_batches_come_every_record_goes_through_once_and_in_order(cuts, begin):
    gate = SequenceGate(begin)
    delivered = []
    for first, length in cuts:
        admitted = gate.admit(records(first, first + length))
        if admitted is None:
            missing_from = gate.delivered + 1
            assert first > missing_from
            admitted = gate.admit(records(missing_from, first + length))
        delivered += [record.sequence for record in admitted]

    assert delivered == list(range(begin + 1, begin + 1 + len(delivered)))


class TestARouterThatHasDeliveredNothing:
    def test_begins_with_the_first_batch_it_sees_wherever_that_begins(self):
        gate = SequenceGate()

        assert gate.admit(records(7, 9)) == records(7, 9)
        assert gate.delivered == 9
        assert gate.admit(records(11, 11)) is None
