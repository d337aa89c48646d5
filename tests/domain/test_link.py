"""A link between two nodes: each thing arrives once and in order, over a server that loses, repeats and reorders."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from natya.domain.nodes.link import BATCH_MAX, ON_THE_WAY_MAX, Incoming, Outgoing

AGAIN_NS = 100


def an_outgoing(waiting_max=10_000):
    return Outgoing(waiting_max=waiting_max, again_ns=AGAIN_NS)


class TestWhatIsSent:
    def test_has_numbers_and_goes_once_until_its_time_is_over(self):
        outgoing = an_outgoing()
        for item in "abc":
            outgoing.push(item)

        assert outgoing.due(0) == (1, ("a", "b", "c"))
        assert outgoing.due(99) is None
        assert outgoing.due(100) == (1, ("a", "b", "c"))
        assert outgoing.repeats == 3

    def test_is_forgotten_when_it_is_confirmed(self):
        outgoing = an_outgoing()
        for item in "abc":
            outgoing.push(item)
        outgoing.due(0)
        outgoing.confirm(2)

        assert len(outgoing) == 1
        assert outgoing.due(100) == (3, ("c",))
        assert outgoing.repeats == 1
        outgoing.push("d")
        assert outgoing.due(110) == (4, ("d",))
        outgoing.confirm(9)
        assert (len(outgoing), outgoing.due(500), outgoing.repeats) == (0, None, 1)
        outgoing.push("e")
        assert outgoing.due(500) == (5, ("e",))

    def test_is_bounded_on_the_way_and_in_waiting(self):
        outgoing = an_outgoing(waiting_max=2_000)
        taken = [outgoing.push(number) for number in range(2_001)]
        batches = [outgoing.due(0) for _ in range(5)]

        assert taken == [True] * 2_000 + [False]
        assert [len(items) for _, items in batches[:4]] == [BATCH_MAX] * 4
        assert batches[4] is None
        assert 4 * BATCH_MAX == ON_THE_WAY_MAX

    def test_may_be_replaced_as_long_as_it_is_not_confirmed(self):
        outgoing, incoming = an_outgoing(), Incoming()
        for item in "abc":
            outgoing.push(item)
        incoming.take(*outgoing.due(0))
        outgoing.confirm(1)
        outgoing.replace(str.upper)

        assert outgoing.due(100) == (2, ("B", "C"))
        assert incoming.take(2, ("B", "C")) == ()


class TestWhatComes:
    def test_too_early_is_dropped_and_what_came_before_is_left_out(self):
        incoming = Incoming()

        assert incoming.take(2, "bc") == ()
        assert incoming.take(1, "ab") == "ab"
        assert incoming.take(1, "abc") == "c"
        assert incoming.taken == 3


@given(seed=st.integers(0, 2**32), loss=st.floats(0.0, 0.6))
def test_everything_arrives_once_and_in_order(seed, loss):
    chance, outgoing, incoming, arrived, way, now_ns = Random(seed), an_outgoing(), Incoming(), [], [], 0
    wanted = list(range(chance.randint(1, 60)))
    to_push = list(wanted)
    while arrived != wanted or to_push or len(outgoing):
        now_ns += chance.randint(1, 40)
        if to_push and chance.random() < 0.7:
            outgoing.push(to_push.pop(0))
        due = outgoing.due(now_ns)
        copies = chance.choice((1, 1, 2)) if due else 0
        way += [due for _ in range(copies) if chance.random() >= loss]
        chance.shuffle(way)
        while way and chance.random() < 0.6:
            arrived += incoming.take(*way.pop())
        if chance.random() >= loss:
            outgoing.confirm(incoming.taken - chance.choice((0, 0, 1)))

        assert arrived == wanted[: len(arrived)]
