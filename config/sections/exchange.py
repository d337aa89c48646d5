"""[exchange]: the paper exchange."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

from msgspec import Meta

from .base import Section

Percent: TypeAlias = Annotated[float, Meta(ge=0, le=100)]


class ExchangeSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The paper exchange. Settings of the account count where it is served over HTTP."""

    TABLE: ClassVar[str] = "exchange"

    tick_size_rupees: Annotated[float, Meta(gt=0, le=1000)]
    """Limit prices must be whole multiples of it: rupees."""

    queue_position: Literal["last", "shown", "first"]
    """Place of a resting order at its price: behind all others, behind the quantity that was shown, before all."""

    order_latency_s: Annotated[float, Meta(ge=0, le=3600)]
    """Market time until an order is in the book; it meets no tick before."""

    shown_share: Annotated[float, Meta(gt=0, le=1)]
    """Part of the shown or traded quantity that our orders may take."""

    market_protection_percent: Percent
    """A MARKET order is a limit order this far from the last price; 0: it has no limit."""

    slippage_percent: Percent
    """By how much an order that takes from the market trades worse than the price shown."""

    slippage_ticks: Annotated[int, Meta(ge=0, le=10_000)]
    """The same in multiples of the tick size; both are added."""

    always_open: bool
    """Whether the account trades at any hour: no sessions, no square-off, no expiry at the close."""

    streams_port: Annotated[int, Meta(ge=0, le=65_535)]
    """Port of the sockets of `natya exchange serve`; 0: any free one."""

    opening_balance_rupees: Annotated[float, Meta(ge=0, le=1e12)]
    """Money in a new account."""

    acknowledgement_delay_s: Annotated[float, Meta(ge=0, le=3600)]
    """How long an order is in transit before the exchange takes or rejects it."""

    price_band_percent: Percent
    """Above or below the previous close: an order of the account beyond is rejected; 0: no band."""

    intraday_leverage: Annotated[float, Meta(ge=1, le=100)]
    """Value of an intraday position for each rupee of margin."""

    derivative_margin_percent: Annotated[float, Meta(gt=0, le=100)]
    """Margin of a future in percent of its value; of a written option in percent of its value at the strike."""
