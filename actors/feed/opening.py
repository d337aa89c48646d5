"""When a simulated market begins, found before it is started."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from ...domain.candles import can_be_made
from ...domain.time import duration_text
from .errors import RecordingError
from .recording import open_recordings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from ...config.sections.feed import FeedSettings


class CandlesWanted(NamedTuple):
    """Candles that a strategy asks for."""

    interval_ns: int
    symbols: tuple[str, ...]
    """Of which; empty: of all."""


class Outlook(msgspec.Struct, frozen=True, kw_only=True):
    """When a market begins, and notes on its recordings."""

    opening_ns: int | None = None
    """Time of the first message: nanoseconds since 1970-01-01 UTC; None where that is the present."""

    notes: tuple[str, ...] = ()
    """How ambiguous recordings were understood, for the user."""

    candle_lengths: tuple[tuple[Path, dict[str, int]], ...] = ()
    """Each recording, and how long the candles of each symbol in it are: nanoseconds; none for ticks."""

    def expect_candles(self, wanted: Iterable[CandlesWanted], *, played: Collection[str] = ()) -> None:
        """Expect that these candles can be made of the recordings, of each symbol that is heard.

        Args:
            wanted: by strategies.
            played: symbols that there are; empty: all.

        Raises:
            RecordingError: a recording has longer ones; what four ticks of those would make nobody has recorded.
        """
        for each in wanted:
            for path, lengths in self.candle_lengths:
                for symbol, of_ns in lengths.items():
                    is_heard = not ((played and symbol not in played) or (each.symbols and symbol not in each.symbols))
                    if is_heard and not can_be_made(each.interval_ns, of_ns):
                        length, found = duration_text(each.interval_ns), duration_text(of_ns)
                        raise RecordingError(
                            path,
                            0,
                            f"candles of {length} are wanted by a strategy, found those of {found}{_of(symbol)}",
                        )


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


def _of(symbol: str) -> str:
    return f" of {symbol}; a strategy that is given its symbols may leave it out" if symbol else ""
