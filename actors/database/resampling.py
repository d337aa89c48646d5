"""Candles of any length: those that are stored, else made of shorter ones, else of ticks.

Within a day candles are counted from the opening, 09:15 in India: the hours begin at 09:15, 10:15, … as the exchange's
own charts show them, and none goes on beyond midnight. Longer ones are whole days from midnight; weeks begin on Monday.
What a candle holds does not depend on the range that is asked for.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from ...domain.time import DAY_NS, IST_OFFSET_NS, SECOND_NS

if TYPE_CHECKING:
    from ...messages.database import SqlValue

NSE_OPENING = dt.time(9, 15)
"""When the session of NSE and BSE begins, on their own clock."""

RESAMPLED = "resampled"
"""Source of a candle that was made here."""

_SYMBOL, _START, _END, _LENGTH, _FIRST = (f"${number}" for number in range(1, 6))
"""The places of `candle_parameters`. The first candle of a day begins `_FIRST` after its midnight."""

_LAST_NS = 2**62
"""In the year 2116; from there on sums would not fit."""

_MONDAY_NS = 3 * DAY_NS
"""From a Monday (1969-12-29) to 1970-01-01."""


def _day_of(moment: str) -> str:
    """Write where the exchange's day of a moment begins."""
    return f"(({moment} + {IST_OFFSET_NS}) // {DAY_NS} * {DAY_NS} - {IST_OFFSET_NS})"


def _begin_of(moment: str) -> str:
    """Write where the candle of a moment begins."""
    day = _day_of(moment)
    from_monday = f"({moment} + {IST_OFFSET_NS + _MONDAY_NS})"
    return f"""case
        when {_LENGTH} >= {DAY_NS} then {from_monday} // {_LENGTH} * {_LENGTH} - {IST_OFFSET_NS + _MONDAY_NS}
        when {moment} - {day} < {_FIRST} then {day}
        else {day} + {_FIRST} + ({moment} - {day} - {_FIRST}) // {_LENGTH} * {_LENGTH} end"""


_OF_CANDLES = f"where symbol = {_SYMBOL} and start_ns >= {_START} and start_ns < {_END}"
_IN_RANGE = f"begin_ns >= {_START} and begin_ns < {_END}"
_CLEAR = (
    f"not exists (from exact where exact.start_ns > begin_ns - {_LENGTH} and exact.start_ns < begin_ns + {_LENGTH})"
)

# Traded since the tick before: the day's volume tells, where the source says it. It begins anew each day, and what the
# first tick of a day adds is its own quantity, since the source may have been joined late.
CANDLES = f"""
with exact as (
    select start_ns, open, high, low, close, volume, source from candles {_OF_CANDLES} and interval_ns = {_LENGTH}
),
shorter as (
    select *, {_begin_of("start_ns")} as begin_ns from candles
    {_OF_CANDLES} + {_LENGTH} and interval_ns < {_LENGTH} and {_LENGTH} % interval_ns = 0
),
longest as (
    from shorter where start_ns + interval_ns <= begin_ns + {_LENGTH} and {_IN_RANGE} and {_CLEAR}
    qualify interval_ns = max(interval_ns) over (partition by begin_ns)
),
of_candles as (
    select begin_ns, arg_min(open, start_ns) as open, max(high) as high, min(low) as low,
        arg_max(close, start_ns) as close, sum(volume)::bigint as volume
    from longest group by begin_ns
),
traded as (
    select exchange_ns, sequence, price, {_begin_of("exchange_ns")} as begin_ns,
        case when volume = 0 then quantity
            else greatest(0, volume - coalesce(max(volume) over before, volume - quantity)) end as shares
    from all_ticks where symbol = {_SYMBOL} and exchange_ns >= {_day_of(_START)} and exchange_ns < {_END} + {_LENGTH}
    window before as (
        partition by source, {_day_of("exchange_ns")} order by exchange_ns, sequence
        rows between unbounded preceding and 1 preceding
    )
),
of_ticks as (
    select begin_ns, arg_min(price, (exchange_ns, sequence)) as open, max(price) as high, min(price) as low,
        arg_max(price, (exchange_ns, sequence)) as close, sum(shares)::bigint as volume
    from traded where {_IN_RANGE} and {_CLEAR} and begin_ns not in (select begin_ns from of_candles) group by begin_ns
)
from exact
union all select *, '{RESAMPLED}' from of_candles
union all select *, '{RESAMPLED}' from of_ticks
order by start_ns
"""  # noqa: S608  our own text


def candle_parameters(symbol: str, *, length_ns: int, start_ns: int, end_ns: int, opening: dt.time) -> list[SqlValue]:
    """Give the values for `CANDLES`.

    Raises:
        ValueError: the length is above a day and no whole number of days.
    """
    if length_ns > DAY_NS and length_ns % DAY_NS:
        raise ValueError(f"an interval above a day must be whole days, was {length_ns} ns")
    opening_ns = ((opening.hour * 60 + opening.minute) * 60 + opening.second) * SECOND_NS + opening.microsecond * 1000
    start_ns, end_ns = (max(0, min(moment, _LAST_NS)) for moment in (start_ns, end_ns))
    return [symbol, start_ns, end_ns, length_ns, opening_ns % length_ns]
