"""Requests as a client sends them, as tolerant as Dhan's server is: it is the client that must be exact, not we.

Null is nothing; a field that is not known is ignored; a number may come as text, and an id as a number. Refused is what
was refused there: an empty text for a number, a field that is missing, a word that is not one of those allowed, a
fraction for a count. The refusal names the field.
"""

from __future__ import annotations

import functools
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from ....domain.dhan.faults import fault_text
from .answers import INVALID, invalid

T = TypeVar("T", bound=msgspec.Struct)

_MISSING: Final = "Object missing required field `"


def object_of(body: bytes) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        WireRefusal: it is none.
    """
    try:
        read = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        raise invalid(f"{INVALID}: a JSON object is wanted, found something else") from None
    if not isinstance(read, dict):
        raise invalid(f"{INVALID}: a JSON object is wanted, found {type(read).__name__}")
    return read


class _Client(msgspec.Struct):
    named: Any = msgspec.field(default=None, name="dhanClientId")


_CLIENT: Final = msgspec.json.Decoder(_Client)
"""Skips all else of a body."""


def client_named(body: bytes) -> str:
    """Return whose account a body says it is for; nothing where it names none, or is no JSON object.

    As in all that is read here an id may be a number.
    """
    try:
        named = _CLIENT.decode(body).named
        return "" if named is None else str(int(named) if isinstance(named, float) and named.is_integer() else named)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError):
        return ""


def read(kind: type[T], body: bytes, **given: Any) -> T:
    """Read a request.

    Args:
        kind: of `domain.dhan`.
        body: JSON.
        given: what stands elsewhere, in the path for example; it is put in the place of the body's own.

    Raises:
        WireRefusal: it is not what is wanted; the text names the field.
    """
    return converted(kind, object_of(body) | given)


def converted(kind: type[T], values: dict[str, Any]) -> T:
    """Read a request that is decoded already.

    Raises:
        WireRefusal: it is not what is wanted.
    """
    present = {name: value for name, value in values.items() if value is not None}
    try:
        return msgspec.convert(present, kind, strict=False)
    except (msgspec.ValidationError, ValueError, OverflowError, RecursionError):
        pass
    try:
        return msgspec.convert(_mended(kind, present), kind, strict=False)
    except (msgspec.ValidationError, ValueError, OverflowError, RecursionError) as fault:
        raise invalid(_told(str(fault), kind, present)) from None


def _mended(kind: type[msgspec.Struct], values: dict[str, Any]) -> dict[str, Any]:
    """Make texts of the numbers where texts are wanted; leave out what is empty and has a default."""
    mended = dict(values)
    for wire, holds_text, parts, required in _shape(kind):
        value = mended.get(wire)
        if value is None:
            mended.pop(wire, None)
        elif parts is not None and isinstance(value, list):
            mended[wire] = [
                _mended(parts, {k: v for k, v in each.items() if v is not None}) if isinstance(each, dict) else each
                for each in value
            ]
        elif parts is not None and isinstance(value, dict):
            mended[wire] = _mended(parts, {k: v for k, v in value.items() if v is not None})
        elif holds_text and isinstance(value, int | float) and not isinstance(value, bool):
            mended[wire] = str(int(value)) if float(value).is_integer() else str(value)
        elif holds_text and value == "" and not required:
            del mended[wire]
    return mended


@functools.cache
def _shape(kind: type[msgspec.Struct]) -> tuple[tuple[str, bool, type[msgspec.Struct] | None, bool], ...]:
    """Of each field: its name on the wire, whether it is a text, the struct it consists of, whether it is required."""
    hints = get_type_hints(kind)
    return tuple(
        (field.encode_name, *_kinds(hints[field.name]), field.required) for field in msgspec.structs.fields(kind)
    )


def _kinds(hint: Any) -> tuple[bool, type[msgspec.Struct] | None]:
    if get_origin(hint) in {Union, type(int | None)}:
        kinds = [_kinds(each) for each in get_args(hint)]
        return any(text for text, _ in kinds), next((parts for _, parts in kinds if parts), None)
    if get_origin(hint) is tuple:
        return False, _kinds(get_args(hint)[0])[1]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return False, hint
    return hint is str or get_origin(hint) is Literal, None  # the words of a request are texts


def _told(fault: str, kind: type[msgspec.Struct], values: dict[str, Any]) -> str:
    if fault.startswith(_MISSING):
        name, _, place = fault.removeprefix(_MISSING).partition("`")
        return f"{name} is required{_place(place)}"
    return f"{INVALID}: {fault_text(fault, kind, values)}"


def _place(place: str) -> str:
    return f" in {place.partition('$.')[2].rstrip('`')}" if "$." in place else ""
