"""Words for people."""

import pytest

from natya.domain.wording import counted, printable


@pytest.mark.parametrize(("number", "text"), [(0, "0 rows"), (1, "1 row"), (2, "2 rows"), (2_000, "2,000 rows")])
def test_a_noun_is_in_the_plural_unless_there_is_one(number, text):
    assert counted(number, "row") == text


def test_a_text_is_shown_on_any_terminal_and_no_longer_than_it_may_be():
    assert printable("\u20b9 5\n") == "\\u20b9 5\n"
    assert (printable("x" * 65), printable("x" * 9, 4)) == ("x" * 64, "xxxx")
