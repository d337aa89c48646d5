"""[orders]: the risk gate and the book of record."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from .base import Positive, PositiveSeconds, Seconds, Section


class OrdersSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The risk gate and the book of record."""

    TABLE: ClassVar[str] = "orders"

    quantity_max: Positive
    """Shares one order may have."""

    value_max_rupees: Annotated[float, Meta(gt=0, le=1e12)]
    """Rupees one order may be worth at its limit price or at the last price."""

    position_max: Positive
    """Shares of one symbol, long or short, that may be held if every open order fills."""

    price_age_max_s: Seconds
    """How old the last price that a strategy saw may be when it orders, by the market's time; 0: of any age."""

    orders_a_moment_max: Positive
    """Orders of one strategy while the market stands still: in a simulated market, those between two of its events."""

    orders_in_flight_max: Positive
    """Orders between intent and the broker's answer."""

    absence_horizon_s: PositiveSeconds
    """An uncertain order that the broker does not know counts as never placed only after this long."""

    lookup_interval_s: PositiveSeconds
    """How often an uncertain order is looked up."""

    symbols: tuple[str, ...]
    """Only these may be traded; empty for all."""

    reconcile_interval_s: PositiveSeconds
    """How often every open order is looked up: a report may be lost."""

    account: Literal["auto", "session", "new", "newest"]
    """Which account a run trades on: the one of all sessions, a new one, or the newest. Auto: a replay on a new one,
    any other market on that of the sessions."""
