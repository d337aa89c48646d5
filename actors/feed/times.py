"""Times as recordings write them, to the nanosecond and without floats."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final, Literal, TypeAlias

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

_SHORT_DIGITS = re.compile(r"[2-9]\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d", re.ASCII)
"""A date with two digits for its year, and a clock; as seconds since 1970 it is a time from 2033 on."""

_DIGITS = re.compile(r"((?:19|20)\d\d)(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?", re.ASCII)
_DAY_FIRST = re.compile(r"(\d{1,2})[-/ ]([A-Za-z]{3,9})[-/ ,]{1,2}(\d{4}|\d\d(?!\d))(.*)", re.ASCII)
_MONTH_FIRST = re.compile(r"([A-Za-z]{3,9}) (\d{1,2}),? (\d{4})(.*)", re.ASCII)
_YEAR_FIRST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})([T ,].*)?", re.ASCII)
_CLOCK = re.compile(
    r"[T ,]*(\d{1,2})(:\d\d(?::\d\d)?)\s*(?:([AaPp])\.?[Mm]\.?)?\s*(Z|z|[+-]\d\d(?::?\d\d)?)?", re.ASCII
)
_BARE_CLOCK = re.compile(r"(\d{1,2})(\d\d)(\d\d)?", re.ASCII)
_EITHER_WAY = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4}|\d\d)(\D.*)?", re.ASCII)
_DOTTED = re.compile(r"(\d{1,4})\.(\d{1,2})\.(\d{1,4})", re.ASCII)
_ZONE = re.compile(r"([+-])(\d\d):?(\d\d)", re.ASCII)
_MONTHS_A_YEAR = 12
_NOON_H = 12

DateOrder: TypeAlias = Literal["day-first", "month-first"]
"""Which of both comes first in a date such as 03/04/2025."""

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


class TimeReader:
    """Reads the times of one column.

    ISO 8601 with a zone or without one (then IST), also without separators; `09-Jan-2025`, `09-Jan-25` and
    `9 January 2025`, with a clock behind it or without; and numbers since 1970. What such a number counts is told by
    its size, since only one unit makes a time of this age of it; and one column has one unit.

    Date and clock are remembered apart: neighbouring rows share the date, and the rows of all days the clock. Where
    there are fractions, several rows share the second.
    """

    def __init__(self, *, in_nanoseconds: bool = False, dates: DateOrder | None = None, zone: tzinfo = IST) -> None:
        """Take a column.

        Args:
            in_nanoseconds: its name says that numbers are nanoseconds, whatever their size.
            dates: whether the day or the month comes first where both are numbers; None: such dates are refused.
            zone: of times that name none; its distance from UTC is always the same.
        """
        self._in_nanoseconds = in_nanoseconds
        self._dates_are = dates
        self._zone = zone
        self._form = ""
        """Unit of this column's numbers; empty until the first one."""

        self._dates = Memo(_date_ns)
        self._clocks = Memo(self._clock_ns)
        self._dates_as_iso = Memo(self._date_as_iso)
        self._clocks_as_iso = Memo(_clock_as_iso)
        self._seconds = Memo(self._second)

    def read(self, text: str) -> int:
        """Turn a time into nanoseconds since 1970-01-01 UTC.

        Raises:
            ValueError: it is none, finer than a nanosecond, or outside 1970 to 2261; or another unit than before.
        """
        if "." not in text:
            return self._whole(text)
        second, _, fraction = text.partition(".")
        if fraction.isdecimal() and len(fraction) <= 9:  # noqa: PLR2004  digits of a nanosecond
            return self._seconds[second] + int(fraction) * _FRACTION_SCALES[len(fraction)]
        match = _FRACTION_AND_ZONE.fullmatch(fraction.strip())
        if match is None:
            if (dotted := _DOTTED.match(text.strip())) is None:
                raise _no_time(text)
            return self.read("-".join(dotted.groups()) + text.strip()[dotted.end() :])
        digits, zone = match.groups()
        return self._seconds[second + zone] + int(digits) * _FRACTION_SCALES[len(digits)]

    def _whole(self, text: str) -> int:
        if text[4:5] == "-" and len(text) > _DATE_LENGTH:
            time_ns = self._dates[text[:_DATE_LENGTH]] + self._clocks[text[_DATE_LENGTH:]]
            return time_ns if 0 <= time_ns < TIME_MAX_NS else _believed(time_ns, text)
        plain = text.strip()
        if plain.isdecimal() and plain.isascii():
            return self._number(plain, text)
        if match := _EITHER_WAY.fullmatch(plain):
            clock = match[4]
            iso = self._dates_as_iso[plain[: match.end(3)]]
            if not clock:
                return _iso_ns(iso, self._zone)
            return _believed(self._dates[iso] + self._clocks[self._clocks_as_iso[clock]], text)
        return _believed(_iso_ns(_as_iso(plain), self._zone), text)

    def _clock_ns(self, clock: str) -> int:
        """Read a time of day with its zone: ns after midnight UTC of the date; negative if before it."""
        return _iso_ns(_ANY_DATE + clock, self._zone) - _date_ns(_ANY_DATE)

    def _date_as_iso(self, text: str) -> str:
        """Write a date of three numbers, whose year is the last, as ISO 8601 does."""
        match = _EITHER_WAY.fullmatch(text)
        assert match is not None, "it is one of three numbers"
        if self._dates_are is None and len(match[3]) != len("2025"):
            raise _no_time(text)
        if self._dates_are is None:
            raise ValueError(
                f"{_no_time(text)}: whether its day or its month comes first is to be said, by --dates or feed.dates"
            )
        day, month = (match[1], match[2]) if self._dates_are == "day-first" else (match[2], match[1])
        if int(month) > _MONTHS_A_YEAR:
            raise ValueError(f"a date that is written {self._dates_are} is wanted, found {text!r}")
        return f"{match[3] if len(match[3]) > len('25') else '20' + match[3]}-{int(month):02}-{int(day):02}"

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
        form, time_ns = _form_of(digits, self._zone)
        if not form:
            raise _no_time(text)
        if self._form and form != self._form:
            raise ValueError(f"{self._form} as in the rows before are wanted, found {text!r}, {form}")
        self._form = form
        return time_ns


def zone_of(text: str) -> tzinfo:
    """Read the zone of times that name none: `IST`, `UTC`, or a distance from UTC such as `+05:30`.

    Raises:
        ValueError: it is none of these.
    """
    named = {"IST": IST, "UTC": UTC}.get(text)
    if named is not None:
        return named
    match = _ZONE.fullmatch(text)
    if match is None or int(match[2]) >= 24 or int(match[3]) >= 60:  # noqa: PLR2004  hours and minutes
        raise ValueError(f"IST, UTC or a distance from UTC such as +05:30 is wanted, found {text!r}")
    distance = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(distance if match[1] == "+" else -distance)


class DateOrderFound:
    """Which of day and month comes first in a column of dates, as far as its texts tell."""

    def __init__(self) -> None:
        self.order: DateOrder | None = None
        """None as long as no date told it."""

        self.is_needed = False
        """Some date is written so that it matters."""

        self.example = ""

    def look(self, text: str) -> None:
        """Look at one more text of the column."""
        match = _EITHER_WAY.fullmatch(text.strip())
        if match is None:
            return
        self.is_needed = True
        self.example = self.example or text
        first, second, year, _ = match.groups()
        # With two digits for the year, a number above 12 may as well be that of the year: it tells nothing.
        if len(year) > len("25") and int(first) > _MONTHS_A_YEAR >= int(second):
            self.order = "day-first"
        elif len(year) > len("25") and int(second) > _MONTHS_A_YEAR >= int(first):
            self.order = "month-first"


def is_clock(text: str) -> bool:
    """Return whether a text is a time of day without a date."""
    plain = text.strip()
    return bool(_CLOCK.fullmatch(plain) or _BARE_CLOCK.fullmatch(plain))


def joined(date: str, clock: str) -> str:
    """Write a date and a time of day, which stand in two columns, as one time."""
    return f"{date.strip()} {_clock_as_iso(clock)[1:]}" if clock.strip() else date


def is_day(time_ns: int) -> bool:
    """Return whether it is midnight IST, as which a date without a time of day is read."""
    return time_ns == day_start_ns(day_of(time_ns))


def _form_of(digits: str, zone: tzinfo) -> tuple[str, int]:
    """Return the unit of a number and its time in that unit; empty if no unit gives a time from 1990 to 2099.

    Raises:
        ValueError: it may be a date in digits, too.
    """
    if _SHORT_DIGITS.fullmatch(digits):
        raise ValueError(f"a year of four digits, or seconds since 1970 before 2033, wanted, found {digits!r}")
    number = int(digits) if len(digits) <= len(str(_BELIEVED_NS.stop)) else 0
    for form, unit_ns in _UNITS_NS.items():
        if number * unit_ns in _BELIEVED_NS:
            return form, number * unit_ns
    match = _DIGITS.fullmatch(digits)
    if match is None:
        return "", 0
    year, month, day, hour, minute, second = match.groups()
    clock = f"T{hour}:{minute}:{second or '00'}" if hour else ""
    return "dates without separators", _iso_ns(f"{year}-{month}-{day}{clock}", zone)


def _date_ns(date: str) -> int:
    """Read a date: its midnight in UTC, ns since 1970-01-01."""
    return _believed(_iso_ns(date + "T00:00Z", UTC), date)


def _believed(time_ns: int, text: str) -> int:
    if not 0 <= time_ns < TIME_MAX_NS:
        raise _no_time(text)
    return time_ns


def _as_iso(text: str) -> str:
    """Write a date that names its month, or that has slashes and begins with its year, as ISO 8601 does."""
    if day_first := _DAY_FIRST.fullmatch(text):
        day, name, year, clock = day_first.groups()
        month, year = _month(name, text), year if len(year) > len("25") else f"20{year}"
    elif month_first := _MONTH_FIRST.fullmatch(text):
        name, day, year, clock = month_first.groups()
        month = _month(name, text)
    elif year_first := _YEAR_FIRST.fullmatch(text):
        year, digits, day, clock = year_first.groups()
        month = int(digits)
    else:
        return text
    return f"{year}-{month:02}-{int(day):02}{_clock_as_iso(clock) if clock and clock.strip() else ''}"


def _clock_as_iso(clock: str) -> str:
    """Write a time of day, `9:15`, `09:15:00 AM` or `091500`, as ISO 8601 does behind a date."""
    plain = clock.strip()
    if bare := _BARE_CLOCK.fullmatch(plain):
        hour, minute, second = bare.groups()
        return f"T{int(hour):02}:{minute}:{second or '00'}"
    match = _CLOCK.fullmatch(plain)
    if match is None:
        raise _no_time(clock)
    hours, rest, half, zone = match.groups()
    hour = int(hours)
    if half:
        if not 1 <= hour <= _NOON_H:
            raise _no_time(clock)
        hour = hour % _NOON_H + _NOON_H * (half in "Pp")
    return f"T{hour:02}{rest}{zone or ''}"


def _month(name: str, text: str) -> int:
    months = [number for number, month in enumerate(_MONTHS, 1) if month.startswith(name.lower())]
    if len(months) != 1:
        raise _no_time(text)
    return months[0]


def _iso_ns(text: str, zone: tzinfo) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as fault:
        raise _no_time(text) from fault
    if "," in text:  # Python would cut a fraction behind a comma off at microseconds
        raise _no_time(text)
    if not moment.tzinfo:  # a day is one of the exchange, wherever the clock of its file stands
        moment = moment.replace(tzinfo=zone if ":" in text or "T" in text else IST)
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1_000


def _no_time(text: str) -> ValueError:
    return ValueError(f"a time as ISO 8601 or as a number since 1970 is wanted, 1970 to 2261, found {text!r}")
