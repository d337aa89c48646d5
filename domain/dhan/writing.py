"""Messages into JSON: requests exactly as they may be written, answers as Dhan writes them, with its words for nothing.

msgspec checks a struct when it is read, not when it is made; so a request is read back before it leaves.
"""

from __future__ import annotations

import functools
from datetime import date, datetime, timedelta
from typing import Any, Final, TypeAlias

import msgspec

from ..time import IST_OFFSET_NS, SECOND_NS
from .faults import fault_text

NEVER: Final = "0001-01-01 00:00:00"
NO_DAY: Final = "0001-01-01"

_IST: Final = timedelta(seconds=IST_OFFSET_NS // SECOND_NS)

Written: TypeAlias = "dict[str, Any]"
"""What JSON is made of, by the names of the wire."""


class InvalidRequestError(ValueError):
    """A request is not what may be sent: the field, and what was wanted of it."""


def body_of(request: msgspec.Struct | dict[str, Any], kind: Any = None) -> bytes:
    """Write a request.

    Args:
        request: what is to be sent.
        kind: what it has to be; by default its own type.

    Raises:
        InvalidRequestError: a field is out of its range, or of another type.
    """
    wanted = kind or type(request)
    try:
        body = msgspec.json.encode(request)
        msgspec.json.decode(body, type=wanted)
    except (msgspec.ValidationError, TypeError, ValueError) as fault:
        name = getattr(wanted, "__name__", "request")
        text = str(fault)
        if isinstance(request, msgspec.Struct):
            text = fault_text(text, type(request), _by_wire_name(request))
        raise InvalidRequestError(f"{name}: {text}") from None
    return body


def _by_wire_name(request: msgspec.Struct) -> Written:
    return {field.encode_name: getattr(request, field.name) for field in msgspec.structs.fields(request)}


def written(answer: Any) -> Any:
    """Return an answer as the service writes it: names and times of the wire, and its sentinels where there is nothing.

    Args:
        answer: a struct of this package, or an array or object of them.
    """
    if isinstance(answer, msgspec.Struct):
        return _written_struct(answer)
    if isinstance(answer, list | tuple):
        return [written(each) for each in answer]
    if isinstance(answer, dict):
        return {key: written(each) for key, each in answer.items()}
    if isinstance(answer, datetime):
        return f"{answer:%Y-%m-%d %H:%M:%S}"
    return f"{answer:%Y-%m-%d}" if isinstance(answer, date) else answer


def _written_struct(answer: msgspec.Struct) -> Written:
    kind = type(answer)
    day_first = getattr(kind, "DAY_FIRST", False)
    utc = getattr(kind, "UTC", ())
    result: Written = {}
    for name, wire, unsaid in _names(kind):
        value = getattr(answer, name)
        if value is None or value == "":
            value = unsaid
        elif isinstance(value, datetime) and (day_first or name in utc):
            value = f"{value:%d/%m/%Y %H:%M:%S}" if day_first else f"{value - _IST:%Y-%m-%dT%H:%M:%SZ}"
        result[wire] = written(value)
    return result


@functools.cache
def _names(kind: type[msgspec.Struct]) -> tuple[tuple[str, str, Any], ...]:
    """Of each field: its name, its name on the wire, and what is written where there is nothing."""
    unsaid = getattr(kind, "UNSAID", {})
    return tuple(
        (field.name, field.encode_name, unsaid.get(field.name, _nothing(field)))
        for field in msgspec.structs.fields(kind)
    )


def _nothing(field: msgspec.structs.FieldInfo) -> Any:
    note = str(field.type)
    if "'moment'" in note:
        return NEVER
    return NO_DAY if "'day'" in note else field.default if field.default in {None, ""} else ""
