"""What a request was refused for, in words: the field, what was wanted of it, what was found. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, get_args, get_origin, get_type_hints

import msgspec

SHOWN_MAX: Final = 60


def fault_text(fault: str, kind: type[msgspec.Struct], values: Mapping[str, Any]) -> str:
    """Say what a `ValidationError` of msgspec is about.

    Args:
        fault: its text.
        kind: what was to be read.
        values: what was read, by the names of the wire.
    """
    wanted, _, place = fault.partition(" - at `$")
    name = place.rstrip("`").lstrip(".")
    found = values.get(name)
    if name not in values or isinstance(found, dict | list):
        return f"{name}: {wanted}" if name else fault
    words = _words_of(kind, name)
    if words:
        wanted = f"one of {', '.join(words)} wanted"
    return f"{name}: {wanted}, found {ascii(found)[:SHOWN_MAX]}"


def _words_of(kind: type[msgspec.Struct], name: str) -> tuple[str, ...]:
    """Return the words that a field may be; none where it is no such field."""
    for field in msgspec.structs.fields(kind):
        if field.encode_name == name:
            hint = get_type_hints(kind)[field.name]
            return get_args(hint) if get_origin(hint) is Literal else ()
    return ()
