"""Words for people."""

from typing import Literal

import pytest

from natya.domain.wording import counted, expect_number, expect_word, printable, some


@pytest.mark.parametrize(("number", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (2_000, "2,000 rows")])
def test_a_noun_is_in_the_plural_unless_there_is_one(number, text):
    assert counted(number, "row") == text


def test_of_many_names_the_first_are_told_and_how_many_more_there_are():
    assert [some(names) for names in ("", "A", "ABC", "ABCDE")] == ["", "A", "A, B, C", "A, B, C and 2 more"]


def test_a_text_is_shown_on_any_terminal_and_no_longer_than_it_may_be():
    assert printable("\u20b9 5\n") == "\\u20b9 5\n"
    assert (printable("x" * 65), printable("x" * 9, 4)) == ("x" * 64, "xxxx")


class TestANumberThatIsExpected:
    @pytest.mark.parametrize("least", [0, 1, 2.5])
    def test_is_one_that_is_large_enough(self, least):
        expect_number("wait_s", least, least=least)
        expect_number("wait_s", 10**9, least=least)
        with pytest.raises(ValueError, match=rf"^wait_s: a number of at least {least:g} is wanted, found "):
            expect_number("wait_s", least - 0.5, least=least)

    def test_is_above_0_unless_something_else_is_said(self):
        expect_number("wait_s", 1e-9)
        with pytest.raises(ValueError, match=r"^wait_s: a number above 0 is wanted, found 0$"):
            expect_number("wait_s", 0)

    @pytest.mark.parametrize("found", [float("nan"), float("inf"), "5", None, True], ids=repr)
    def test_is_nothing_else(self, found):
        with pytest.raises(ValueError, match=rf"^wait_s: .* is wanted, found {found!r}$"):
            expect_number("wait_s", found)

    def test_is_whole_where_it_counts_something(self):
        expect_number("size", 2, least=1, is_whole=True)
        with pytest.raises(ValueError, match=r"^size: a whole number of at least 1 is wanted, found 2\.0$"):
            expect_number("size", 2.0, least=1, is_whole=True)


def test_a_word_is_one_of_those_there_are():
    words = Literal["BUY", "SELL"]
    expect_word("side", "SELL", words)

    for found in ("sell", "", None):
        with pytest.raises(ValueError, match=rf"^side: one of 'BUY', 'SELL' is wanted, found {found!r}$"):
            expect_word("side", found, words)
