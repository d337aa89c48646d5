"""What anything looks like in a log."""

import enum
import json
import re
from decimal import Decimal

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain.shown import DEPTH_MAX, encodable, jsonable, shortened, text_of
from natya.messages.system import Ping


class Colour(enum.IntEnum):
    RED = 1


class Name(str):
    """A text of another type, that says something else when asked."""

    __slots__ = ()

    def __str__(self):
        return "asked"


class Mute:
    """Cannot be shown."""

    def __str__(self):
        raise RuntimeError("no")


class Share(int):
    """A number of another type."""


ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.text(st.characters(categories=("Cs",)))
    | st.binary(max_size=9)
    | st.sampled_from([Mute(), Colour.RED, Share(3), np.float64(1.5), np.int64(7), np.bool_(True), Ping(), object()]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.integers(), inner, max_size=3),
    max_leaves=9,
)


class TestAnything:
    @given(value=ANYTHING)
    def test_has_a_place_in_json(self, value):
        json.loads(msgspec.json.encode(jsonable(value)))

    @pytest.mark.parametrize(
        ("value", "shown"),
        [
            ("\ud800", "\\ud800"),
            ("a\udcffb", "a\\udcffb"),
            ("\u20b9 1,500", "\u20b9 1,500"),
            (Name("TCS"), "TCS"),
            (Share(3), 3),
            (Colour.RED, 1),
            (1 << 70, 1 << 70),
            (np.float64(1.5), 1.5),
            (np.int64(7), "7"),
            (Decimal("1.50"), "1.50"),
            ({1: (None, True)}, {"1": [None, True]}),
            ({"\ud800": {2}}, {"\\ud800": [2]}),
            (Mute(), "(Mute that cannot be shown: RuntimeError)"),
            ({"key": Mute()}, {"key": "(Mute that cannot be shown: RuntimeError)"}),
        ],
        ids=range(14),
    )
    def test_is_shown_as_it_is_or_as_a_text(self, value, shown):
        assert jsonable(value) == shown
        assert type(jsonable(value)) is type(shown)

    def test_of_endless_depth_is_named_by_its_type(self):
        endless = []
        endless.append(endless)

        assert str(jsonable(endless)) == "[" * DEPTH_MAX + "'list'" + "]" * DEPTH_MAX

    def test_without_parts_is_shown_at_any_depth(self):
        values = ["x", 1, 1.5, None, Decimal("1.5"), (), Ping()]

        assert [jsonable(each, DEPTH_MAX) for each in values] == ["x", 1, 1.5, None, "1.5", "tuple", "dict"]

    def test_of_endless_depth_by_names_is_named_by_its_type(self):
        endless = {}
        endless["x"] = endless

        assert str(jsonable(endless)) == "{'x': " * DEPTH_MAX + "'dict'" + "}" * DEPTH_MAX

    @given(text=st.text())
    def test_that_has_bytes_stays_as_it_is(self, text):
        assert encodable(text) == text_of(text) == text


class TestALongText:
    @given(text=st.text(max_size=9).map(lambda text: text * 40), length_max=st.integers(60, 300))
    def test_is_no_longer_than_allowed_and_says_exactly_what_it_lacks(self, text, length_max):
        shown = shortened(text, length_max)

        assert len(shown) <= length_max
        if len(text) <= length_max:
            assert shown == text
        else:
            head, left_out, tail = re.split(r" … (\d+) characters left out … ", shown)
            assert text.startswith(head)
            assert text.endswith(tail)
            assert len(head) + int(left_out) + len(tail) == len(text)


@pytest.mark.parametrize(("length", "is_whole"), [(49, True), (50, True), (51, False)])
def test_a_text_is_whole_up_to_its_length(length, is_whole):
    assert (shortened("x" * length, 50) == "x" * length) is is_whole
