"""Redaction of log fields and texts: secrets, by field name and by value, and user names and queries of URLs."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from ...config.secrets import Secret
from ...domain.shown import LEFT_OUT, encodable, jsonable, shortened

if TYPE_CHECKING:
    from collections.abc import Iterable

HIDDEN: Final = "***"
VALUE_LENGTH_MIN: Final = 6
"""A shorter secret is redacted only by field name: replacing its few characters everywhere would garble the log."""

TEXT_MAX: Final = 16_384
"""Characters of one text; the middle of a longer one is left out."""

LEFT_OUT_TEXT: Final = LEFT_OUT.partition("}")[2]
_CUT = re.compile(re.escape(LEFT_OUT).replace(re.escape("{:,}"), "[0-9,]+").join("()"))
_NAME = re.compile(r"token|secret|passw|(^|_)(pin|totp|otp|authorization|credentials?)($|_)|api_?key", re.IGNORECASE)
_QUERY = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s?#\"'<>]*)\?[^\s\"'<>]*", re.IGNORECASE)
_USER = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@\"'<>]+@", re.IGNORECASE)


_REDACTORS: Final[WeakSet[Redactor]] = WeakSet()
_LOCK: Final = threading.Lock()


def redact_too(secret: Secret) -> None:
    """Have each redactor of this process redact a secret that came after it was made, such as a new access token."""
    with _LOCK:
        for redactor in _REDACTORS:
            redactor.add([secret])


class Redactor:
    """Redacts and shortens fields and texts.

    Args:
        secrets: values to be replaced wherever they occur.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._secrets: list[str] = []
        self._values: re.Pattern[str] | None = None
        self.add(secrets)
        with _LOCK:
            _REDACTORS.add(self)

    def add(self, secrets: Iterable[Secret]) -> None:
        """Redact these values, too, from now on; for one thread at a time."""
        values = {*self._secrets, *(secret.reveal() for secret in secrets)}
        long_first = sorted((value for value in values if len(value) >= VALUE_LENGTH_MIN), key=len, reverse=True)
        self._secrets = long_first
        self._values = re.compile("|".join(map(re.escape, long_first))) if long_first else None

    def text(self, text: str) -> str:
        """Redact secrets, URL queries and URL user names in a text, such as a traceback; then shorten it."""
        text = encodable(text)
        if self._values is not None:
            text = self._values.sub(HIDDEN, text)
            if LEFT_OUT_TEXT in text:  # shortened elsewhere, perhaps in the middle of a secret
                text = "".join(map(self._without_halves, *_around_cuts(text)))
        if "://" in text:
            text = _USER.sub(rf"\1{HIDDEN}@", _QUERY.sub(rf"\1?{HIDDEN}", text))
        return shortened(text, TEXT_MAX)  # last: a secret cut in half would not be recognised

    def _without_halves(self, part: str, cut_before: bool, cut_after: bool) -> str:  # noqa: FBT001
        """Take the beginning of a secret from the end of a text behind which something is missing, and vice versa."""
        for secret in self._secrets:
            for length in range(len(secret) - 1, VALUE_LENGTH_MIN - 1, -1):
                if cut_after and part.endswith(secret[:length]):
                    part = part[:-length] + HIDDEN
                if cut_before and part.startswith(secret[-length:]):
                    part = HIDDEN + part[length:]
        return part

    def field(self, name: str, value: Any) -> Any:
        """Redact one field, and convert its value to what JSON can hold."""
        return self._field(name, jsonable(value))

    def _field(self, name: str, value: Any) -> Any:
        if _NAME.search(name):
            return HIDDEN
        if isinstance(value, dict):
            return {self.text(key): self._field(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._field("", item) for item in value]
        return self.text(value) if isinstance(value, str) else value


def _around_cuts(text: str) -> tuple[list[str], list[bool], list[bool]]:
    """Part a text at what says that something was left out; of each part, what is missing: before it, behind it.

    What says so is a part of its own, of which nothing is missing.
    """
    parts = _CUT.split(text)
    is_text = [place % 2 == 0 for place in range(len(parts))]
    before = [is_one and place > 0 for place, is_one in enumerate(is_text)]
    after = [is_one and place < len(parts) - 1 for place, is_one in enumerate(is_text)]
    return parts, before, after
