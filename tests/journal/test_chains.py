"""Appends that rely on others."""

from hypothesis import given
from hypothesis import strategies as st

from natya.actors.journal.chains import MISSING_MAX, WRITERS_MAX, Chains
from natya.messages.journal import Append


def an_append(number, follows=0, writer="orders-1"):
    return Append(facts=(), writer=writer, number=number, follows=follows)


class TestAnAppend:
    def test_is_taken_if_what_it_follows_was(self):
        chains = Chains()

        assert [chains.admits(an_append(1)), chains.admits(an_append(2, 1)), chains.admits(an_append(3))] == [True] * 3

    def test_is_not_taken_if_what_it_follows_came_in_an_earlier_life_or_was_refused_or_never_came(self):
        restarted, refused, dropped = Chains(), Chains(), Chains()
        refused.admits(an_append(1))
        refused.lost(an_append(1))
        dropped.admits(an_append(1))

        assert not restarted.admits(an_append(2, 1))
        assert not refused.admits(an_append(2, 1))
        assert not dropped.admits(an_append(3, 2))

    def test_is_not_taken_if_what_it_follows_was_not_taken_for_that_reason(self):
        chains = Chains()

        assert [chains.admits(an_append(2, 1)), chains.admits(an_append(3, 2))] == [False, False]

    def test_of_another_writer_has_numbers_of_its_own(self):
        chains = Chains()
        chains.admits(an_append(1))

        assert not chains.admits(an_append(2, 1, writer="orders-2"))

    def test_without_a_writer_follows_none(self):
        assert Chains().admits(an_append(2, 1, writer=""))

    def test_of_a_writer_that_was_forgotten_is_not_taken_on_trust(self):
        chains = Chains()
        chains.admits(an_append(1))
        for number in range(WRITERS_MAX - 1):
            chains.admits(an_append(1, writer=f"other-{number}"))
        assert chains.admits(an_append(2, 1))

        chains.admits(an_append(1, writer="one more"))

        assert not chains.admits(an_append(3, 2))

    def test_after_as_many_lost_ones_as_are_remembered_follows_those_before_them(self):
        chains = Chains()
        chains.admits(an_append(1))

        assert chains.admits(an_append(MISSING_MAX + 2, 1))
        assert not chains.admits(an_append(MISSING_MAX + 3, 2))

    def test_after_more_lost_ones_than_are_remembered_follows_only_later_ones(self):
        chains = Chains()
        chains.admits(an_append(1))

        assert not chains.admits(an_append(MISSING_MAX + 3, 1))
        assert not chains.admits(an_append(MISSING_MAX + 4, MISSING_MAX + 3))
        assert chains.admits(an_append(MISSING_MAX + 5))

    def test_after_more_refused_ones_than_are_remembered_follows_the_later_ones_again(self):
        chains = Chains()
        for number in range(1, MISSING_MAX + 2):
            chains.lost(an_append(number))

        assert chains.admits(an_append(MISSING_MAX + 2))
        assert chains.admits(an_append(MISSING_MAX + 3, MISSING_MAX + 2))
        assert chains.admits(an_append(MISSING_MAX + 4, MISSING_MAX + 3))
        assert not chains.admits(an_append(MISSING_MAX + 5, MISSING_MAX + 1))


@given(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from(["taken", "taken", "dropped", "refused", "restart"])), max_size=30
    )
)
def test_whatever_is_lost_nothing_is_taken_whose_predecessors_in_this_life_were_not_all_taken(steps):
    chains, taken = Chains(), set()
    follows_of = {}
    for number, (back, what) in enumerate(steps, start=1):
        follows = number - back if 0 < back < number else 0
        follows_of[number] = follows
        append = an_append(number, follows)
        if what == "restart":
            chains, taken = Chains(), set()
        if what == "dropped":
            continue
        admitted = chains.admits(append)
        assert admitted == (not follows or follows in taken)
        if admitted and what == "refused":
            chains.lost(append)
        elif admitted:
            taken.add(number)
