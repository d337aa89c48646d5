"""Limits of the day that end NORMAL for every strategy, until a person resumes (pure)."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from ....config.sections.orders import HALT_AT, OrdersSettings
from ....domain.time import SECOND_NS
from ..book import Book
from ..book.day import UNITS
from .situation import MarketPrice

REJECTS_S: Final = 60
"""Seconds in which rejected orders are counted."""

MESSAGES_MIN: Final = 100
"""Orders, modifications and cancellations of a day below which the order-to-trade ratio says nothing."""

SYMBOLS_TOLD_MAX: Final = 5
"""Symbols of orders in doubt that a cause names."""


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """A limit that was passed, and the state that follows."""

    state: Literal["REDUCING", "HALTED"]
    cause: str


def tripped(book: Book, limits: OrdersSettings, now_ns: int, market: dict[str, MarketPrice]) -> Trip | None:
    """Return the strictest consequence of what has happened so far; None where there is none."""
    loss_max = limits.day_loss_max_rupees
    if loss_max:
        realized, unrealized, _ = book.profit_today(now_ns, market)  # without a price: the rule lets nothing open
        loss = -(realized + unrealized) / UNITS
        if loss >= loss_max:
            is_double = loss >= HALT_AT * loss_max
            cause = (
                f"day_loss_max_rupees: {loss:.2f} rupees lost today, limit {loss_max:.2f}: "
                f"{realized / UNITS:.2f} realised, {unrealized / UNITS:.2f} open"
            )
            return Trip(state="HALTED" if is_double else "REDUCING", cause=cause)
    if limits.rejects_max:
        found = book.today(now_ns).rejected_since(now_ns - REJECTS_S * SECOND_NS)
        if found >= limits.rejects_max:
            cause = f"rejects_max: {found} orders rejected in {REJECTS_S} s, limit {limits.rejects_max}"
            return Trip(state="REDUCING", cause=cause)
    unknown = book.unknown_symbols()
    if 0 < limits.unknown_orders_max <= len(unknown):
        symbols = ", ".join(sorted(set(unknown))[:SYMBOLS_TOLD_MAX])
        cause = f"unknown_orders_max: {len(unknown)} orders in doubt, limit {limits.unknown_orders_max}: in {symbols}"
        return Trip(state="REDUCING", cause=cause)
    return None


def order_to_trade(book: Book, now_ns: int) -> float:
    """Return the day's order-to-trade ratio: orders, modifications and cancellations for each trade."""
    today = book.today(now_ns)
    return (today.orders + today.changes) / max(1, today.trades)


def warned(book: Book, limits: OrdersSettings, now_ns: int) -> str:
    """Return a warning for a person, for which no order is refused; empty: none."""
    limit, today = limits.order_to_trade_max, book.today(now_ns)
    if not limit or today.orders + today.changes < MESSAGES_MIN or (found := order_to_trade(book, now_ns)) <= limit:
        return ""
    return (
        f"order_to_trade_max: at most {limit:g} messages for each trade today wanted, found {found:.1f}: "
        f"{today.orders} orders, {today.changes} modifications and cancellations, {today.trades} trades"
    )
