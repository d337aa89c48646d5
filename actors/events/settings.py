"""What the events router is told at its start."""

from __future__ import annotations

import msgspec

from ...messages.addresses import JOURNAL
from ...messages.events import Subscribe


class EventsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Composed by the system, not read from a file."""

    subscriptions: tuple[Subscribe, ...] = ()
    """Held from the first message on, in this order, before any that actors ask for."""

    journal: str = JOURNAL
    """Name of the actor that fills gaps."""

    dead_letters_max: int = 1_000
    """Dead letters kept for inspection, the newest; all are counted."""

    retry_s: float = 1.0
    """Seconds until the journal is asked again when it could not answer."""

    answer_s: float = 5.0
    """Seconds until it is asked again when it did not answer: a restart drops its readers."""
