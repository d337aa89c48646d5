"""What the wire's actor is asked by the application, from the server's thread."""

from __future__ import annotations

from typing import Any

import msgspec

from ....messages.exchange import Instrument
from ....messages.instruments import InstrumentDefinition


class ShowMarket(msgspec.Struct, frozen=True):
    """Call a method of `MarketShown` that only shows; answered by `MarketTold`."""

    view: str
    arguments: tuple[Any, ...] = ()


class MarketTold(msgspec.Struct, frozen=True):
    """Answer: what the method returned."""

    value: Any


class SetPrice(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Let the market show this price now, as if it came from the feed; answered by `MarketTold` or `HandRefused`."""

    price: float
    symbol: str = ""
    exchange_segment: str = ""
    security_id: str = ""
    """Symbol, or segment and id."""

    quantity: int = 1
    """Shares of the last trade."""

    bids: tuple[tuple[float, int], ...] | None = None
    """The book, best level first: rupees and shares. Without it any quantity trades at the price."""

    asks: tuple[tuple[float, int], ...] | None = None
    previous_close: float = 0.0


class ListInstrument(msgspec.Struct, frozen=True):
    """List an instrument; answered by `MarketTold` or `HandRefused`."""

    definition: InstrumentDefinition


class ListNumber(msgspec.Struct, frozen=True):
    """List an instrument at the account if any list knows it; answered by `MarketTold`: whether one does."""

    instrument: Instrument


class HandRefused(msgspec.Struct, frozen=True):
    """Answer: refused, and why."""

    reason: str
