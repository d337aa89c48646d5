"""The order of a recording's rows and the distances of their times, found by a first pass over them."""

from __future__ import annotations

from collections import Counter
from typing import Final

from ...domain.time import DAY_NS, SECOND_NS, duration_text
from .times import is_day

INTERVAL_UNKNOWN_NS: Final = 60 * SECOND_NS
"""Length assumed for a recording of a single candle, which has no distances."""

INTERVAL_MAX_NS: Final = 27 * DAY_NS
"""What is longer is of months or years, which have no one length: each would be told before its last days were over."""

SYMBOLS_MAX: Final = 100_000
"""Symbols of one recording: more than any exchange lists."""

DISTANCES_MAX: Final = 1_000
"""Different distances that are counted of one symbol."""

_DISTANCES_SHOWN_MAX: Final = 3

ALIKE_MIN: Final = 5
"""Distances of one length, and none shorter, that tell the length of candles to who says another."""


class Way:
    """Whether the times of one symbol rise or fall, and by what steps."""

    __slots__ = ("backward", "before_ns", "distances", "first_ns", "forward", "may_go_back", "newest_ns", "oldest_ns")

    def __init__(self, first_ns: int, *, may_go_back: bool) -> None:
        self.may_go_back = may_go_back
        self.first_ns = self.before_ns = self.newest_ns = self.oldest_ns = first_ns
        self.forward = self.backward = 0
        self.distances: Counter[int] = Counter()

    @property
    def is_newest_first(self) -> bool:
        """Whether its rows go back, for the most part."""
        return self.may_go_back and self.backward > self.forward

    def go_on(self, time_ns: int) -> None:
        """Count the step to the next row."""
        step = time_ns - self.before_ns
        self.before_ns = time_ns
        if not step:
            return
        if step > 0:
            self.forward += 1
            self.newest_ns = max(self.newest_ns, time_ns)
        else:
            self.backward += 1
            self.oldest_ns = min(self.oldest_ns, time_ns)
        distance = abs(step)
        if distance in self.distances or len(self.distances) < DISTANCES_MAX:
            self.distances[distance] += 1


class Survey:
    """The rows so far.

    Args:
        may_go_back: rows may have the newest first; else a row that goes back is broken.
    """

    def __init__(self, *, may_go_back: bool) -> None:
        self._may_go_back: Final = may_go_back
        self.ways: dict[str, Way] = {}
        self.rows = 0
        self.has_gaps = False
        """Some rows name no symbol."""

        self.is_of_days = True
        """No row has a time within a day."""

        self._newest_ns = 0
        self._goes_back = False

    def add(self, symbol: str, time_ns: int) -> None:
        """Count a row."""
        self.rows += 1
        self.is_of_days = self.is_of_days and is_day(time_ns)
        way = self.ways.get(symbol)
        if way is None:
            self.ways[symbol] = Way(time_ns, may_go_back=self._may_go_back)
        elif time_ns < way.newest_ns:
            way.go_on(time_ns)  # in a file in the order of time it is a broken row, not another order
            return
        else:
            way.go_on(time_ns)
        if time_ns < self._newest_ns:
            self._goes_back = True
        else:
            self._newest_ns = time_ns

    def first_times(self) -> list[tuple[str, int]]:
        """Return each symbol with the time of its first row, in the order of time."""
        return [(name, way.oldest_ns if way.is_newest_first else way.first_ns) for name, way in self.ways.items()]

    @property
    def is_newest_first(self) -> bool:
        """Whether the rows of some symbol go back in time."""
        return any(way.is_newest_first for way in self.ways.values())

    @property
    def is_in_order(self) -> bool:
        """Whether time never goes back, but for rows that are broken."""
        return not (self._goes_back or self.is_newest_first)

    def interval_of(self, symbol: str) -> int:
        """Return the length of a symbol's candles: their commonest distance, at a tie the shorter.

        A symbol with a single candle gets the commonest length of all symbols.
        """
        distances = self.ways[symbol].distances if symbol in self.ways else Counter[int]()
        return interval_of(distances or self._all_distances(), of_days=self.is_of_days)

    def notes(self, intervals: dict[str, int]) -> tuple[str, ...]:
        """Return notes for the user on the file's order and the lengths found."""
        notes = []
        if self.is_newest_first:
            notes.append("newest first: sorted by time")
        elif self._goes_back:
            notes.append("not in the order of time from symbol to symbol: sorted by time")
        for symbol, interval_ns in intervals.items():
            note = self._note_of(symbol, interval_ns)
            if note:
                notes.append(note)
                break
        return tuple(notes)

    def note_of_shorter(self, given_ns: int) -> str:
        """Say that candles are likely longer than they are said to be; empty: nothing speaks for it.

        Those of symbols that trade now and then are farther apart than they are long: all rows of all symbols are
        looked at, and most of them have to be the same distance apart, with none nearer.
        """
        distances = self._all_distances()
        apart_ns = min(distances, default=0)
        times = distances[apart_ns]
        if apart_ns <= given_ns or times < ALIKE_MIN or 2 * times < distances.total():
            return ""
        apart = duration_text(apart_ns)
        return (
            f"look-ahead: the candles are {apart} apart ({times} of them, and none nearer), and are said to be "
            f"{duration_text(given_ns)} long: if they are {apart} long, each is told "
            f"{duration_text(apart_ns - given_ns)} before it is over"
        )

    def _note_of(self, symbol: str, interval_ns: int) -> str:
        distances = self.ways[symbol].distances
        name = f" of {symbol}" if len(self.ways) > 1 else ""
        if not distances:
            return f"one candle{name} does not tell its length: {duration_text(interval_ns)} is taken"
        # Distances from one day to the next are left out: 15:29 to 09:15 is in every file of minutes.
        most_ns = max(interval_ns, DAY_NS // 2)
        others = Counter(
            {
                distance: count
                for distance, count in distances.items()
                if distance != interval_ns and distance <= most_ns
            }
        )
        if not others:
            return ""
        shown = ", ".join(
            f"{duration_text(distance)} ({count})" for distance, count in others.most_common(_DISTANCES_SHOWN_MAX)
        )
        return (
            f"the candles{name} are {duration_text(interval_ns)} long, as most ({distances[interval_ns]}) of them are "
            f"apart; other distances: {shown}{', …' if len(others) > _DISTANCES_SHOWN_MAX else ''}"
        )

    def _all_distances(self) -> Counter[int]:
        found: Counter[int] = Counter()
        for way in self.ways.values():
            found.update(way.distances)
        return found


def interval_of(distances: Counter[int], *, of_days: bool) -> int:
    """Return the length of candles, in ns, from how often each distance occurs."""
    if not distances:
        return DAY_NS if of_days else INTERVAL_UNKNOWN_NS
    most = max(distances.values())
    return min(distance for distance, count in distances.items() if count == most)
