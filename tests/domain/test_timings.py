from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from natya.domain.timings import Timings
from natya.messages.health import TIMING_BOUNDS_S

DURATIONS = st.lists(st.integers(-5, 20_000_000_000), max_size=50)


class TestDurationsThatAreCounted:
    @given(durations_ns=DURATIONS)
    def test_are_each_in_the_class_of_the_least_bound_that_is_not_below(self, durations_ns):
        timings = Timings()
        for duration_ns in durations_ns:
            timings.add(duration_ns)
        timing = timings.timing()

        placed = [bisect_left(TIMING_BOUNDS_S, max(each, 0) / 1e9) for each in durations_ns]
        assert timing.counts == tuple(placed.count(place) for place in range(len(TIMING_BOUNDS_S) + 1))
        assert timing.sum_s == sum(max(each, 0) for each in durations_ns) / 1e9
