"""When a strategy's timers are due, by the exchange's clock and calendar (pure)."""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

import msgspec

from ...domain.calendar import Session, session
from ...domain.time import DAY_NS, SECOND_NS, day_of, day_of_number, day_start_ns, duration_ns, duration_text

SessionEvent: TypeAlias = Literal["open", "close"]

_DAYS_AHEAD_MAX: Final = 60
_CLOCK: Final = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d))?", re.ASCII)
_EDGE: Final = re.compile(r"(open|close)(?:([+-])(\w+))?", re.ASCII)
WANTED: Final = '"15:20" (a time of each trading day), "open+5m", "close-10m", or "5m" (from the opening to the close)'


class AtTime(msgspec.Struct, frozen=True, kw_only=True):
    """At one time of each trading day."""

    since_midnight_ns: int


class AtEdge(msgspec.Struct, frozen=True, kw_only=True):
    """Before or after the opening or the close of each session, special ones included."""

    edge: SessionEvent
    offset_ns: int = 0


class Throughout(msgspec.Struct, frozen=True, kw_only=True):
    """Every so often while the session lasts, counted from its opening as candles are; the close is the last time."""

    interval_ns: int


Schedule: TypeAlias = AtTime | AtEdge | Throughout


def schedule_of(text: str) -> Schedule:
    """Parse `15:20`, `15:20:30`, `open`, `close`, `open+5m`, `close-10m`, or an interval such as `5m`.

    Raises:
        ValueError: it is none of them.
    """
    if (clock := _CLOCK.fullmatch(text)) is not None:
        hours, minutes, seconds = (int(each or 0) for each in clock.groups())
        if hours < 24 and minutes < 60 and seconds < 60:  # noqa: PLR2004  of a clock
            return AtTime(since_midnight_ns=((hours * 60 + minutes) * 60 + seconds) * SECOND_NS)
    elif (edge := _EDGE.fullmatch(text)) is not None:
        sign = -1 if edge[2] == "-" else 1
        offset_ns = 0 if edge[3] is None else sign * duration_ns(edge[3])
        return AtEdge(edge="open" if edge[1] == "open" else "close", offset_ns=offset_ns)
    else:
        try:
            return Throughout(interval_ns=duration_ns(text))
        except ValueError:
            pass
    raise ValueError(f"{WANTED} wanted, found {text!r}")


def next_due_ns(schedule: Schedule, after_ns: int) -> int:
    """Return the first time after another that a schedule is due; both in nanoseconds since 1970-01-01 UTC.

    Raises:
        ValueError: it never is, such as five hours after an opening every seven.
    """
    today = day_of(after_ns)
    # An offset may lead into later days: an edge of so many days before may still be due.
    days_after = max(schedule.offset_ns, 0) // DAY_NS if isinstance(schedule, AtEdge) else 0
    for day in range(today - 1 - days_after, today + _DAYS_AHEAD_MAX):
        found = session(day_of_number(day))
        if found is not None:
            due_ns = _due_in(found, day, schedule, after_ns)
            if due_ns is not None and due_ns > after_ns:
                return due_ns
    raise ValueError(f"a time in the next {_DAYS_AHEAD_MAX} days wanted, found that {schedule} has none")


def next_edge(after_ns: int) -> tuple[int, SessionEvent]:
    """Return the next opening or close after a time, and which it is."""
    opening_ns = next_due_ns(AtEdge(edge="open"), after_ns)
    close_ns = next_due_ns(AtEdge(edge="close"), after_ns)
    return (opening_ns, "open") if opening_ns < close_ns else (close_ns, "close")


def _due_in(found: Session, day: int, schedule: Schedule, after_ns: int) -> int | None:
    if isinstance(schedule, AtTime):
        return day_start_ns(day) + schedule.since_midnight_ns
    if isinstance(schedule, AtEdge):
        return (found.open_ns if schedule.edge == "open" else found.close_ns) + schedule.offset_ns
    passed = max(after_ns - found.open_ns, 0) // schedule.interval_ns
    due_ns = found.open_ns + (passed + 1) * schedule.interval_ns
    return due_ns if due_ns <= found.close_ns else None


def text_of(schedule: Schedule) -> str:
    """Format a schedule as `schedule_of` parses it."""
    if isinstance(schedule, AtTime):
        minutes, seconds = divmod(schedule.since_midnight_ns // SECOND_NS, 60)
        return f"{minutes // 60:02}:{minutes % 60:02}" + (f":{seconds:02}" if seconds else "")
    if isinstance(schedule, AtEdge):
        sign = "-" if schedule.offset_ns < 0 else "+"
        return schedule.edge + (f"{sign}{duration_text(abs(schedule.offset_ns))}" if schedule.offset_ns else "")
    return duration_text(schedule.interval_ns)
