"""Client order ids: within the broker's alphabet and length, never twice, and known as a natya's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.brackets.legs import SUFFIXES
from natya.domain.client_order_ids import (
    DRAWS,
    LENGTH_MAX,
    LIFE_DIGITS,
    NAME_LENGTH_MAX,
    OrderIds,
    OrderIdsExhaustedError,
    base36,
    is_client_order_id,
    is_formed_as_ours,
    is_own,
    life_of,
    short_name,
)

LIVES = st.integers(0, 36**LIFE_DIGITS - 1)
COUNTERS = st.integers(0, 36**2 - 2)
"""Of the last life of a strategy with the longest name."""


class TestAnId:
    def test_names_the_strategy_its_life_and_the_number(self):
        ids = OrderIds("crossover", life=100)

        assert [ids.upcoming, ids.next(), ids.next(), ids.upcoming] == [
            f"crossover-2s-{number}" for number in (1, 1, 2, 3)
        ]
        assert ids.counter == 2

    @given(name=st.text(max_size=40), life=LIVES, counter=COUNTERS)
    def test_fits_the_broker_with_its_exits_whatever_the_strategy_is_called(self, name, life, counter):
        ids = OrderIds(name, life=life)
        ids.counter = counter
        made = ids.next()

        assert {len(leg) for leg in SUFFIXES.values()} == {1}
        assert all(is_client_order_id(made + leg) for leg in ("", *SUFFIXES.values()))

    @given(
        name=st.text(max_size=40),
        life=LIVES,
        counter=COUNTERS,
        leg=st.sampled_from(("", *SUFFIXES.values(), "S1", "Tzz")),
    )
    def test_is_formed_as_a_natyas(self, name, life, counter, leg):
        ids = OrderIds(name, life=life)
        ids.counter = counter

        assert is_formed_as_ours(ids.next() + leg)

    @given(st.lists(st.tuples(LIVES, st.integers(0, 10**9)), unique=True, max_size=20))
    def test_of_another_life_or_number_is_another(self, made):
        ids = set()
        for life, counter in made:
            maker = OrderIds("s", life=life)
            maker.counter = counter
            ids.add(maker.next())

        assert len(ids) == len(made)

    @pytest.mark.parametrize("name", ["a", "0", "-", "a-b_C9", "x" * NAME_LENGTH_MAX])
    def test_has_the_whole_name_where_every_broker_takes_it(self, name):
        assert short_name(name) == name

    @pytest.mark.parametrize("name", ["", "a b", "\u20b9", "x" * (NAME_LENGTH_MAX + 1)])
    def test_has_a_checksum_of_any_other_name(self, name):
        assert short_name(name) != name
        assert len(short_name(name)) <= NAME_LENGTH_MAX

    def test_that_would_be_too_long_is_refused(self):
        spent = OrderIds("crossover2", life=36**LIFE_DIGITS - 1)
        spent.counter = 36**2 - 2

        assert len(spent.next()) == LENGTH_MAX - 1
        with pytest.raises(OrderIdsExhaustedError):
            spent.next()
        with pytest.raises(OrderIdsExhaustedError):
            OrderIds("s", life=36**LIFE_DIGITS)

    @pytest.mark.parametrize(
        ("name", "sequence", "counter"), [("crossover2", 1_679_615, 1_679_615), ("crossover", 60_466_175, 1_679_615)]
    )
    def test_has_room_for_a_million_orders_of_a_life(self, name, sequence, counter):
        ids = OrderIds(name, life=life_of(sequence, draw=DRAWS - 1))
        ids.counter = counter - 1

        assert len(ids.next()) == LENGTH_MAX - 1


class TestANumberOfALife:
    @given(st.lists(st.tuples(st.integers(0, 10**9), st.integers(0, DRAWS - 1)), unique=True, max_size=20))
    def test_is_another_in_each_journal_and_in_each_life_of_one(self, lives):
        assert len({life_of(sequence, draw=draw) for sequence, draw in lives}) == len(lives)

    @given(st.integers(0, 10**9), st.integers(0, DRAWS - 1), st.integers(0, DRAWS - 1))
    def test_is_above_those_before_it(self, sequence, draw, other):
        assert life_of(sequence, draw=draw) < life_of(sequence + 1, draw=other)


class TestAnIdOfANatya:
    @pytest.mark.parametrize("made", ["crossover-2s-1", "rest-2-1S", "flat-1z0a8q2b7c"])
    def test_may_be_of_an_earlier_release(self, made):
        assert is_formed_as_ours(made)

    @pytest.mark.parametrize(
        "other", ["", "by hand", "crossover", "crossover-2s", "Abc-DEF-1", "a-01-1", "a-1-0", "a-1Z"]
    )
    def test_is_not_whatever_another_program_writes(self, other):
        assert not is_formed_as_ours(other)


class TestAnOwnId:
    @given(st.text(max_size=20), LIVES)
    def test_is_known_in_whatever_life_it_was_made(self, name, life):
        assert is_own(name, OrderIds(name, life=life).next())

    @pytest.mark.parametrize(
        ("name", "other"),
        [
            ("crossover", "crossover2"),
            ("a", "a-b"),
            ("a-b", "a"),
            ("a-1", "a"),
            ("long-name-of-one", "long-name-of-two"),
        ],
    )
    def test_is_not_that_of_a_strategy_whose_name_begins_alike(self, name, other):
        assert not is_own(name, OrderIds(other, life=1).next())
        assert not is_own(other, OrderIds(name, life=1).next())

    def test_may_be_one_of_before_when_names_were_longer(self):
        assert is_own("crossover_12", "crossover_12-gqll7vatq8-1")


class TestAShortName:
    def test_is_the_name_itself_when_it_fits(self):
        assert short_name("crossover2") == "crossover2"

    def test_keeps_long_names_with_one_beginning_apart(self):
        assert short_name("crossover-of-infy") != short_name("crossover-of-tcs_")

    def test_keeps_foreign_names_apart(self):
        assert short_name("a b") != short_name("a_b") == "a_b"


@given(number=st.integers(0, 1 << 80))
def test_base36_is_read_back_by_python(number):
    assert int(base36(number), 36) == number


def test_a_life_has_the_numbers_of_its_sequence_to_itself():
    assert [life_of(7, draw=draw) for draw in (0, 1, DRAWS - 1)] == [7 * DRAWS, 7 * DRAWS + 1, 8 * DRAWS - 1]
