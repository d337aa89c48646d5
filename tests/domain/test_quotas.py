"""What still counts against a quota, and when one more request fits."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.quotas import DRIFT_SHARE, Quota, Usage
from natya.domain.time import SECOND_NS

PERIOD_NS = DRIFT_SHARE * 10
HOLD_NS = PERIOD_NS + 10 + 3
"""A period, what two clocks may differ by in it, and the margin of these tests."""


def usage_of(requests=2, reserved=0, period_ns=PERIOD_NS, *, answered=(), in_flight=0):
    usage = Usage(Quota(requests=requests, period_ns=period_ns, reserved=reserved), 3)
    for time_ns in answered:
        usage.begin()
        usage.end(time_ns)
    for _ in range(in_flight):
        usage.begin()
    return usage


class TestARequest:
    def test_counts_until_a_period_after_its_answer_and_what_clocks_may_differ_by(self):
        usage = usage_of(answered=[100])

        assert usage.counted(100 + HOLD_NS - 1) == 1
        assert usage.counted(100 + HOLD_NS) == 0

    def test_counts_while_its_answer_is_awaited_however_long(self):
        usage = usage_of(in_flight=1)
        assert usage.counted(1_000 * HOLD_NS) == 1
        usage.end(1_000 * HOLD_NS)

        assert usage.counted(1_000 * HOLD_NS) == 1
        assert usage.counted(1_001 * HOLD_NS) == 0

    def test_of_before_counts_as_well_in_the_order_of_time(self):
        usage = usage_of(answered=[300])
        usage.add([400, 200])

        assert [usage.counted(time_ns + HOLD_NS) for time_ns in (199, 200, 300, 400)] == [3, 2, 1, 0]


class TestOneMore:
    def test_fits_at_once_where_there_is_room(self):
        assert usage_of(answered=[100]).free_ns(200, urgent=False) == (200, True)

    def test_fits_when_the_first_counts_no_more(self):
        usage = usage_of(answered=[100, 150])

        assert usage.free_ns(200, urgent=False) == (100 + HOLD_NS, True)
        assert usage.free_ns(200, urgent=False, ahead=1) == (150 + HOLD_NS, True)

    def test_that_is_urgent_may_have_what_is_kept_for_it(self):
        usage = usage_of(requests=2, reserved=1, answered=[100])

        assert usage.free_ns(200, urgent=True) == (200, True)
        assert usage.free_ns(200, urgent=False) == (100 + HOLD_NS, True)

    def test_never_fits_where_all_is_kept_or_used_for_ever(self):
        assert usage_of(reserved=2).free_ns(200, urgent=False) == (None, True)
        assert usage_of(period_ns=None, answered=[1, 2]).free_ns(10**18, urgent=True) == (None, True)
        assert usage_of(period_ns=None, answered=[1]).free_ns(200, urgent=True) == (200, True)

    def test_behind_those_that_have_no_answer_yet_is_a_guess(self):
        free_ns, is_certain = usage_of(in_flight=2).free_ns(200, urgent=False)

        assert not is_certain
        assert free_ns >= 200 + HOLD_NS

    @given(
        times_ns=st.lists(st.integers(0, 3 * PERIOD_NS), max_size=8).map(sorted),
        requests=st.integers(1, 4),
        ahead=st.integers(0, 6),
    )
    def test_fits_when_it_says_so_and_not_before(self, times_ns, requests, ahead):
        """Where it is certain: those ahead leave at once, so all that is awaited is the end of what was answered."""
        now_ns = times_ns[-1] if times_ns else 0
        usage = usage_of(requests=requests, answered=times_ns)
        free_ns, is_certain = usage.free_ns(now_ns, urgent=False, ahead=ahead)

        def counted(at_ns):
            return sum(time_ns > at_ns - HOLD_NS for time_ns in times_ns) + ahead

        if is_certain:
            assert counted(free_ns) < requests
            assert free_ns == now_ns or counted(free_ns - 1) >= requests
        else:
            assert counted(times_ns[-1] + HOLD_NS if times_ns else now_ns) >= requests

    @given(
        times_ns=st.lists(st.integers(0, 3 * PERIOD_NS), max_size=6).map(sorted),
        in_flight=st.integers(0, 5),
        requests=st.integers(1, 4),
        ahead=st.integers(0, 9),
    )
    def test_fits_as_if_all_in_flight_were_answered_now_and_those_ahead_as_soon_as_they_leave(
        self, times_ns, in_flight, requests, ahead
    ):
        now_ns = times_ns[-1] if times_ns else 0
        usage = usage_of(requests=requests, answered=times_ns, in_flight=in_flight)
        counting = usage.counted(now_ns) - in_flight
        over_ns = [time_ns + HOLD_NS for time_ns in times_ns[len(times_ns) - counting :]] + in_flight * [
            now_ns + HOLD_NS
        ]
        for _ in range(ahead + 1):
            before = len(over_ns) - requests  # the request whose period must be over when the next one leaves
            leaves_ns = max(now_ns, over_ns[before]) if before >= 0 else now_ns
            over_ns.append(leaves_ns + HOLD_NS)

        assert usage.free_ns(now_ns, urgent=False, ahead=ahead)[0] == leaves_ns


class TestAQuota:
    @pytest.mark.parametrize(
        "wrong", [{"requests": 0}, {"period_ns": 0}, {"reserved": -1}, {"reserved": 3}, {"requests": -1}], ids=str
    )
    def test_into_which_nothing_fits_is_refused(self, wrong):
        with pytest.raises(ValueError, match="a quota of at least 1 request"):
            Quota(**{"requests": 2, "period_ns": SECOND_NS} | wrong)

    def test_is_written_as_people_do(self):
        assert str(Quota(requests=250, period_ns=60 * SECOND_NS)) == "250 in 1m"
        assert str(Quota(requests=7, period_ns=None)) == "7 in all"
        assert Quota(requests=2, period_ns=1, reserved=2).allowed(urgent=True) == 2
