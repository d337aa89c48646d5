"""Trades in our book that no request of ours has made: how a position went that was closed otherwise (pure).

Each is journaled as an order and its trade together, so that book, database, charges and strategies know it as any
other; by the trade's id it is told apart.
"""

from __future__ import annotations

from typing import Final

SQUARED_OFF: Final = "squared off by the broker"
"""At the end of the day: positions that no broker carries."""

EXPIRED: Final = "expired"
"""The contract has ended, and the exchange has paid out."""

SETTLED_BY: Final = "position settled by "
"""Begins the id of what a person has told; his name follows."""


def is_booked(trade_id: str) -> bool:
    """Say whether a trade has no order of ours at the broker."""
    return trade_id in {SQUARED_OFF, EXPIRED} or trade_id.startswith(SETTLED_BY)
