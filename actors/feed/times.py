"""Times as recordings write them, to the nanosecond and without floats."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ...domain.time import IST, SECOND_NS
from ...messages.units import INTEGER_MAX
from .numbers import Memo

_DATE_LENGTH = len("2025-12-29")
_ANY_DATE = "2000-01-01"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION_SCALES: tuple[int, ...] = tuple(10 ** (9 - digits) for digits in range(10))
_FRACTION_AND_ZONE = re.compile(r"(\d{1,9})\s*(Z|z|[+-]\d\d(?::?\d\d)?)", re.ASCII)
_EPOCH_UNITS_NS = {9: SECOND_NS, 10: SECOND_NS, 11: SECOND_NS, 12: 1_000_000, 13: 1_000_000, 14: 1_000_000}
_EPOCH_UNITS_NS |= {15: 1_000, 16: 1_000, 17: 1_000, 18: 1, 19: 1}


class TimeReader:
    """Reads ISO 8601 with a zone, without one (then IST), and numbers since 1970 (s, ms, us or ns, by their length).

    Date and clock are remembered apart: neighbouring rows share the date, and the rows of all days the clock. Where
    there are fractions, several rows share the second.
    """

    def __init__(self) -> None:
        self._dates = Memo(_date_ns)
        self._clocks = Memo(_clock_ns)
        self._seconds = Memo(self._second)

    def read(self, text: str) -> int:
        """Turn a time into nanoseconds since 1970-01-01 UTC.

        Raises:
            ValueError: it is none, finer than a nanosecond, or outside 1970 to 2262.
        """
        second, point, fraction = text.partition(".")
        if not point:
            return self._whole(text)
        if fraction.isdecimal() and len(fraction) <= 9:  # noqa: PLR2004  digits of a nanosecond
            return self._seconds[second] + int(fraction) * _FRACTION_SCALES[len(fraction)]
        match = _FRACTION_AND_ZONE.fullmatch(fraction.strip())
        if match is None:
            raise _no_time(text)
        digits, zone = match.groups()
        return self._seconds[second + zone] + int(digits) * _FRACTION_SCALES[len(digits)]

    def _whole(self, text: str) -> int:
        if text[4:5] == "-" and len(text) > _DATE_LENGTH:
            return self._dates[text[:_DATE_LENGTH]] + self._clocks[text[_DATE_LENGTH:]]
        return _time_ns(text)

    def _second(self, text: str) -> int:
        """Read what stands before a fraction: a time to the second."""
        if text[4:5] == "-":
            return self._whole(text)
        if _EPOCH_UNITS_NS.get(len(text.strip())) != SECOND_NS:
            raise _no_time(text + ".…")
        return _time_ns(text)


def _date_ns(date: str) -> int:
    """Read a date: its beginning in London."""
    return _time_ns(date + "T00:00Z")


def _clock_ns(clock: str) -> int:
    """Read what follows a date: how long after its beginning in London that is; below 0 before it."""
    return _iso_ns(_ANY_DATE + clock) - _time_ns(_ANY_DATE + "T00:00Z")


def _time_ns(text: str) -> int:
    plain = text.strip()
    if plain.isdecimal() and len(plain) in _EPOCH_UNITS_NS:
        time_ns = int(plain) * _EPOCH_UNITS_NS[len(plain)]
    else:
        time_ns = _iso_ns(plain)
    if not 0 <= time_ns <= INTEGER_MAX:
        raise _no_time(text)
    return time_ns


def _iso_ns(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise _no_time(text) from fault
    if "," in text:  # Python would cut a fraction behind a comma off at microseconds
        raise _no_time(text)
    since = (moment if moment.tzinfo else moment.replace(tzinfo=IST)) - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1_000


def _no_time(text: str) -> ValueError:
    return ValueError(f"a time as ISO 8601 or as a number since 1970 is wanted, 1970 to 2262, found {text!r}")
