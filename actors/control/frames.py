"""Frames on the control socket: four bytes of length, big-endian, then that many bytes of a message."""

from __future__ import annotations

from typing import Final

from .errors import FrameError

HEADER_BYTES: Final = 4


def frame(payload: bytes) -> bytes:
    """Put the length before a payload."""
    return len(payload).to_bytes(HEADER_BYTES, "big") + payload


class FrameReader:
    """Cuts a stream of bytes into payloads of at most `payload_bytes_max`; holds no more than one unfinished frame."""

    def __init__(self, payload_bytes_max: int) -> None:
        self._payload_bytes_max = payload_bytes_max
        self._buffer = bytearray()

    @property
    def unfinished(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer)

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take what arrived; return every payload that is complete now, in order.

        Raises:
            FrameError: a frame announces more than the bound, or nothing; those before it in the chunk are lost.
        """
        buffer = self._buffer
        buffer += chunk
        payloads = []
        start = 0
        while len(buffer) - start >= HEADER_BYTES:
            size = int.from_bytes(buffer[start : start + HEADER_BYTES], "big")
            if not 0 < size <= self._payload_bytes_max:
                buffer.clear()
                raise FrameError(f"a frame has 1 to {self._payload_bytes_max} bytes, this one announces {size}")
            end = start + HEADER_BYTES + size
            if len(buffer) < end:
                break
            payloads.append(bytes(memoryview(buffer)[start + HEADER_BYTES : end]))
            start = end
        del buffer[:start]
        return payloads
