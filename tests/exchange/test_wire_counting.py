from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.exchange.wire import counting
from natya.actors.exchange.wire.counting import RequestCounts
from natya.domain.dhan.limits import limits_on
from natya.domain.quotas import Allowance, Quota

SECOND_NS = 1_000_000_000
LIMITS = limits_on(date(2026, 11, 28))


@pytest.fixture
def counts():
    return RequestCounts(LIMITS)


def let_in(counts, kind, times, **how):
    return sum(counts.admit(kind, round(time_s * SECOND_NS), **how) for time_s in times)


class TestOrders:
    def test_are_ten_in_any_second(self, counts):
        assert let_in(counts, "orders", [100.0] * 15) == 10
        assert let_in(counts, "orders", [100.999]) == 0
        assert let_in(counts, "orders", [101.0] * 15) == 10

    def test_are_counted_in_sliding_seconds_as_well(self, counts):
        assert let_in(counts, "orders", [100.9] * 10) == 10
        assert let_in(counts, "orders", [101.1]) == 0
        assert let_in(counts, "orders", [101.9]) == 1

    def test_are_250_in_a_minute(self, counts):
        assert let_in(counts, "orders", [600 + second * 0.1 for second in range(400)]) == 250

    def test_that_are_refused_do_not_count(self, counts):
        assert let_in(counts, "orders", [100.0] * 1_000) == 10
        assert let_in(counts, "orders", [101.0]) == 1


class TestAnOptionChain:
    def test_is_asked_for_once_in_three_seconds_and_others_beside_it(self, counts):
        assert let_in(counts, "option_chain", [100.0, 101.0, 102.9], key="one") == 1
        assert let_in(counts, "option_chain", [102.9], key="two") == 1
        assert let_in(counts, "option_chain", [103.0], key="one") == 1

    def test_of_more_than_are_kept_apart_is_counted_anew_the_oldest_first(self, counts, monkeypatch):
        monkeypatch.setattr(counting, "KEYS_MAX", 2)
        for key in ("one", "two"):
            assert let_in(counts, "option_chain", [100.0], key=key) == 1
        assert let_in(counts, "option_chain", [100.1], key="one") == 0
        assert let_in(counts, "option_chain", [100.2], key="three") == 1

        assert len(counts._of_key) == 2
        assert let_in(counts, "option_chain", [100.3], key="one") == 0
        assert let_in(counts, "option_chain", [100.4], key="two") == 1

    def test_counts_against_charts_too(self, counts):
        assert let_in(counts, "data", [100.0] * 5) == 5
        assert let_in(counts, "option_chain", [100.0], key="one") == 0


@given(
    times=st.lists(st.integers(0, 40), max_size=60).map(sorted),
    quotas=st.lists(st.tuples(st.integers(1, 4), st.none() | st.integers(1, 10)), min_size=1, max_size=2),
)
def test_no_window_ever_has_more_than_its_quota_and_nothing_is_refused_without_need(times, quotas):
    counts = RequestCounts({"all": Allowance(quotas=tuple(Quota(requests, period) for requests, period in quotas))})
    kept = []
    for time in times:
        is_full = any(
            len(kept) >= requests
            if period is None
            else sum(time - period < each <= time for each in kept) >= requests
            or sum(each // period == time // period for each in kept) >= requests
            for requests, period in quotas
        )
        assert counts.admit("all", time) is not is_full
        if not is_full:
            kept.append(time)
