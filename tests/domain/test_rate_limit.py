"""At most so many in a second."""

from hypothesis import given
from hypothesis import strategies as st

from natya.domain.rate_limit import RateLimit
from natya.domain.time import SECOND_NS

MOMENTS = st.lists(st.integers(0, 4 * SECOND_NS))


class TestARateLimit:
    @given(MOMENTS, st.integers(1, 5))
    def test_allows_so_many_from_the_first_of_each_second_on(self, moments, allowed):
        limit = RateLimit(allowed)
        granted = [moment for moment in sorted(moments) if limit.spend(moment)]

        start_ns, expected = -SECOND_NS, []
        for moment in sorted(moments):
            if moment >= start_ns + SECOND_NS:
                start_ns, left = moment, allowed
            if left:
                expected.append(moment)
                left -= 1
        assert granted == expected

    @given(MOMENTS, st.integers(1, 5))
    def test_counts_to_the_last_what_it_does_not_allow_whatever_the_clock_does(self, moments, allowed):
        limit, granted, suppressed = RateLimit(allowed), 0, 0
        for moment in moments:
            suppressed += limit.take_suppressed(moment)
            granted += limit.spend(moment)

        assert granted + suppressed + limit.take_suppressed() == len(moments)

    def test_tells_what_it_did_not_allow_when_the_second_is_over(self):
        limit = RateLimit(1)
        for _ in range(5):
            limit.spend(7)

        assert [limit.take_suppressed(7 + SECOND_NS - 1), limit.take_suppressed(7 + SECOND_NS)] == [0, 4]

    def test_begins_a_second_anew_where_the_clock_is_set_back(self):
        limit = RateLimit(1)

        assert [limit.spend(10 * SECOND_NS), limit.spend(5 * SECOND_NS), limit.spend(5 * SECOND_NS)] == [
            True,
            True,
            False,
        ]
