"""When a list is fetched: each day at its time, and at once where that was missed. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta


def due_in_s(now: datetime, at: time, day_of_list: date | None) -> float:
    """Tell in how many seconds a list is to be fetched: 0 for at once.

    Args:
        now: the time in India.
        at: of each day.
        day_of_list: when the list in use was read; None where none was.
    """
    if day_of_list is None:
        return 0.0
    today = datetime.combine(now.date(), at, now.tzinfo)
    missed = day_of_list < now.date() and now >= today
    due = now if missed else today if now < today else today + timedelta(days=1)
    return (due - now).total_seconds()
