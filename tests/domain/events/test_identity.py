"""Ids of events."""

import random
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from natya.domain.events.identity import EventIds

TIMES_NS = st.integers(0, (1 << 63) - 1)


class TestIdsOfOnePublisher:
    @given(times_ns=st.lists(TIMES_NS, max_size=50), seed=st.integers())
    def test_are_each_larger_than_the_one_before_whatever_the_clock_does(self, times_ns, seed):
        ids = EventIds(random.Random(seed))

        made = [ids.new(now_ns) for now_ns in times_ns]

        assert made == sorted(set(made), key=lambda each: UUID(each).int)
        assert made == sorted(made)

    @given(now_ns=TIMES_NS)
    def test_are_uuids_of_version_7_that_say_when_they_were_made(self, now_ns):
        made = EventIds(random.Random(1)).new(now_ns)

        assert UUID(made).version == 7
        assert UUID(made).variant == "specified in RFC 4122"
        assert UUID(made).int >> 80 == now_ns // 1_000_000

    def test_differ_from_those_of_another_publisher_at_the_same_time(self):
        assert EventIds(random.Random(1)).new(5) != EventIds(random.Random(2)).new(5)
