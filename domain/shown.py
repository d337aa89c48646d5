"""Any value in a form that a log can hold: JSON values, valid UTF-8, bounded depth. Nothing here raises."""

from __future__ import annotations

import traceback
from typing import Any, Final

import msgspec

DEPTH_MAX: Final = 8
"""Levels of nested values that are written out; deeper values are shown as the name of their type."""


LEFT_OUT: Final = " … {:,} characters left out … "
"""Replaces the middle of a text that is too long."""


def encodable(text: str) -> str:
    """Escape what UTF-8 cannot encode: lone surrogates, as a file name that is not UTF-8 contains them."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def shortened(text: str, length_max: int) -> str:
    """Replace the middle of a text of more than `length_max` characters by the number of characters left out.

    The result is never longer than `length_max`, which must leave room for `LEFT_OUT`.
    """
    if len(text) <= length_max:
        return text
    head = tail = (length_max - len(LEFT_OUT.format(len(text)))) // 2
    return f"{text[:head]}{LEFT_OUT.format(len(text) - head - tail)}{text[-tail:]}"


def text_of(value: object) -> str:
    """Return the text of any value, also of one whose `__str__` raises."""
    try:
        return encodable(str.__str__(value) if isinstance(value, str) else str(value))
    except Exception as fault:  # noqa: BLE001  `__str__` is code of the user
        return f"({type(value).__name__} that cannot be shown: {type(fault).__name__})"


def traceback_of(error: BaseException | None) -> str:
    """Return the traceback as Python prints it, or why it could not be had; nothing of None."""
    if error is None:
        return ""
    try:
        return encodable("".join(traceback.format_exception(error)))
    except Exception as fault:  # noqa: BLE001  Python asks the error for its notes, and its class may raise at that
        return f"({type(error).__name__} whose traceback cannot be shown: {type(fault).__name__})"


def jsonable(value: object, depth: int = 0) -> Any:
    """Convert a value to what JSON can hold: a dict, list, text, number, boolean or None of exactly these types.

    A struct becomes the dict of its fields; numbers of subclasses (numpy, enumerations) become plain ones. Any other
    value becomes its text.
    """
    if isinstance(value, msgspec.Struct):
        value = {each: getattr(value, each, None) for each in value.__struct_fields__}
    if value is None or isinstance(value, bool):
        shown: Any = value
    elif isinstance(value, int):
        shown = int.__int__(value)
    elif isinstance(value, float):
        shown = float.__float__(value)
    elif isinstance(value, dict | list | tuple | set | frozenset) and depth == DEPTH_MAX:
        shown = type(value).__name__
    elif isinstance(value, dict):
        shown = {text_of(key): jsonable(item, depth + 1) for key, item in value.items()}
    elif isinstance(value, list | tuple | set | frozenset):
        shown = [jsonable(item, depth + 1) for item in value]
    else:
        shown = text_of(value)
    return shown
