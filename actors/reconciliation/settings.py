"""What the actor needs."""

from __future__ import annotations

import msgspec


class ReconciliationSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How often it looks."""

    interval_s: float
