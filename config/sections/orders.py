"""[orders]: the risk gate and the book of record."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from .base import Positive, PositiveSeconds, Seconds, Section


class OrdersSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The risk gate and the book of record."""

    TABLE: ClassVar[str] = "orders"

    quantity_max: Positive
    """Shares of one order."""

    value_max_rupees: Annotated[float, Meta(gt=0, le=1e12)]
    """Value of one order in rupees, at its limit price or the last price."""

    position_max: Positive
    """Shares of one symbol, long or short, that may be held if every open order fills."""

    price_age_max_s: Seconds
    """Age, in market time, of the last price that a strategy saw when it orders; 0: any age."""

    orders_a_moment_max: Positive
    """Orders of one strategy at one moment: in a simulated market, between two of its events."""

    orders_in_flight_max: Positive
    """Orders whose intent is journaled and whose answer from the broker is outstanding."""

    absence_horizon_s: PositiveSeconds
    """An uncertain order that the broker does not have counts as never placed only after this long."""

    lookup_interval_s: PositiveSeconds
    """How often an uncertain order is looked up."""

    symbols: tuple[str, ...]
    """Only these may be traded; empty for all."""

    reconcile_interval_s: PositiveSeconds
    """How often every open order is looked up at the broker, since a report may be lost."""

    account: Literal["auto", "session", "new", "newest"]
    """Which account a run trades on: that of all sessions, a new one, or the newest. `auto`: a replay on a new one,
    any other market on that of the sessions."""
