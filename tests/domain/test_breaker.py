"""A breaker: closed, open, tried again."""

import pytest

from natya.domain.breaker import Breaker
from natya.domain.time import SECOND_NS


@pytest.fixture
def breaker():
    return Breaker(fail_max=3, reset_timeout_s=5.0)


def fail(breaker, times=3, now_ns=0):
    return [breaker.failed(now_ns) for _ in range(times)]


class TestFailuresInARow:
    def test_open_it_when_they_are_enough(self, breaker):
        assert fail(breaker) == [False, False, True]
        assert (breaker.state, breaker.openings) == ("open", 1)

    def test_are_counted_anew_after_a_success(self, breaker):
        fail(breaker, times=2)
        breaker.succeeded()

        assert fail(breaker) == [False, False, True]


class TestAnOpenBreaker:
    def test_is_not_closed_by_a_success_since_nothing_behind_it_can_have_been_one(self, breaker):
        fail(breaker)
        breaker.succeeded()

        assert (breaker.state, breaker.openings) == ("open", 1)

    def test_may_be_tried_again_when_its_time_is_over(self, breaker):
        assert breaker.retry_after_s(0) == 0.0
        fail(breaker, now_ns=7 * SECOND_NS)

        assert breaker.retry_after_s(7 * SECOND_NS) == 5.0
        assert breaker.retry_after_s(10 * SECOND_NS) == 2.0
        assert breaker.retry_after_s(20 * SECOND_NS) == 0.0
        breaker.try_again()
        assert (breaker.state, breaker.retry_after_s(7 * SECOND_NS)) == ("half-open", 0.0)

    def test_counts_neither_failures_nor_successes(self, breaker):
        fail(breaker)
        fail(breaker, now_ns=4 * SECOND_NS)
        breaker.succeeded()

        assert (breaker.state, breaker.openings, breaker.retry_after_s(0)) == ("open", 1, 5.0)


class TestOneThatIsTriedAgain:
    @pytest.fixture
    def tried(self, breaker):
        fail(breaker)
        breaker.try_again()
        return breaker

    def test_opens_with_the_first_failure_for_as_long_again(self, tried):
        assert fail(tried, times=1, now_ns=9 * SECOND_NS) == [True]
        assert (tried.openings, tried.retry_after_s(9 * SECOND_NS)) == (2, 5.0)

    @pytest.mark.parametrize(("how", "openings"), [({}, 1), ({"keeps_openings": True}, 2)])
    def test_closes_with_a_success_that_may_keep_the_openings(self, tried, how, openings):
        tried.succeeded(**how)
        assert tried.state == "closed"
        fail(tried)

        assert tried.openings == openings
