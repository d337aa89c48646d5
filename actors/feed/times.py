"""Times as recordings write them, to the nanosecond and without floats."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from ...domain.time import IST, SECOND_NS, day_of, day_start_ns
from .numbers import Memo

TIME_MAX_NS: Final = 9_214_646_400 * SECOND_NS
"""The beginning of 2262, exclusive limit of times: with a zone or candle length added they must fit into 64 bits."""

_DATE_LENGTH = len("2025-12-29")
_ANY_DATE = "2000-01-01"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FRACTION_SCALES: tuple[int, ...] = tuple(10 ** (9 - digits) for digits in range(10))
_FRACTION_AND_ZONE = re.compile(r"(\d{1,9})\s*(Z|z|[+-]\d\d(?::?\d\d)?)", re.ASCII)

_SECONDS = "seconds since 1970"
_UNITS_NS = {
    _SECONDS: SECOND_NS,
    "milliseconds since 1970": 1_000_000,
    "microseconds since 1970": 1_000,
    "nanoseconds since 1970": 1,
}
_BELIEVED_NS = range(631_152_000 * SECOND_NS, 4_102_444_800 * SECOND_NS)
"""1990 to 2099. In this range no number is a valid time in two units, nor both a number and a date in digits."""

_DIGITS = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[-/ ]([A-Za-z]{3,9})[-/ ,]{1,2}(\d{4})(.*)", re.ASCII)
_MONTH_FIRST = re.compile(r"([A-Za-z]{3,9}) (\d{1,2}),? (\d{4})(.*)", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})(.*)", re.ASCII)
_CLOCK = re.compile(r"[T ]?\s*(\d{1,2})(:.*)", re.ASCII)
_EITHER_WAY = re.compile(r"\d{1,2}[-/.]\d{1,2}[-/.](\d{4}|\d\d)\b.*", re.ASCII)
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


class TimeReader:
    """Reads the times of one column.

    ISO 8601 with a zone or without one (then IST), also without separators; `09-Jan-2025` and `9 January 2025`, with a
    clock behind it or without; and numbers since 1970. What such a number counts is told by its size, since only one
    unit makes a time of this age of it; and one column has one unit.

    Date and clock are remembered apart: neighbouring rows share the date, and the rows of all days the clock. Where
    there are fractions, several rows share the second.
    """

    def __init__(self, *, in_nanoseconds: bool = False) -> None:
        """Take a column; `in_nanoseconds`: its name says that numbers are nanoseconds, whatever their size."""
        self._in_nanoseconds = in_nanoseconds
        self._form = ""
        """Unit of this column's numbers; empty until the first one."""

        self._dates = Memo(_date_ns)
        self._clocks = Memo(_clock_ns)
        self._seconds = Memo(self._second)

    def read(self, text: str) -> int:
        """Turn a time into nanoseconds since 1970-01-01 UTC.

        Raises:
            ValueError: it is none, finer than a nanosecond, or outside 1970 to 2261; or another unit than before.
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
            return _believed(self._dates[text[:_DATE_LENGTH]] + self._clocks[text[_DATE_LENGTH:]], text)
        plain = text.strip()
        return self._number(plain, text) if plain.isdecimal() and plain.isascii() else _time_ns(plain)

    def _second(self, text: str) -> int:
        """Read what stands before a fraction: a time to the second."""
        time_ns = self._whole(text)
        if text.strip().isdecimal() and self._form != _SECONDS:
            raise _no_time(text + ".…")
        return time_ns

    def _number(self, digits: str, text: str) -> int:
        """Read a time that is written in digits alone."""
        if self._in_nanoseconds:
            return _believed(int(digits), text)
        form, time_ns = _form_of(digits)
        if not form:
            raise _no_time(text)
        if self._form and form != self._form:
            raise ValueError(f"{self._form} as in the rows before are wanted, found {text!r}, {form}")
        self._form = form
        return time_ns


def is_day(time_ns: int) -> bool:
    """Return whether it is midnight IST, as which a date without a time of day is read."""
    return time_ns == day_start_ns(day_of(time_ns))


def _form_of(digits: str) -> tuple[str, int]:
    """Return the unit of a number and its time in that unit; empty if no unit gives a time from 1990 to 2099."""
    number = int(digits) if len(digits) <= len(str(_BELIEVED_NS.stop)) else 0
    for form, unit_ns in _UNITS_NS.items():
        if number * unit_ns in _BELIEVED_NS:
            return form, number * unit_ns
    match = _DIGITS.fullmatch(digits)
    if match is None:
        return "", 0
    year, month, day, hour, minute, second = match.groups()
    return "dates without separators", _iso_ns(f"{year}-{month}-{day}T{hour or '00'}:{minute or '00'}:{second or '00'}")


def _date_ns(date: str) -> int:
    """Read a date: its midnight in UTC, ns since 1970-01-01."""
    return _time_ns(date + "T00:00Z")


def _clock_ns(clock: str) -> int:
    """Read a time of day with its zone: ns after midnight UTC of the date; negative if before it."""
    return _iso_ns(_ANY_DATE + clock) - _time_ns(_ANY_DATE + "T00:00Z")


def _time_ns(text: str) -> int:
    return _believed(_iso_ns(_as_iso(text)), text)


def _believed(time_ns: int, text: str) -> int:
    if not 0 <= time_ns < TIME_MAX_NS:
        raise _no_time(text)
    return time_ns


def _as_iso(text: str) -> str:
    """Write a date that names its month, or that has slashes and begins with its year, as ISO 8601 does."""
    if day_first := _DAY_FIRST.fullmatch(text):
        day, name, year, clock = day_first.groups()
        month = _month(name, text)
    elif month_first := _MONTH_FIRST.fullmatch(text):
        name, day, year, clock = month_first.groups()
        month = _month(name, text)
    elif year_first := _YEAR_FIRST.fullmatch(text):
        year, digits, day, clock = year_first.groups()
        month = int(digits)
    elif _EITHER_WAY.fullmatch(text):
        raise ValueError(f"{_no_time(text)}: day and month are told apart by 2025-01-09 or 09-Jan-2025 alone")
    else:
        return text
    date = f"{year}-{month:02}-{int(day):02}"
    if not clock.strip():
        return date
    if (match := _CLOCK.fullmatch(clock)) is None:
        raise _no_time(text)
    hour, rest = match.groups()
    return f"{date}T{int(hour):02}{rest}"


def _month(name: str, text: str) -> int:
    months = [number for number, month in enumerate(_MONTHS, 1) if month.startswith(name.lower())]
    if len(months) != 1:
        raise _no_time(text)
    return months[0]


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
    return ValueError(f"a time as ISO 8601 or as a number since 1970 is wanted, 1970 to 2261, found {text!r}")
