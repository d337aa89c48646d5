"""The fields of every message, pinned in order: frames of earlier releases must stay readable.

`fields.txt` may change by appending: a new message, or new fields with defaults (marked `=`) at the end of a line.
Anything else asks for a new version byte in the codec.
"""

from pathlib import Path

import pytest

from natya.messages.codec import MESSAGE_TYPES

PINNED = dict(line.split(":") for line in Path(__file__).with_name("fields.txt").read_text().splitlines())
FIELDS = {message_type.__name__: message_type.__struct_fields__ for message_type in MESSAGE_TYPES}


@pytest.mark.parametrize("message_type", MESSAGE_TYPES, ids=lambda message_type: message_type.__name__)
class TestAMessage:
    def test_has_the_pinned_fields_in_order(self, message_type):
        pinned = PINNED.get(message_type.__name__)

        assert pinned is not None, f"append to fields.txt: {line_of(message_type)}"
        assert line_of(message_type) == f"{message_type.__name__}:{pinned}"

    def test_goes_by_its_own_name_on_the_wire(self, message_type):
        assert message_type.__struct_config__.tag == message_type.__name__
        assert message_type.__struct_config__.array_like

    def test_cannot_be_changed(self, message_type):
        assert message_type.__struct_config__.frozen

    def test_says_what_it_is_for(self, message_type):
        assert message_type.__doc__


def test_no_pinned_message_is_gone():
    assert set(PINNED) <= set(FIELDS)


def line_of(message_type):
    required = len(message_type.__struct_fields__) - len(message_type.__struct_defaults__)
    fields = message_type.__struct_fields__
    return " ".join([f"{message_type.__name__}:", *fields[:required], *(f"{name}=" for name in fields[required:])])
