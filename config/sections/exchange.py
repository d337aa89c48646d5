"""[exchange]: the paper exchange."""

from __future__ import annotations

from typing import Annotated, ClassVar, TypeAlias

from msgspec import Meta

from .base import Section

Percent: TypeAlias = Annotated[float, Meta(ge=0, le=100)]


class ExchangeSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The paper exchange; what is said of the account holds where it is served over HTTP."""

    TABLE: ClassVar[str] = "exchange"

    tick_size_rupees: Annotated[float, Meta(gt=0, le=1000)]
    """Limit prices must be whole multiples of it: rupees."""

    always_open: bool
    """Whether the account trades at any hour: no sessions, no square-off, no expiry at the close."""

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
