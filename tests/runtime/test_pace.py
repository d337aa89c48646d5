"""When a message is due."""

from hypothesis import given
from hypothesis import strategies as st

from natya.actors.runtime.pace import Pace

times = st.integers(0, 10**15)


@given(times, times)
def test_at_speed_0_everything_is_due_at_once(market_ns, now_ns):
    assert Pace(0).wait_ns(market_ns, now_ns) == 0


@given(times, times, st.integers(0, 10**12), st.sampled_from([0.5, 1.0, 10.0]))
def test_a_message_waits_for_its_distance_from_the_first_divided_by_the_speed(market_ns, now_ns, later_ns, speed):
    pace = Pace(speed)

    assert pace.wait_ns(market_ns, now_ns) == 0
    assert pace.wait_ns(market_ns + later_ns, now_ns) == round(later_ns / speed)
    assert pace.wait_ns(market_ns + later_ns, now_ns + 7) == round(later_ns / speed) - 7


@given(times, times, st.integers(0, 10**12), st.integers(0, 10**12), st.sampled_from([0.5, 1.0, 10.0]))
def test_what_is_skipped_is_not_waited_for(market_ns, now_ns, skipped_ns, later_ns, speed):
    pace = Pace(speed)
    pace.skip(skipped_ns)  # nothing has begun: there is nothing to skip
    assert pace.wait_ns(market_ns, now_ns) == 0

    pace.skip(skipped_ns)

    assert pace.wait_ns(market_ns + skipped_ns + later_ns, now_ns) == round(later_ns / speed)
