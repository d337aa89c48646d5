"""[exchange]: the paper exchange."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from msgspec import Meta

from .base import Section

Percent: TypeAlias = Annotated[float, Meta(ge=0, le=100)]


class ExchangeSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The paper exchange; what is said of the account holds where it is served over HTTP."""

    TABLE: ClassVar[str] = "exchange"

    tick_size_rupees: Annotated[float, Meta(gt=0, le=1000)]
    """Limit prices must be whole multiples of it: rupees."""

    queue_position: Literal["last", "shown", "first"]
    """Of an order that rests: behind all others at its price, behind the quantity shown when it came, before all."""

    order_latency_s: Annotated[float, Meta(ge=0, le=3600)]
    """Market time until an order is in the book; it meets no tick before."""

    shown_share: Annotated[float, Meta(gt=0, le=1)]
    """Of the quantity shown, or traded: the part that our orders may have."""

    market_protection_percent: Percent
    """A MARKET order is a limit order this far from the last price; 0: it has no limit."""

    slippage_percent: Percent
    """Of the price, by which an order that comes to the market pays more, or gets less, than is offered."""

    slippage_ticks: Annotated[int, Meta(ge=0, le=10_000)]
    """The same, in multiples of the tick size; of both the sum."""

    always_open: bool
    """Whether the account trades at any hour: no sessions, no square-off, no expiry at the close."""

    streams_port: Annotated[int, Meta(ge=0, le=65_535)]
    """Of the sockets of a served exchange; 0: one that is free."""

    opening_balance_rupees: Annotated[float, Meta(ge=0, le=1e12)]
    """What a new account has."""

    acknowledgement_delay_s: Annotated[float, Meta(ge=0, le=3600)]
    """How long an order is in transit before the exchange takes or rejects it."""

    price_band_percent: Percent
    """Of the previous close: an order of the account outside is rejected; 0 for none."""

    intraday_leverage: Annotated[float, Meta(ge=1, le=100)]
    """Value of an intraday position for each rupee of margin."""

    derivative_margin_percent: Annotated[float, Meta(gt=0, le=100)]
    """Margin of a future, of its value; of a written option, of its strike's value."""
