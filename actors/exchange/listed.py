"""Symbols that no list of instruments knows."""

from __future__ import annotations

import zlib
from typing import Final

from ...messages.instruments import InstrumentDefinition

OWN_IDS_FROM: Final = 900_000_000
"""A symbol that no list knows gets an id from here on: a number made of its letters, the same in every run."""


def own_instrument(symbol: str, tick_size_rupees: float) -> InstrumentDefinition:
    """Return the instrument of a symbol that no list knows: a share of NSE with an id of its own."""
    security_id = str(OWN_IDS_FROM + zlib.crc32(symbol.encode()) % (OWN_IDS_FROM // 10))
    return InstrumentDefinition(
        symbol=symbol, segment="NSE_EQ", tick_size_rupees=tick_size_rupees, security_id=security_id
    )
