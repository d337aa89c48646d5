"""The waits between connections: within their bounds, longer after each failure, first ones after a long life."""

from hypothesis import given
from hypothesis import strategies as st

from natya.domain.reconnecting import MAX_S, MIN_S, SETTLED_S, Reconnecting

CHANCES = st.floats(0, 1, exclude_max=True)


@given(failures=st.integers(0, 100_000), chance=CHANCES, is_told_to_wait=st.booleans())
def test_a_wait_is_within_the_bounds(failures, chance, is_told_to_wait):
    wait_s = Reconnecting(failures).wait_s(chance=chance, is_told_to_wait=is_told_to_wait)

    assert MIN_S <= wait_s <= MAX_S
    assert wait_s >= MAX_S / 2 or not is_told_to_wait


def test_the_bound_doubles_with_each_failure():
    state, bounds = Reconnecting(), []
    for _ in range(7):
        state = state.after(lived_s=0.0)
        bounds.append(round(state.wait_s(chance=0.999_999_9), 3))

    assert bounds == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]


def test_a_connection_that_lived_makes_the_next_wait_a_first_one():
    assert Reconnecting(9).after(lived_s=SETTLED_S) == Reconnecting(1)
    assert Reconnecting(9).after(lived_s=SETTLED_S - 1) == Reconnecting(10)
