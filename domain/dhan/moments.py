"""Times and days as Dhan writes them: on the clock of the Indian exchanges, without saying so.

A `Moment` is that clock's face, a datetime without a zone, because that is all the text says, and because a thousand
rows of them are read in C. `time_ns` turns it into natya's time, nanoseconds since 1970-01-01 UTC; `moment_of` back.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Final, TypeAlias

from ..time import IST, IST_OFFSET_NS, SECOND_NS

Moment: TypeAlias = Annotated[datetime | None, "moment"]
"""A time on the clock of the Indian exchanges, without a zone; None: there is none."""

Day: TypeAlias = Annotated[date | None, "day"]
"""A date; None: there is none."""

TEXT_MAX: Final = 80
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001  the face of a clock
_FORMS: Final = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y")
_DAY_FORMS: Final = ("%b %d, %Y", "%d/%m/%Y", "%d-%m-%Y", "%d %b %Y")


def moment(found: Any) -> datetime | None:
    """Read a time, with or without a zone; None if it is none."""
    if not isinstance(found, str) or len(found) > TEXT_MAX:
        return None
    text = found.strip()
    try:
        read = datetime.fromisoformat(text)
        return read.astimezone(IST).replace(tzinfo=None) if read.tzinfo else read
    except (ValueError, OverflowError):
        return _of_forms(text, _FORMS)


def day(found: Any) -> date | None:
    """Read a day; None if it is none."""
    if not isinstance(found, str) or len(found) > TEXT_MAX:
        return None
    read = moment(found) or _of_forms(found.strip(), _DAY_FORMS)
    return None if read is None else read.date()


def time_ns(moment: datetime | None) -> int | None:
    """Return a time on the exchanges' clock as nanoseconds since 1970-01-01 UTC; None stays None."""
    if moment is None:
        return None
    since = moment - _EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND_NS + since.microseconds * 1_000 - IST_OFFSET_NS


def moment_of(time_ns: int) -> datetime:
    """Return what the exchanges' clock shows at a time, to the microsecond."""
    return _EPOCH + timedelta(microseconds=(time_ns + IST_OFFSET_NS) // 1_000)


def _of_forms(text: str, forms: tuple[str, ...]) -> datetime | None:
    for form in forms:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007  the face of a clock
        except ValueError:
            continue
    return None
