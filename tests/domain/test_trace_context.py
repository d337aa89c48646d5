"""W3C trace context: one conversation is one trace wherever its ids are made."""

import re
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from natya.domain import trace_context
from natya.domain.trace_context import TraceContext, parsed, place_of, root_of, traceparent

OTHERS = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@given(name=st.text(max_size=60), hop=st.integers(0, 2**63))
def test_a_place_is_a_valid_header_and_read_back_as_it_was(name, hop):
    place = place_of(name, hop)

    assert re.fullmatch("00-[0-9a-f]{32}-[0-9a-f]{16}-01", traceparent(place))
    assert parsed(traceparent(place)) == place
    assert place.trace_id == root_of(name).trace_id
    assert (place == root_of(name)) == (hop == 0)


def test_no_id_is_all_zeros_which_would_be_none(monkeypatch):
    monkeypatch.setattr(
        trace_context, "blake2b", lambda _, digest_size: SimpleNamespace(digest=lambda: bytes(digest_size))
    )

    assert root_of("A-1") == place_of("A-1", 7) == TraceContext(1, 1)


def test_a_conversation_named_by_another_system_goes_on_in_its_trace():
    assert root_of(OTHERS) == TraceContext(0x4BF92F3577B34DA6A3CE929D0E0E4736, 0x00F067AA0BA902B7)
    assert place_of(OTHERS, 7).trace_id == 0x4BF92F3577B34DA6A3CE929D0E0E4736
    assert place_of(OTHERS, 7) != place_of(OTHERS, 8)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A-1",
        OTHERS[:-1],
        OTHERS.upper(),
        "01" + OTHERS[2:],
        OTHERS + "\n",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        OTHERS[:36] + "0" * 16 + "-01",
    ],
)
def test_anything_else_is_no_header(text):
    assert parsed(text) is None
