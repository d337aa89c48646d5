"""What a service answered. It loads no HTTP: who asks nothing does not pay for that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

BODY_BYTES_MAX: Final = 8 << 20


class HttpAnswer(msgspec.Struct, frozen=True):
    """What a service answered, whatever its status."""

    status_code: int
    headers: Mapping[str, str]
    """Names in small letters."""

    body: bytes
    """Decoded; at most as many bytes as the session allows."""

    response_time_s: float
    """From before the connection was taken or made until the last byte."""

    reads: Callable[[bytes], Any] | None = None
    """Of the endpoint that was asked; see there."""
