"""Wrong guesses: so many in any minute, and no more; the rest is told how long to wait."""

from hypothesis import given
from hypothesis import strategies as st

from natya.domain.guesses import WRONG_MAX, WRONG_WINDOW_NS, Guesses
from natya.domain.time import SECOND_NS


def test_the_first_ones_are_taken_and_the_next_waits_until_the_first_is_old():
    guesses = Guesses()
    for number in range(WRONG_MAX):
        assert guesses.wait_s(number * SECOND_NS) == 0
        guesses.wrong(number * SECOND_NS)

    assert guesses.wait_s(4 * SECOND_NS) == 56
    assert guesses.wait_s(WRONG_WINDOW_NS - 1) == 1
    assert guesses.wait_s(WRONG_WINDOW_NS) == 0


def test_who_guesses_while_he_has_to_wait_does_not_wait_longer():
    guesses = Guesses()
    for number in range(10 * WRONG_MAX):
        guesses.wrong(number * SECOND_NS)

    assert guesses.wait_s(49 * SECOND_NS) == 11


@given(times_ns=st.lists(st.integers(0, 10 * WRONG_WINDOW_NS), max_size=60).map(sorted))
def test_there_are_never_more_in_any_minute_and_a_wait_is_as_long_as_it_is_told(times_ns):
    guesses, taken = Guesses(), []
    for now_ns in times_ns:
        wait_s = guesses.wait_s(now_ns)
        if wait_s:
            assert 1 <= wait_s <= WRONG_WINDOW_NS // SECOND_NS
            assert now_ns + wait_s * SECOND_NS >= taken[-WRONG_MAX] + WRONG_WINDOW_NS > now_ns
        else:
            taken.append(now_ns)
        guesses.wrong(now_ns)

    pairs = zip(taken, taken[WRONG_MAX:], strict=False)
    assert all(later - earlier >= WRONG_WINDOW_NS for earlier, later in pairs)
