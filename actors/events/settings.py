"""Settings of the events router."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from ...messages.addresses import JOURNAL
from ...messages.events import Subscribe

if TYPE_CHECKING:
    from ...domain.calendar import Exchange


class EventsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Settings made in `composition/`, not read from a file."""

    subscriptions: tuple[Subscribe, ...] = ()
    """Subscriptions from the first message on, in this order, before any that actors request."""

    journal: str = JOURNAL
    """Name of the actor from which missing records are read."""

    retry_s: float = 1.0
    """Seconds until the journal is asked again when it could not answer."""

    answer_s: float = 5.0
    """Seconds until the journal is asked again when it did not answer: a restart drops requests."""

    exchange: Exchange | None = "NSE"
    """Exchange at whose close the candles of its day are closed in a live market; None: trading never ends."""

    candle_wait_s: float = 2.0
    """Seconds that a live market's ticks may take to come here: so long after its time a candle is closed."""

    def __post_init__(self) -> None:
        """Refuse a second subscription of one subscriber: it would take the place of the first.

        Raises:
            ValueError: there is one.
        """
        names = Counter(each.subscriber for each in self.subscriptions)
        if twice := sorted(name for name, count in names.items() if count > 1):
            raise ValueError(f"one subscription of each subscriber wanted, found several of {', '.join(twice)}")
