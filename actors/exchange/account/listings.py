"""The instruments that an account may trade."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, Self, TypeAlias

import msgspec

from ....domain.instruments import FINEST_TICK_RUPEES, expiry_of, is_option, price_away
from ....domain.instruments import Instrument as Reference
from ....domain.venues import Venue, venue_of
from ....messages.exchange import Instrument
from ....messages.instruments import InstrumentDefinition
from ....messages.units import RUPEES_MAX

Kind: TypeAlias = Literal["EQUITY", "INDEX", "FUTURE", "OPTION"]
_KINDS: Final[dict[str, Kind]] = {"EQUITY": "EQUITY", "INDEX": "INDEX"}


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """An instrument: our symbol, the broker's id, and its reference data."""

    reference: Reference
    security_id: str
    kind: Kind = "EQUITY"
    strike_rupees: float = 0.0
    """Of an option."""

    option_type: Literal["", "CALL", "PUT"] = ""
    name: str = ""
    """As the broker shows it; empty: the symbol."""

    isin: str = ""
    band_percent: float | None = None
    """Of the previous close: an order outside is refused; None for the exchange's setting."""

    @classmethod
    def of(cls, definition: InstrumentDefinition) -> Self:
        """Build it from the message that lists it."""
        kind = definition.instrument_type
        return cls(
            reference=Reference.of(definition),
            security_id=definition.security_id,
            kind=_KINDS.get(kind) or ("OPTION" if kind.startswith("OPT") else "FUTURE"),
            strike_rupees=definition.strike_rupees or 0.0,
            option_type="" if definition.option_type is None else "CALL" if definition.option_type == "CE" else "PUT",
            name=definition.display_name,
            isin=definition.isin,
        )

    @classmethod
    def of_expired(cls, symbol: str, instrument: Instrument) -> Self:
        """Build that of a contract which no list has any more, of what its symbol tells."""
        segment, security_id = instrument
        definition = InstrumentDefinition(
            symbol=symbol,
            segment=segment,  # type: ignore[arg-type]  # as it was listed
            tick_size_rupees=FINEST_TICK_RUPEES,
            expiry=expiry_of(symbol),
        )
        kind: Kind = "OPTION" if is_option(symbol) else "FUTURE"
        return cls(reference=Reference.of(definition), security_id=security_id, kind=kind)

    @property
    def symbol(self) -> str:
        """As natya names it."""
        return self.reference.symbol

    @property
    def instrument(self) -> Instrument:
        """Segment and security id."""
        return self.reference.segment, self.security_id

    def band(self, reference_price: float, percent: float) -> tuple[float, float]:
        """Return the lowest and the highest price of an order: rupees.

        Args:
            reference_price: the previous close, or the first price that was seen.
            percent: of that, where the listing has none of its own; 0: any price.
        """
        grid, percent = self.reference.grid, percent if self.band_percent is None else self.band_percent
        if not percent or self.kind == "OPTION":
            return grid.tick_size_rupees, RUPEES_MAX
        return price_away(grid, reference_price, -percent), price_away(grid, reference_price, percent)

    @property
    def opens_by_auction(self) -> bool:
        """Whether an opening auction, where one is held, includes it."""
        return self.kind in {"EQUITY", "FUTURE"}

    @property
    def venue(self) -> Venue:
        """The venue whose sessions it has."""
        return venue_of(self.reference.segment, self.symbol, is_underlying=self.reference.is_underlying)


class Listings:
    """The instruments, by the broker's id and by symbol."""

    def __init__(self, listings: Iterable[Listing] = ()) -> None:
        self._of_id: dict[Instrument, Listing] = {}
        self._of_symbol: dict[str, Listing] = {}
        self.venues: set[Venue] = set()
        """Venues of all instruments."""

        for listing in listings:
            self.add(listing)

    def add(self, listing: Listing) -> None:
        """List one more.

        Raises:
            ValueError: another has its symbol or its id.
        """
        for known in (self._of_id.get(listing.instrument), self._of_symbol.get(listing.symbol)):
            if known is not None and known != listing:
                raise ValueError(
                    f"an instrument of an own symbol and id wanted, found {listing.symbol} {listing.instrument} "
                    f"beside {known.symbol} {known.instrument}"
                )
        self._of_id[listing.instrument] = self._of_symbol[listing.symbol] = listing
        self.venues.add(listing.venue)

    def remember(self, listing: Listing) -> None:
        """List one of an earlier run again; where another has its symbol by now, it is found by its id alone."""
        self._of_id.setdefault(listing.instrument, listing)
        self._of_symbol.setdefault(listing.symbol, listing)
        self.venues.add(listing.venue)

    def find(self, instrument: Instrument) -> Listing | None:
        """Return the instrument of a segment and security id."""
        return self._of_id.get(instrument)

    def of_symbol(self, symbol: str) -> Listing | None:
        """Return the instrument of a symbol."""
        return self._of_symbol.get(symbol)
