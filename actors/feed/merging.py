"""Several recordings as one market: their messages in the order of time, numbered anew, under one name.

A file is opened when its first message is due and closed after its last, so that a folder may have more files, a day
each, than a process may have open.
"""

from __future__ import annotations

import hashlib
import heapq
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from msgspec.structs import force_setattr

from ...messages.market import Candle
from .errors import RecordingError
from .source import MESSAGES_A_CHUNK

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...messages.market import MarketMessage

_HASH_BYTES: Final = 8
_OPENING: Final = -1

_Timed: TypeAlias = tuple[int, int, str, int, "MarketMessage | None"]
"""Time, candles before ticks, symbol, which recording, message; None: the recording is to be opened, before both."""


class Readable(Protocol):
    """A recording among others."""

    bad_rows: int
    notes: tuple[str, ...]

    @property
    def path(self) -> Path:
        """The file."""

    def chunks(self) -> Iterator[list[MarketMessage]]:
        """Make its messages."""

    @property
    def candle_lengths(self) -> tuple[tuple[Path, dict[str, int]], ...]:
        """Itself, and how long its candles are: nanoseconds; none for ticks."""

    def look(self) -> int | None:
        """Return the time of the first message, ns since 1970-01-01 UTC; None if unknown."""

    def fingerprint(self) -> str:
        """Return what two recordings have in common only if all their messages are the same."""

    def needs_symbol(self) -> bool:
        """Return whether the file has no symbol column, and was not given with its symbol."""


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
        """Notes of all recordings on how they were understood, each once."""
        places: dict[str, list[str]] = {}
        for each in self._recordings:
            for note in each.notes:
                places.setdefault(note, []).append(each.path.name)
        return tuple(f"{_names(names)}: {note}" for note, names in places.items())

    @property
    def candle_lengths(self) -> tuple[tuple[Path, dict[str, int]], ...]:
        """Each recording, and how long the candles of each symbol in it are: nanoseconds; none for ticks."""
        return tuple(each for recording in self._recordings for each in recording.candle_lengths)

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
        source, sequence = self._name(), 0
        places: dict[str, int] = {}
        left: set[tuple[str, int]] = set()
        for _, _, _, place, message in self._in_order():
            assert message is not None, "recordings are opened on the way"
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

    def _in_order(self) -> Iterator[_Timed]:
        """Give the messages of all; each recording is opened when its first one is due."""
        streams = [_timed(place, recording) for place, recording in enumerate(self._recordings)]
        due: list[_Timed] = [
            (each.look() or 0, _OPENING, "", place, None) for place, each in enumerate(self._recordings)
        ]
        heapq.heapify(due)
        while due:
            timed = due[0]
            if timed[4] is not None:
                yield timed
            following = next(streams[timed[3]], None)
            if following is None:
                heapq.heappop(due)
            else:
                heapq.heapreplace(due, following)

    def _name(self) -> str:
        """Return the name of the merged source; the same in whatever order the recordings are given."""
        sources: dict[str, Path] = {}
        for each in self._recordings:
            fingerprint = each.fingerprint()
            if fingerprint in sources:
                raise RecordingError(
                    each.path, 0, f"each recording once is wanted, found the same as {sources[fingerprint]}"
                )
            sources[fingerprint] = each.path
        names = " ".join(sorted(sources))
        return f"replay-{hashlib.blake2b(names.encode(), digest_size=_HASH_BYTES).hexdigest()}"

    def _expect_symbols(self) -> None:
        without = [recording.path for recording in self._recordings if recording.needs_symbol()]
        if len(without) > 1:
            raise RecordingError(
                without[1],
                0,
                f"a column symbol is wanted where several recordings are replayed, none is here nor in {without[0]}, "
                f"and one symbol cannot be that of both: name each, as in TCS={without[1].name}",
            )


def _names(names: list[str]) -> str:
    others = len(names) - 1
    return f"{names[0]} and {names[1]}" if others == 1 else f"{names[0]} and {others:,} others" if others else names[0]


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
