"""Answers in gzip: whole, in pieces, and never taken for whole where they are not."""

import gzip
import tracemalloc
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.actors.external.inflating import inflated

PARTED = st.tuples(st.lists(st.binary(max_size=2_000), min_size=1, max_size=3), st.integers(1, 40), st.integers(1, 500))


def parts_of(packed, size):
    return iter([packed[start : start + size] for start in range(0, len(packed), size)])


@given(PARTED)
def test_is_what_was_packed_however_it_comes(drawn):
    members, part_bytes, piece_bytes = drawn
    packed = b"".join(map(gzip.compress, members))

    assert b"".join(inflated(parts_of(packed, part_bytes), piece_bytes)) == b"".join(members)


@given(PARTED, st.data())
def test_that_ends_in_the_middle_is_none(drawn, data):
    (text, *_), part_bytes, piece_bytes = drawn
    packed = gzip.compress(text)
    cut = data.draw(st.integers(1, len(packed) - 1))

    with pytest.raises(EOFError, match="ends in the middle"):
        [*inflated(parts_of(packed[:cut], part_bytes), piece_bytes)]


def test_of_nothing_is_nothing():
    assert b"".join(inflated(iter(()), 10)) == b""


@given(st.binary(min_size=20, max_size=60))
def test_that_is_none_is_refused(text):
    with pytest.raises((zlib.error, EOFError)):
        [*inflated(iter([b"{" + text]), 10)]


def test_is_never_held_whole():
    packed = gzip.compress(bytes(50_000_000))
    tracemalloc.start()
    try:
        assert max(map(len, inflated(iter([packed]), 1 << 16))) == 1 << 16
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()
