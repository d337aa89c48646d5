"""The waits between connections: within their bounds, longer after each failure, first ones after a long life."""

import pytest
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


@pytest.mark.parametrize(
    ("failures", "chance", "fields", "wait_s"),
    [
        (0, 0.5, {}, 0.5),
        (1, 0.5, {}, 0.5),
        (3, 0.5, {}, 2.0),
        (3, 0.0, {}, MIN_S),
        (3, 0.0, {"min_s": 0.0}, 0.0),
        (1, 0.5, {"first_s": 4.0}, 2.0),
        (9, 0.5, {"max_s": 8.0}, 4.0),
        (100_000, 0.5, {"first_s": 0.001, "max_s": 1e9}, 0.5 * 0.001 * 2**16),
        (9, 0.0, {"is_told_to_wait": True}, 15.0),
        (1, 0.5, {"is_told_to_wait": True, "max_s": 8.0}, 6.0),
    ],
    ids=str,
)
def test_a_wait_is_a_part_of_its_bound_by_chance_and_of_half_the_longest_where_it_is_told(
    failures, chance, fields, wait_s
):
    assert Reconnecting(failures).wait_s(chance=chance, **fields) == wait_s


def test_what_counts_as_a_life_may_be_given():
    assert Reconnecting(9).after(lived_s=5.0, settled_s=5.0) == Reconnecting(1)
    assert Reconnecting(9).after(lived_s=5.0) == Reconnecting(10)
