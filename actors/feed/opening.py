"""What can be said of a market before it opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from .bodies.replay import open_recordings

if TYPE_CHECKING:
    from ...config.sections.feed import FeedSettings


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be expected of a market."""

    opening_ns: int | None = None
    """The first moment that anyone in it sees: nanoseconds since 1970 UTC; None where that is the present."""

    notes: tuple[str, ...] = ()
    """How its recordings are understood, where whoever gave them might have meant something else."""


def look_ahead(settings: FeedSettings) -> Outlook:
    """Look at the recordings that are to be replayed, as far as has to be; a market that is made up opens now.

    Raises:
        RecordingError: one is missing, no file, empty, of no known shape, or has not one whole row.
    """
    if settings.source != "replay":
        return Outlook()
    recordings = open_recordings(settings)
    opening_ns = recordings.look()
    return Outlook(opening_ns=opening_ns, notes=recordings.notes)
