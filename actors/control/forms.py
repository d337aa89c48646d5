"""The arguments and answers of operations as objects by name, for JSON and for Python.

A message travels as an array of its fields. Outside of the system they are asked for by name; what is made of a message
type here is the same type in that form, with the same ranges, so that everything from outside is checked by them.
"""

from __future__ import annotations

import functools
import operator
import types
from typing import TYPE_CHECKING, Annotated, Any, Final, Union, get_args, get_origin

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

KIND: Final = "type"
"""Member of an answer's object that says which message it is."""

NOT_GIVEN: Final = frozenset({"asker"})
"""Fields that the system fills itself."""


@functools.cache
def arguments_form(message_type: type[msgspec.Struct], without: frozenset[str] = frozenset()) -> type[msgspec.Struct]:
    """Return the type of an object with the arguments of a request, but for these; another member is refused."""
    return _form_of(message_type, tagged=False, without=without | NOT_GIVEN)


@functools.cache
def answer_form(message_type: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """Return the type of the object that `plain` makes of such an answer."""
    return _form_of(message_type, tagged=True)


def read_arguments(
    message_type: type[msgspec.Struct],
    given: Mapping[str, Any],
    *,
    strict: bool,
    without: frozenset[str] = frozenset(),
) -> Any:
    """Make a request of its arguments by name; `strict=False`: numbers may be texts, as in an address.

    Those of `without` are none.

    Raises:
        msgspec.ValidationError: one is unknown, missing, of another type or out of range; the text says which.
    """
    read = msgspec.convert(dict(given), arguments_form(message_type, without), strict=strict, from_attributes=True)
    return msgspec.convert(read, message_type, from_attributes=True)


def plain(value: Any) -> Any:
    """Return what JSON can say of a value: messages become objects with their type's name in `type`."""
    if isinstance(value, msgspec.Struct):
        members = {field: plain(getattr(value, field)) for field in value.__struct_fields__}
        tag = type(value).__struct_config__.tag
        return members if tag is None else {KIND: tag, **members}
    if isinstance(value, tuple | list | frozenset | set):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    return value


def _form_of(
    message_type: type[msgspec.Struct], *, tagged: bool, without: frozenset[str] = frozenset()
) -> type[msgspec.Struct]:
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(message_type):
        if field.name in without:
            continue
        kind = _in_form(field.type, tagged=tagged)
        if field.default_factory is not msgspec.NODEFAULT:
            fields.append((field.name, kind, msgspec.field(default_factory=field.default_factory)))
        elif field.default is not msgspec.NODEFAULT:
            fields.append((field.name, kind, field.default))
        else:
            fields.append((field.name, kind))
    made = msgspec.defstruct(
        message_type.__name__,
        fields,
        kw_only=True,
        frozen=True,
        forbid_unknown_fields=True,
        tag=message_type.__name__ if tagged else None,
        tag_field=KIND if tagged else None,
    )
    made.__doc__ = message_type.__doc__
    return made


def _in_form(kind: Any, *, tagged: bool) -> Any:
    """Return a field's type, with all message types in it in the same form."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        is_message = kind.__struct_config__.tag is not None
        return answer_form(kind) if tagged and is_message else arguments_form(kind)
    inner = get_args(kind)
    origin = get_origin(kind)
    if origin is Annotated:
        return Annotated[(_in_form(inner[0], tagged=tagged), *inner[1:])]
    if origin in {Union, types.UnionType}:
        return functools.reduce(operator.or_, (_in_form(each, tagged=tagged) for each in inner))
    if origin in {tuple, list, dict, frozenset, set}:
        return origin[tuple(each if each is ... else _in_form(each, tagged=tagged) for each in inner)]
    return kind
