"""What a log may not show: secrets, by the name of their field and by their value, and the queries of URLs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...config.secrets import Secret

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN: Final = "***"
VALUE_LENGTH_MIN: Final = 6
"""Characters: a shorter secret is hidden by its field's name alone, or every line would lose letters."""

DEPTH_MAX: Final = 8
"""Levels of nested fields that are written out; what lies deeper is named by its type."""

_NAME = re.compile(r"token|secret|passw|(^|_)(pin|totp|otp|authorization|credentials?)($|_)|api_?key", re.IGNORECASE)
_QUERY = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s?#\"'<>]*)\?[^\s\"'<>]*", re.IGNORECASE)
_USER = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@\"'<>]+@", re.IGNORECASE)


class Redactor:
    """Takes out of fields and texts what nobody may read; everything else stays as it is."""

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        values = {secret.reveal() for secret in secrets}
        long_first = sorted((value for value in values if len(value) >= VALUE_LENGTH_MIN), key=len, reverse=True)
        self._values: Final = re.compile("|".join(map(re.escape, long_first))) if long_first else None

    def text(self, text: str) -> str:
        """Take secrets, URL queries and URL user names out of a text, a traceback for example."""
        if self._values is not None:
            text = self._values.sub(HIDDEN, text)
        if "://" in text:
            text = _USER.sub(rf"\1{HIDDEN}@", _QUERY.sub(rf"\1?{HIDDEN}", text))
        return text

    def field(self, name: str, value: Any, depth: int = 0) -> Any:
        """Take secrets out of one field, and make of its value what JSON can hold."""
        if isinstance(value, msgspec.Struct):
            value = {each: getattr(value, each) for each in value.__struct_fields__}
        if _NAME.search(name):
            shown: Any = HIDDEN
        elif value is None or isinstance(value, bool | int | float):
            shown = value
        elif isinstance(value, dict | list | tuple | set | frozenset) and depth == DEPTH_MAX:
            shown = type(value).__name__
        elif isinstance(value, dict):
            shown = {self.text(str(key)): self.field(str(key), item, depth + 1) for key, item in value.items()}
        elif isinstance(value, list | tuple | set | frozenset):
            shown = [self.field("", item, depth + 1) for item in value]
        else:
            shown = self.text(str(value))
        return shown
