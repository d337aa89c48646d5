"""Several recordings as one market: their messages in the order of time, numbered anew, under one name."""

from __future__ import annotations

import hashlib
import heapq
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from msgspec.structs import force_setattr

from ...messages.market import Candle
from .errors import RecordingError
from .source import MESSAGES_A_CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .source import MarketMessage

_HASH_BYTES: Final = 8

_Timed: TypeAlias = tuple[int, int, str, int, "MarketMessage"]
"""Time, candles before ticks, symbol, which recording, message."""


class Readable(Protocol):
    """A recording among others."""

    bad_rows: int
    notes: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The file."""

    def chunks(self) -> Iterator[list[MarketMessage]]:
        """Make its messages."""

    def look(self) -> int | None:
        """Return the time of the first message, ns since 1970-01-01 UTC; None if unknown."""

    def needs_symbol(self) -> bool:
        """Return whether the file has no symbol column."""


class Merged:
    """Recordings merged by time: at the same time where symbols differ, one after the other where they do not."""

    def __init__(self, recordings: Sequence[Readable]) -> None:
        """Open nothing yet."""
        self._recordings: Final = recordings

    @property
    def bad_rows(self) -> int:
        """Rows skipped so far, of all recordings."""
        return sum(recording.bad_rows for recording in self._recordings)

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes of all recordings on how they were understood."""
        return tuple(f"{each.path.name}: {note}" for each in self._recordings for note in each.notes)

    def look(self) -> int | None:
        """Look at each, and return the time of the first message of all; None if that is unknown.

        Raises:
            RecordingError: one cannot be read, or two would have to share the symbol that was given.
        """
        firsts = [recording.look() for recording in self._recordings]
        self._expect_symbols()
        return min((first_ns for first_ns in firsts if first_ns is not None), default=None)

    def chunks(self) -> Iterator[list[MarketMessage]]:
        """Yield the ticks and candles of all, in chunks.

        Raises:
            RecordingError: one of them is broken; all before that was yielded. Or two would have to share the symbol
                in the settings; or two are the same file, or overlap in time for one symbol.
        """
        self._expect_symbols()
        messages: list[MarketMessage] = []
        try:
            for message in self._messages():
                messages.append(message)
                if len(messages) >= MESSAGES_A_CHUNK:
                    yield messages
                    messages = []
        except RecordingError:
            if messages:
                yield messages
            raise
        if messages:
            yield messages

    def close(self) -> None:
        """Release nothing: each file is open only while its chunks are read."""

    def _messages(self) -> Iterator[MarketMessage]:
        streams = [_timed(place, recording) for place, recording in enumerate(self._recordings)]
        begun = [(stream, first) for stream in streams if (first := next(stream, None))]
        source = self._name([first for _, first in begun])
        sequence = 0
        places: dict[str, int] = {}
        left: set[tuple[str, int]] = set()
        for _, _, _, place, message in heapq.merge(*(itertools.chain((first,), stream) for stream, first in begun)):
            before = places.setdefault(message.symbol, place)
            if before != place:
                left.add((message.symbol, before))
                places[message.symbol] = place
                if (message.symbol, place) in left:
                    raise RecordingError(
                        self._recordings[place].path,
                        0,
                        f"each symbol in one recording at a time is wanted, found {message.symbol} in "
                        f"{self._recordings[before].path} as well",
                    )
            # No other code has seen it yet; a copy of it would cost five times as much.
            force_setattr(message, "source", source)
            if not isinstance(message, Candle):
                sequence += 1
                force_setattr(message, "sequence", sequence)
            yield message

    def _name(self, firsts: Sequence[_Timed]) -> str:
        """Return the name of the merged source; the same in whatever order the recordings are given."""
        sources: dict[str, Path] = {}
        for _, _, _, place, message in firsts:
            path = self._recordings[place].path
            if message.source in sources:
                raise RecordingError(
                    path, 0, f"each recording once is wanted, found the same as {sources[message.source]}"
                )
            sources[message.source] = path
        names = " ".join(sorted(sources))
        return f"replay-{hashlib.blake2b(names.encode(), digest_size=_HASH_BYTES).hexdigest()}"

    def _expect_symbols(self) -> None:
        without = [recording.path for recording in self._recordings if recording.needs_symbol()]
        if len(without) > 1:
            raise RecordingError(
                without[1],
                0,
                f"a column symbol is wanted where several recordings are replayed, none is here nor in {without[0]}, "
                f"and one symbol cannot be that of both",
            )


def _timed(place: int, recording: Readable) -> Iterator[_Timed]:
    """Give the messages of a recording with the times at which they are due: a candle before the tick behind it."""
    candles: list[Candle] = []
    for chunk in recording.chunks():
        for message in chunk:
            if isinstance(message, Candle):
                candles.append(message)
                continue
            for candle in candles:
                yield min(candle.start_ns + candle.interval_ns, message.exchange_ns), 0, candle.symbol, place, candle
            candles.clear()
            yield message.exchange_ns, 1, message.symbol, place, message
    for candle in candles:
        yield candle.start_ns + candle.interval_ns, 0, candle.symbol, place, candle
