"""When a simulated market begins, found before it is started."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from .bodies.replay import open_recordings

if TYPE_CHECKING:
    from ...config.sections.feed import FeedSettings


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """When a market begins, and notes on its recordings."""

    opening_ns: int | None = None
    """Time of the first message: nanoseconds since 1970-01-01 UTC; None where that is the present."""

    notes: tuple[str, ...] = ()
    """How ambiguous recordings were understood, for the user."""


def look_ahead(settings: FeedSettings) -> Outlook:
    """Look at the recordings to be replayed, as far as needed; a synthetic market begins now.

    Raises:
        RecordingError: one is missing, no file, empty, of no known shape, or has not one whole row.
    """
    if settings.source != "replay":
        return Outlook()
    recordings = open_recordings(settings)
    opening_ns = recordings.look()
    return Outlook(opening_ns=opening_ns, notes=recordings.notes)
