"""The fields of every message, pinned in order: frames of earlier releases must stay readable.

`fields.txt` may change by appending: a new message, or new fields with defaults (marked `=`) at the end of a line.
Anything else asks for a new version byte in the codec. `defaults.txt` pins what an earlier frame, which lacks a field,
says by that: another default would change what was said.
"""

from pathlib import Path

import msgspec
import pytest

from natya.messages.codec import MESSAGE_TYPES

DEFAULTS = Path(__file__).with_name("defaults.txt").read_text().splitlines()
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


def test_what_a_missing_field_says_is_pinned_and_stays():
    found = [f"{kind.__name__}.{name} = {default!r}" for kind in MESSAGE_TYPES for name, default in defaults_of(kind)]

    assert sorted(set(DEFAULTS) - set(found)) == [], "these have changed, or are gone"
    assert sorted(set(found) - set(DEFAULTS)) == [], "append these to defaults.txt"


def defaults_of(message_type):
    """The fields that may be left out, each with what is read in its place."""
    for field in msgspec.structs.fields(message_type):
        if field.default_factory is not msgspec.NODEFAULT:
            yield field.name, field.default_factory()
        elif field.default is not msgspec.NODEFAULT:
            yield field.name, field.default
