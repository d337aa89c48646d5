"""Length-prefixed frames of every byte stream: four bytes of length, big-endian, then a payload of that many bytes."""

from collections.abc import Callable
from typing import IO, Final, Generic, TypeVar

LENGTH_BYTES: Final = 4

T = TypeVar("T")


class FrameLengthError(ValueError):
    """A frame announces a length of 0, or above the bound: the stream cannot be read on."""


class FrameCutError(EOFError):
    """The stream ends in the middle of a frame."""


def framed(payload: bytes) -> bytes:
    """Put the length before a payload."""
    return header_of(len(payload)) + payload


def header_of(length: int) -> bytes:
    """Return the four bytes that precede a payload of this length in bytes."""
    return length.to_bytes(LENGTH_BYTES, "big")


def announced(header: bytes | bytearray | memoryview) -> int:
    """Return the length in bytes that the header of a frame announces."""
    return int.from_bytes(header, "big")


def read_frame(stream: IO[bytes]) -> bytes | None:
    """Read the next payload of a stream that blocks; None where it ends.

    Raises:
        FrameCutError: it ends in the middle of one.
    """
    header = stream.read(LENGTH_BYTES)
    if not header:
        return None
    length = announced(header)
    payload = stream.read(length) if len(header) == LENGTH_BYTES else b""
    if len(header) < LENGTH_BYTES or len(payload) < length:
        raise FrameCutError(f"a whole frame is wanted, found {len(header) + len(payload)} bytes of one")
    return payload


class FrameReader(Generic[T]):
    """Cuts bytes as they arrive into payloads; holds no more than one unfinished frame.

    Args:
        bytes_max: upper bound of a payload.
        decode: called with each payload; the view is of the reader's own buffer and must not be kept.
    """

    def __init__(self, bytes_max: int, decode: Callable[[memoryview], T]) -> None:
        self._bytes_max = bytes_max
        self._decode = decode
        self._buffer = bytearray()

    @property
    def unfinished(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer)

    def feed(self, chunk: bytes) -> list[T]:
        """Take bytes that arrived; return the decoded payloads that are complete now, in order.

        Raises:
            FrameLengthError: a length is out of range; payloads before it in the same chunk are lost.
            Exception: what `decode` raises.
        """
        buffer, start = self._buffer, 0
        buffer += chunk
        found = []
        while len(buffer) - start >= LENGTH_BYTES:
            length = announced(buffer[start : start + LENGTH_BYTES])
            if not 0 < length <= self._bytes_max:
                buffer.clear()
                raise FrameLengthError(f"a frame has 1 to {self._bytes_max} bytes, this one announces {length}")
            end = start + LENGTH_BYTES + length
            if len(buffer) < end:
                break
            with memoryview(buffer) as view:
                found.append(self._decode(view[start + LENGTH_BYTES : end]))
            start = end
        del buffer[:start]
        return found
