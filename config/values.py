"""How the value of a setting is checked and converted to the type of its key, and told where it is wrong."""

from __future__ import annotations

import tomllib
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias, get_args, get_origin

import msgspec
from msgspec import Meta

from .secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator

Hint: TypeAlias = Any
"""The type annotation of a field of a settings Struct, with its bounds."""

FOUND_LENGTH_MAX: Final = 60
"""Characters of a wrong value that an error shows."""

WORDS: Final[dict[Hint, str]] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "text",
    Secret: "text",
    tuple: "a list of texts",
    dict: "a table",
}
"""How error texts name each type that a field may have."""

WRITTEN: Final[dict[Hint, str]] = {tuple: """ (TCS,INFY or ["TCS", "INFY"])"""}
"""How a value is written in one line, where that is not obvious; for error texts."""

QUOTES: Final = ('"', "'")


class WrongValueError(ValueError):
    """A value has the wrong type for its key, or is out of range; the text says what was wanted and what was found."""


def read_value(hint: Hint, value: Any) -> Any:
    """Check a typed value, from TOML or from a program.

    Raises:
        WrongValueError: it is of another type, or out of range.
    """
    if hint is Secret:
        return _secret(value)
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as fault:
        raise WrongValueError(f"wanted {wanted(hint)}, found {found(value)}") from fault


def read_text(hint: Hint, text: str) -> Any:
    """Check and convert a value given as text, from the environment or the command line.

    It may be plain (`TCS`, `7`, `true`), a list separated by commas (`TCS, INFY`), or TOML, whose strings and lists are
    JSON's too: `["TCS", "INFY"]`, `"TCS"`, `50_00_000.0`, `[]`, `""`. A secret is always taken literally.

    Raises:
        WrongValueError: it cannot be converted to the type of its key, or is out of range.
    """
    if hint is Secret:
        return Secret(text)
    for value, strict in _readings(hint, text):
        try:
            return msgspec.convert(value, hint, strict=strict)
        except msgspec.ValidationError:
            continue
    raise WrongValueError(f"wanted {wanted(hint)}{WRITTEN.get(_form(hint), '')}, found {found(text)}")


def _readings(hint: Hint, text: str) -> Iterator[tuple[Any, bool]]:
    """Yield the possible readings of a text, each with whether its type must match strictly."""
    stripped = text.strip()
    is_list = _form(hint) is tuple
    if is_list and stripped.startswith(QUOTES):
        stripped = f"[{stripped}]"
    value = toml_value(stripped)
    if stripped.startswith(("[", "{", *QUOTES)) and (is_list or value is not None):
        yield value, True
    elif is_list:
        yield [part.strip() for part in text.split(",") if part.strip()], True
    else:
        yield text, False
        yield value, True


def toml_value(text: str) -> Any:
    """Parse one TOML value; None if the text is none."""
    try:
        document = tomllib.loads(f"value = {text}")
    except (tomllib.TOMLDecodeError, RecursionError):
        return None
    return document["value"] if len(document) == 1 else None


def _secret(value: Any) -> Secret:
    if isinstance(value, Secret):
        return value
    if isinstance(value, str):
        return Secret(value)
    raise WrongValueError(f"wanted text, found {kind(value)} (not shown: it is a secret)")


def wanted(hint: Hint) -> str:
    """Describe in words what a key accepts."""
    form, arguments = _form(hint), get_args(hint)
    if form is Annotated:
        value, meta = arguments
        return meta.description or f"{wanted(value)} {_range(meta)}"
    if form is UnionType:
        return " or ".join(map(wanted, arguments))
    if form is Literal:
        return f"one of {', '.join(str(each) or 'nothing' for each in arguments)}"
    return WORDS[form]


def _form(hint: Hint) -> Any:
    return get_origin(hint) or hint


def _range(meta: Meta) -> str:
    if meta.max_length is not None:
        return f"of at most {meta.max_length} characters"
    low = f"above {meta.gt:g}" if meta.gt is not None else f"from {meta.ge}"
    return f"{low} to {meta.le}"


def found(value: Any) -> str:
    """Return the `repr` of a wrong value, cut short."""
    shown = repr(value)
    return shown if len(shown) <= FOUND_LENGTH_MAX else f"{shown[:FOUND_LENGTH_MAX]}…"


def kind(value: Any) -> str:
    """Name the type of a TOML value, without showing the value."""
    names = {dict: "a table", list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), type(value).__name__)
