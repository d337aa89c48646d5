"""What the actor needs."""

from __future__ import annotations

import msgspec


class ReconciliationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How often it looks, and at what besides the account."""

    interval_s: float
    symbols: tuple[str, ...] = ()
    """Whose price bands orders may have to know before anything was ordered of them."""
