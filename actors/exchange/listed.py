"""The instruments of the paper exchange: those of a list, and symbols that no list knows."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Final

from ...domain.instruments import Instrument
from .account import Listing

if TYPE_CHECKING:
    from ...messages.instruments import InstrumentDefinition

OWN_IDS_FROM: Final = 900_000_000
"""A symbol that no list knows gets an id from here on: a number made of its letters, the same in every run."""

_KINDS: Final = {"EQUITY": "EQUITY", "INDEX": "INDEX"}


def listing_of(definition: InstrumentDefinition) -> Listing:
    """Return an instrument of a list as the account knows it."""
    kind = definition.instrument_type
    is_option = kind.startswith("OPT")
    return Listing(
        reference=Instrument.of(definition),
        security_id=definition.security_id,
        kind=_KINDS.get(kind) or ("OPTION" if is_option else "FUTURE"),  # type: ignore[arg-type]
        strike_rupees=definition.strike_rupees or 0.0,
        option_type="" if definition.option_type is None else "CALL" if definition.option_type == "CE" else "PUT",
        name=definition.display_name,
        isin=definition.isin,
    )


def own_listing(symbol: str, tick_size_rupees: float) -> Listing:
    """Return the instrument of a symbol that no list knows: a share of NSE with an id of its own."""
    security_id = str(OWN_IDS_FROM + zlib.crc32(symbol.encode()) % (OWN_IDS_FROM // 10))
    reference = Instrument(symbol=symbol, segment="NSE_EQ", tick_size_rupees=tick_size_rupees, security_id=security_id)
    return Listing(reference=reference, security_id=security_id)
