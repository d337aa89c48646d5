"""Settings of delivery."""

from __future__ import annotations

import msgspec

from ....messages.addresses import JOURNAL


class DeliverySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings made in `composition.py`, not read from a file."""

    journal: str = JOURNAL
    """Name of the actor that makes events durable."""

    append_s: float = 10.0
    """Seconds that it may take."""

    subscriptions_max: int = 10_000
