"""Answers in gzip, taken out piece by piece. Pure.

The problem: to an HTTP library an answer in gzip that ends in the middle is a shorter one: half a list of instruments.
The idea: what has no end is said to have none, and no piece is larger than asked for.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

_GZIP: Final = 16 + zlib.MAX_WBITS


def inflated(parts: Iterator[bytes], piece_bytes: int) -> Iterator[bytes]:
    """Yield what is packed, in pieces of at most `piece_bytes` but for the last; nothing of nothing.

    Args:
        parts: of one member of gzip, or of several one behind the other.
        piece_bytes: as long as a piece may be.

    Raises:
        EOFError: it ends in the middle.
        zlib.error: it is none.
    """
    inflate, is_whole = zlib.decompressobj(_GZIP), True
    for part in parts:
        left = part
        while left:
            if inflate.eof:
                inflate = zlib.decompressobj(_GZIP)
            yield inflate.decompress(left, piece_bytes)
            left, is_whole = inflate.unused_data or inflate.unconsumed_tail, inflate.eof
    yield inflate.flush()
    if not (is_whole or inflate.eof):
        raise EOFError("an answer in gzip that ends in the middle")
