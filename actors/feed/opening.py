"""When a simulated market begins, found before it is started."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ...domain.candles import can_be_made
from ...domain.time import duration_text
from .bodies.replay import open_recordings
from .errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...config.sections.feed import FeedSettings


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """When a market begins, and notes on its recordings."""

    opening_ns: int | None = None
    """Time of the first message: nanoseconds since 1970-01-01 UTC; None where that is the present."""

    notes: tuple[str, ...] = ()
    """How ambiguous recordings were understood, for the user."""

    candle_lengths: tuple[tuple[Path, frozenset[int]], ...] = ()
    """Each recording, and how long its candles are: nanoseconds; none for ticks."""

    def expect_candles(self, wanted_ns: Iterable[int]) -> tuple[str, ...]:
        """Check that candles of these lengths can be made of the recordings; return notes on those that lack some.

        Raises:
            RecordingError: no recording has what makes candles of some length.
        """
        notes = []
        for interval_ns in sorted(set(wanted_ns)):
            lacking = [(path, lengths) for path, lengths in self.candle_lengths if _lacks(lengths, interval_ns)]
            for path, lengths in lacking:
                length = duration_text(interval_ns)
                found = ", ".join(map(duration_text, sorted(lengths)))
                if len(lacking) == len(self.candle_lengths):
                    raise RecordingError(
                        path, 0, f"candles of {length} are wanted by a strategy, found those of {found}"
                    )
                notes.append(f"{path.name}: candles of {length} are wanted, and made up there of those of {found}")
        return tuple(notes)


def look_ahead(settings: FeedSettings) -> Outlook:
    """Look at the recordings to be replayed, as far as needed; a synthetic market begins now.

    Raises:
        RecordingError: one is missing, no file, empty, of no known shape, or has not one whole row.
    """
    if settings.source != "replay":
        return Outlook()
    recordings = open_recordings(settings)
    opening_ns = recordings.look()
    return Outlook(opening_ns=opening_ns, notes=recordings.notes, candle_lengths=recordings.candle_lengths)


def _lacks(lengths: frozenset[int], interval_ns: int) -> bool:
    """Return whether these are candles of which none can be part of one of that length."""
    return bool(lengths) and not any(can_be_made(interval_ns, each) for each in lengths)
