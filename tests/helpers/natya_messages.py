"""Every message as hypothesis builds it: from its own type hints and bounds, or with fields that are none of them."""

from __future__ import annotations

import datetime as dt
import typing
from decimal import Decimal

import msgspec
import numpy as np
from hypothesis import strategies as st

if typing.TYPE_CHECKING:
    from msgspec import Meta


def _bounded(kind: type, meta: Meta) -> st.SearchStrategy:
    if typing.get_origin(kind) is tuple:
        item, *_ = typing.get_args(kind)
        return st.lists(values(item), min_size=meta.min_length or 0, max_size=min(meta.max_length or 5, 5)).map(tuple)
    if kind is bytes:
        return st.binary(max_size=min(meta.max_length, 20))
    if kind is str:
        return st.text(min_size=meta.min_length or 0, max_size=min(meta.max_length, 20))
    low = meta.ge if meta.ge is not None else meta.gt
    if kind is int:
        return st.integers(low, meta.le)
    return st.floats(low, meta.le, exclude_min=meta.gt is not None, allow_nan=False)


def values(hint: object) -> st.SearchStrategy:
    """Values of one type hint, inside its bounds."""
    match typing.get_origin(hint), typing.get_args(hint):
        case typing.Annotated, (kind, meta):
            found = _bounded(kind, meta)
        case typing.Literal, choices:
            found = st.sampled_from(choices)
        case origin, items if origin is tuple and ... not in items:
            found = st.tuples(*map(values, items))
        case origin, (item, *_) if origin is tuple:
            found = st.lists(values(item), max_size=3).map(tuple)
        case origin, (key, value) if origin is dict:
            found = st.dictionaries(values(key), values(value), max_size=3)
        case None, _:
            found = PLAIN[hint] if hint in PLAIN else messages(hint)
        case _, members:
            found = st.one_of([values(member) for member in members])
    return found


def messages(message_type: type[msgspec.Struct]) -> st.SearchStrategy:
    """Messages of one type; what its constructor refuses is not built."""
    hints = typing.get_type_hints(message_type, include_extras=True)
    fields = st.fixed_dictionaries({name: values(hints[name]) for name in message_type.__struct_fields__})
    return fields.map(lambda given: _built(message_type, given)).filter(lambda message: message is not None)


def _built(message_type: type[msgspec.Struct], fields: dict) -> msgspec.Struct | None:
    try:
        return message_type(**fields)
    except ValueError:
        return None


def distinct(message_type: type[msgspec.Struct], **given: object) -> msgspec.Struct:
    """A message of which no two fields are alike, so that one in the place of another is seen."""
    hints = typing.get_type_hints(message_type, include_extras=True)
    names = message_type.__struct_fields__
    return message_type(**{name: _own(hints[name], name, number) for number, name in enumerate(names, 101)} | given)


def _own(hint: object, name: str, number: int) -> object:
    origin, items = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return items[-1]
    if origin in {tuple, dict, frozenset}:
        return origin()
    if items:
        return _own(next(each for each in items if each is not type(None)), name, number)
    if hint in {int, float, Decimal}:
        return hint(number)
    if hint is dt.date:
        return dt.date.fromordinal(740_000 + number)
    return {str: name, bytes: name.encode(), bool: True}.get(hint) or distinct(hint)


def changed_on_the_way(source: object, made: msgspec.Struct, *, but: tuple[str, ...] = ()) -> dict[str, tuple]:
    """The fields that both have by one name and that are not the same, save some."""
    names = [name for name in made.__struct_fields__ if hasattr(source, name) and name not in but]
    assert len(names) > 1, "nothing to compare"
    both = {name: (getattr(source, name), getattr(made, name)) for name in names}
    return {name: (before, after) for name, (before, after) in both.items() if before != after}


PLAIN = {
    str: st.text(max_size=20),
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=20),
    type(None): st.none(),
    dt.date: st.dates(),
    Decimal: st.decimals(-(10**15), 10**15, places=4),
}


class Tongue(str):
    """A text by its base, and nothing that a message may hold."""

    __slots__ = ()


JUNK = st.sampled_from([
    None, 123, -1, 1 << 70, 1.5, float("nan"), float("inf"), -0.0, "", "abc", "\ud800", b"\xff", True, (), [], {},
    [None], ((),), {1: 2}, object(), Decimal("NaN"), Decimal(10), np.int64(10), np.float64(1.5), np.str_("INFY"),
    np.bool_(True), Tongue("INFY"), ValueError("none"), int, print, ("x",) * 100_000,
])  # fmt: skip
"""What a mistake puts into a field."""


def ill_typed(message_type: type[msgspec.Struct]) -> st.SearchStrategy:
    """Messages of one type of which one field or more hold junk, as no constructor checks it."""
    names = message_type.__struct_fields__
    junk = st.dictionaries(st.sampled_from(names), JUNK, min_size=1, max_size=3) if names else st.just({})
    return st.builds(_with, messages(message_type), junk)


def _with(message: msgspec.Struct, junk: dict) -> msgspec.Struct:
    spoiled = msgspec.structs.replace(message)
    for name, value in junk.items():
        msgspec.structs.force_setattr(spoiled, name, value)
    return spoiled
