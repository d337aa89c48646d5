"""How a frame of a WebSocket begins (pure)."""

from __future__ import annotations

import functools
import struct
from typing import Any, Final

_FINAL: Final = 0x80
_TWO_BYTES_MAX: Final = 65_535
_SHORT: Final = 126
"""Of a payload: from this length on it is told in two bytes more, above `_TWO_BYTES_MAX` in eight."""


@functools.cache
def beginning(kind: Any, length: int) -> bytes:
    """Return the header of a frame that is whole and of a server: unmasked.

    Args:
        kind: opcode of the frame, such as `picows.WSMsgType.TEXT`.
        length: bytes of the payload.
    """
    first = _FINAL | int(kind)
    if length < _SHORT:
        return bytes((first, length))
    if length <= _TWO_BYTES_MAX:
        return struct.pack(">BBH", first, _SHORT, length)
    return struct.pack(">BBQ", first, _SHORT + 1, length)
