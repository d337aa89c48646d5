"""Settings of delivery."""

from __future__ import annotations

from typing import Final

import msgspec

from ....messages.addresses import JOURNAL

SUBSCRIPTIONS_MAX: Final = 10_000


class DeliverySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings made in `composition/`, not read from a file."""

    journal: str = JOURNAL
    """Name of the actor that makes events durable."""

    append_s: float = 10.0
    """Seconds that an append may take."""

    retry_s: float = 1.0
    """Seconds until the journal is asked again where it did not answer."""

    keep_s: float = 0.2
    """Seconds after which it is journaled that a durable subscription has moved: what was handled in the last ones
    before a kill is handed over again."""

    subscriptions_max: int = SUBSCRIPTIONS_MAX

    letters_max: int = 100_000
    """Dead letters that are kept; the oldest are removed when there are more."""

    letters_days: int = 365
    """Days that they are kept."""
