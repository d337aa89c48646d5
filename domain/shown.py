"""What anything looks like in a log: values that JSON has, whatever came. Nothing here raises."""

from __future__ import annotations

from typing import Any, Final

import msgspec

DEPTH_MAX: Final = 8
"""Levels of nested values that are written out; what lies deeper is named by its type."""


LEFT_OUT: Final = " … {:,} characters left out … "
"""What stands between the head and the tail of a text that was too long."""


def encodable(text: str) -> str:
    """Write what has no bytes in UTF-8 as its escape: half a character, as a broken file name may have it."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def shortened(text: str, length_max: int) -> str:
    """Keep the head and the tail of a text that has more characters than that, and say how many are left out.

    What comes back is never longer than `length_max`, which must leave room to say it.
    """
    if len(text) <= length_max:
        return text
    head = tail = (length_max - len(LEFT_OUT.format(len(text)))) // 2
    return f"{text[:head]}{LEFT_OUT.format(len(text) - head - tail)}{text[-tail:]}"


def text_of(value: object) -> str:
    """Make a text of anything, also of what fails when it is asked for one."""
    try:
        return encodable(str.__str__(value) if isinstance(value, str) else str(value))
    except Exception as fault:  # noqa: BLE001  the code of whoever made the value
        return f"({type(value).__name__} that cannot be shown: {type(fault).__name__})"


def jsonable(value: object, depth: int = 0) -> Any:
    """Make of a value what JSON can hold: a dict, list, text, number, boolean or None of exactly these types.

    A struct is the dict of its fields. Numbers of other types, numpy's and enumerations, are plain ones. What has no
    place in JSON is its own text.
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
