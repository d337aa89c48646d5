"""JSON of a service that is not exact, into messages that are.

The problem: one and the same field comes as 40, 40.0 or "40"; nothing is null, "", "NA", "0001-01-01" or left out; a
number that is zero may be missing; one thing comes as an object or as an array of one; keys change their case from one
stream to the other, and words from PENDING to Pending. The idea: each value is read as what its field's type wants, and
only what cannot be meant is refused, with the field's name, what was wanted and what was found. The trap: tolerance of
the form must not become tolerance of the content, so every number is bounded by the type of its field, no float is cut
to a whole number, and NaN and infinity are no numbers.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from . import moments
from .words import TEXT_MAX, Words

T = TypeVar("T", bound=msgspec.Struct)
Reader: TypeAlias = "Callable[[Any, str, str], Any]"

NOTHING: Final = frozenset({"", "na", "n/a", "null", "none", "nil"})
"""Texts, in small letters, that say that there is nothing."""

_NEVER = ("0001-01-01", "01/01/0001")
"""What a day begins with that means that there is none."""

ROWS_MAX: Final = 100_000

_WHOLE = re.compile(r"[+-]?\d{1,18}(?:\.0{0,9})?", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})(?:[eE][+-]?\d{1,3})?", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d\d\d?)*,\d{3}(?:\.\d*)?", re.ASCII)
_FOUND_MAX = 80
_KEY_KEPT_MAX = 64
_NO_TYPES = (type(None), msgspec.UnsetType)
_ENORMOUS = 1e300


class MalformedAnswerError(ValueError):
    """What a service said is not what it promises to say: which field, what was wanted, what was found."""


def read(kind: type[T], found: Any) -> T:
    """Read one object; an array of one will do.

    Raises:
        MalformedAnswerError: it is none, or a field of it cannot be meant.
    """
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if not isinstance(found, dict):
        raise MalformedAnswerError(f"an object of {kind.__name__} wanted, found {_shown(found)}")
    return _object(kind, found, kind.__name__)


def read_all(kind: type[T], found: Any) -> tuple[T, ...]:
    """Read an array of objects; a single object, or nothing, will do.

    Raises:
        MalformedAnswerError: it is none, one of them cannot be meant, or there are more than `ROWS_MAX`.
    """
    if found is None:
        return ()
    rows = [found] if isinstance(found, dict) else found
    if not isinstance(rows, list) or len(rows) > ROWS_MAX:
        raise MalformedAnswerError(f"an array of up to {ROWS_MAX} {kind.__name__} wanted, found {_shown(found)}")
    return tuple(read(kind, row) for row in rows)


def _object(kind: type[T], found: dict[str, Any], path: str) -> T:
    by_name: dict[str, Any] = {}
    for key, value in found.items():
        name = _plain_kept(key) if len(key) <= _KEY_KEPT_MAX else _plain(key)
        if name not in by_name or is_nothing(by_name[name]):
            by_name[name] = value
    values = {}
    for field in _fields(kind):
        for name in field.names:
            raw = by_name.get(name)
            if raw is not None and not is_nothing(raw):
                values[field.wire] = field.read(raw, path)
                break
        else:
            if field.required:
                raise MalformedAnswerError(f"{path}{field.place}: {field.wanted} wanted, found nothing")
    try:
        return msgspec.convert(values, kind, strict=True)
    except msgspec.ValidationError as fault:
        raise MalformedAnswerError(f"{path}: {fault}") from None


def _plain(key: str) -> str:
    return key.lower().replace("_", "")


_plain_kept: Final = functools.lru_cache(maxsize=4_096)(_plain)


def is_nothing(found: Any) -> bool:
    """Say whether it stands for nothing."""
    if not isinstance(found, str):
        return found is None
    text = found.strip().lower()
    return text in NOTHING or text.startswith(_NEVER)


class _Field(msgspec.Struct, frozen=True):
    wire: str
    place: str
    """Its name in a path."""

    names: tuple[str, ...]
    hint: Any
    take: Reader
    required: bool
    wanted: str

    def read(self, found: Any, path: str) -> Any:
        read_as = self.take(found, path, self.place)
        if read_as is None:
            raise _malformed(self.hint, found, path, self.place)
        return read_as


@functools.cache
def _fields(kind: type[msgspec.Struct]) -> tuple[_Field, ...]:
    hints = get_type_hints(kind, include_extras=True)
    also: dict[str, tuple[str, ...]] = getattr(kind, "ALSO", {})
    return tuple(
        _Field(
            wire=field.encode_name,
            place=f".{field.encode_name}",
            names=tuple(map(_plain, (field.encode_name, *also.get(field.name, ())))),
            hint=hints[field.name],
            take=_reader(hints[field.name]),
            required=field.required,
            wanted=_wanted(hints[field.name]),
        )
        for field in msgspec.structs.fields(kind)
    )


@functools.cache
def _bare(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    """Part a type from its notes; of a type or nothing, the type."""
    notes: tuple[Any, ...] = ()
    while True:
        origin = get_origin(hint)
        if origin is Annotated:
            hint, *more = get_args(hint)
            notes += tuple(more)
        elif origin in {Union, type(int | None)}:
            (hint,) = (each for each in get_args(hint) if each not in _NO_TYPES)
        else:
            return hint, notes


@functools.cache
def _reader(hint: Any) -> Reader:
    """Return what reads a value of this type: None where it cannot be meant. Found out once, since a book has 30,000.

    It gets the value, the path of what has it, and its place there: only a fault needs both together.
    """
    bare, notes = _bare(hint)
    words = next((note for note in notes if isinstance(note, Words)), None)
    for note, read_time in (("moment", moments.moment), ("day", moments.day)):
        if note in notes:
            return _alone(read_time)
    if words is not None:
        known = words.known
        return lambda found, _path, _place: _word(known, found) or _text(found)
    if get_origin(bare) is Literal:
        meant = get_args(bare)
        return lambda found, _path, _place: _word(meant, found)
    if get_origin(bare) in {tuple, dict}:
        return lambda found, path, place: _several(bare, found, path + place)
    if issubclass(bare, msgspec.Struct):
        kind = bare
        return lambda found, path, place: _object(kind, found, path + place) if isinstance(found, dict) else None
    return lambda found, _path, _place: _READERS[bare](found)


def _alone(read_as: Callable[[Any], Any]) -> Reader:
    return lambda found, _path, _place: read_as(found)


def _part(inner: Any, found: Any, path: str, place: str) -> Any:
    """Read one of several."""
    read_as = _reader(inner)(found, path, place)
    if read_as is None:
        raise _malformed(inner, found, path, place)
    return read_as


def _malformed(hint: Any, found: Any, path: str, place: str) -> MalformedAnswerError:
    return MalformedAnswerError(f"{path}{place}: {_wanted(hint)} wanted, found {_shown(found)}")


def _several(bare: Any, found: Any, path: str) -> Any:
    """Read an array, or an object whose keys are data; None if it is none, or too large."""
    kind = get_origin(bare)
    if kind is tuple and isinstance(found, list) and len(found) <= ROWS_MAX:
        inner = get_args(bare)[0]
        return tuple(_part(inner, each, path, f"[{place}]") for place, each in enumerate(found))
    if kind is tuple or not isinstance(found, dict) or len(found) > ROWS_MAX:
        return None
    _, inner = get_args(bare)
    return {key: _part(inner, each, path, f".{_shown(key)}") for key, each in found.items()}


@functools.cache
def _wanted(hint: Any) -> str:
    bare, notes = _bare(hint)
    if "moment" in notes:
        return "a time such as 2026-10-07 10:15:29"
    if "day" in notes:
        return "a day such as 2026-10-07"
    if get_origin(bare) is Literal:
        return f"one of {', '.join(get_args(bare))}"
    if get_origin(bare) in {tuple, dict}:
        return f"an {'array' if get_origin(bare) is tuple else 'object'} of up to {ROWS_MAX}"
    return _NAMES.get(bare, "an object")


def _whole(found: Any) -> int | None:
    if isinstance(found, bool):
        return None
    if isinstance(found, int):
        return found
    if isinstance(found, float):
        return int(found) if found.is_integer() and abs(found) < 1 << 53 else None
    text = _ungrouped(found)
    return int(text.partition(".")[0]) if _WHOLE.fullmatch(text) else None


def _number(found: Any) -> float | None:
    if isinstance(found, bool):
        return None
    if isinstance(found, int | float):
        number = float(found) if abs(found) < _ENORMOUS else math.inf
        return number if math.isfinite(number) else None
    text = _ungrouped(found)
    number = float(text) if _NUMBER.fullmatch(text) else math.nan
    return number if math.isfinite(number) else None


def _ungrouped(found: Any) -> str:
    """Take the commas out of a number that is grouped as in India or elsewhere: 12,34,567 or 1,234,567."""
    text = found.strip() if isinstance(found, str) and len(found) <= _FOUND_MAX else ""
    return text.replace(",", "") if _GROUPED.fullmatch(text) else text


def _text(found: Any) -> str | None:
    if isinstance(found, str):
        return found if len(found) <= TEXT_MAX else None
    whole = _whole(found)
    return None if whole is None else str(whole)


def _truth(found: Any) -> bool | None:
    if isinstance(found, bool):
        return found
    if not isinstance(found, int | str):
        return None
    return {"true": True, "false": False, "1": True, "0": False}.get(str(found).strip().lower())


def _word(words: tuple[str, ...], found: Any) -> str | None:
    """Find the word, whatever its case and whether its parts are joined by a line, a space or nothing."""
    return _by_letters(words).get(_letters(found)) if isinstance(found, str) and len(found) <= _FOUND_MAX else None


def _letters(word: str) -> str:
    return word.lower().replace("_", "").replace(" ", "").replace("-", "")


@functools.cache
def _by_letters(words: tuple[str, ...]) -> dict[str, str]:
    return {_letters(word): word for word in words}


def _shown(found: Any) -> str:
    text = ascii(found) if not isinstance(found, dict | list) else f"{type(found).__name__} of {len(found)}"
    return text if len(text) <= _FOUND_MAX else f"{text[:_FOUND_MAX]}…"


_READERS: Final[dict[type, Any]] = {int: _whole, float: _number, str: _text, bool: _truth}
_NAMES: Final = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
