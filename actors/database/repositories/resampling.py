"""Candles of any length: stored ones, else resampled from shorter candles, and from ticks where there are none.

Within a day candles are counted from the opening of its session, 09:15 in India on most days: the hours begin at 09:15,
10:15, … as the exchange's own charts show them, and none extends beyond midnight. Longer ones are whole days from
midnight; weeks begin on Monday. A candle's values do not depend on the range that is asked for.
"""

from __future__ import annotations

import datetime as dt
import functools
import re
from typing import TYPE_CHECKING

from ....domain.calendar import unusual_openings
from ....domain.candles import OPENING_NS
from ....domain.time import DAY_NS, IST_OFFSET_NS, SECOND_NS, day_start_ns

if TYPE_CHECKING:
    from ....messages.database import SqlValue

RESAMPLED = "resampled"
"""Source of a candle that was made here."""

_SYMBOL, _START, _END, _LENGTH, _FIRST = (f"${number}" for number in range(1, 6))
"""The places of `candle_parameters`. The first candle of a day begins `_FIRST` after its midnight."""

_FIRST_OF = re.compile("«(.*?)»")

_LAST_NS = 2**62
"""In the year 2116; from there on sums would not fit."""

_MONDAY_NS = 3 * DAY_NS
"""From a Monday (1969-12-29) to 1970-01-01."""


def _day_of(moment: str) -> str:
    """Return the SQL for the start of the exchange's day of a moment."""
    return f"(({moment} + {IST_OFFSET_NS}) // {DAY_NS} * {DAY_NS} - {IST_OFFSET_NS})"


def _begin_of(moment: str) -> str:
    """Return the SQL for the start of the candle of a moment; `«day»` is when the first candle of that day begins."""
    day = _day_of(moment)
    from_monday = f"({moment} + {IST_OFFSET_NS + _MONDAY_NS})"
    return f"""case
        when {_LENGTH} >= {DAY_NS} then {from_monday} // {_LENGTH} * {_LENGTH} - {IST_OFFSET_NS + _MONDAY_NS}
        when {moment} - {day} < «{day}» then {day}
        else {day} + «{day}» + ({moment} - {day} - «{day}») // {_LENGTH} * {_LENGTH} end"""


COVERED_S = 300
"""The largest gap between two ticks of a source that counts as covered by it."""

_SPAN = f"{_day_of(_START)}", f"({_END} + {_LENGTH})"
"""The range that is read: the first candle of a day needs all trades since midnight."""

_IN_RANGE = f"begin_ns >= {_START} and begin_ns < {_END}"
_CLEAR = (
    f"not exists (from exact where exact.start_ns > begin_ns - {_LENGTH} and exact.start_ns < begin_ns + {_LENGTH})"
)

_STORED = f"""
exact as (
    select start_ns, start_ns + interval_ns as end_ns, open, high, low, close, volume, source from candles
    where symbol = {_SYMBOL} and start_ns > {_SPAN[0]} - {_LENGTH} and start_ns < {_SPAN[1]} and interval_ns = {_LENGTH}
),
shorter as (
    select *, start_ns + interval_ns as end_ns, {_begin_of("start_ns")} as begin_ns from candles
    where symbol = {_SYMBOL} and start_ns >= {_SPAN[0]} and start_ns < {_SPAN[1]} and interval_ns < {_LENGTH}
),
fitting as (from shorter where {_begin_of("end_ns - 1")} = begin_ns and {_CLEAR})"""  # noqa: S608  our own text

_PARTS_IN_STEP = "parts as (from fitting)"

# Candles that overlap are an island. One length counts on it: the one that covers most, of these the finest; each of
# its candles once, whatever else begins between them.
_PARTS_OF_ISLANDS = """
edges as (
    select *, start_ns >= coalesce(max(end_ns) over before, 0) as is_edge from fitting
    window before as (order by start_ns, interval_ns desc rows between unbounded preceding and 1 preceding)
),
islands as (
    select *, sum(is_edge::int) over (order by start_ns, interval_ns desc rows unbounded preceding) as island
    from edges
),
firsts as (select island, interval_ns, min(start_ns) as first_ns from islands group by all),
apart as (
    from islands join firsts using (island, interval_ns) where (start_ns - first_ns) % interval_ns = 0
),
covering as (select island, interval_ns, sum(interval_ns)::bigint as covered from apart group by all),
best as (select island, arg_min(interval_ns, (-covered, interval_ns)) as interval_ns from covering group by island),
parts as (select apart.* from apart join best using (island, interval_ns))"""

_COVERS = """
covers as (
    select start_ns, max(end_ns) over so_far as end_ns, sum(volume) over so_far as told
    from (select start_ns, end_ns, volume from parts union all select start_ns, end_ns, volume from exact)
    window so_far as (order by start_ns rows unbounded preceding)
)"""

# Volume since the previous tick: the difference of the day's volumes, where the source gives them, less the volume of
# candles in between. It starts from 0 each day, and the first tick of a day adds only its own quantity, since recording
# may have begun late.
_FREE = "select *, 0 as told from heard"
_FREE_OF_CANDLES = """
    select heard.*, coalesce(covers.told, 0) as told
    from heard asof left join covers on heard.exchange_ns >= covers.start_ns
    where covers.end_ns is null or heard.exchange_ns >= covers.end_ns
"""
_SHARES = f"""
heard as (
    select source, sequence, exchange_ns, price, quantity, volume, {_day_of("exchange_ns")} as day from all_ticks
    where symbol = {_SYMBOL} and exchange_ns >= {_SPAN[0]} and exchange_ns < {_SPAN[1]}
),
free as ({{free}}),
shares as (
    select source, sequence, exchange_ns, price, quantity, day, case when volume = 0 then quantity else
        greatest(0, volume - told - coalesce(max(volume - told) over before, volume - told - quantity)) end as shares
    from free window before as (
        partition by source, day order by exchange_ns, sequence rows between unbounded preceding and 1 preceding
    )
)"""  # noqa: S608  our own text

# Where sources overlap, one counts: of a day the one with most ticks, as far as it covers the day, then the next. The
# first tick of a source after a change of source adds only its own quantity, as at the beginning of a day.
_OF_SEVERAL_SOURCES = f"""
sources as (select day, source, count(*) as ticks from heard group by all),
ranked as (
    select day, source, row_number() over (partition by day order by ticks desc, source) as place from sources
),
placed as (
    select shares.*, place,
        exchange_ns - coalesce(lag(exchange_ns) over before, 0) > {COVERED_S * SECOND_NS} as is_start
    from shares join ranked using (day, source)
    window before as (partition by source, day order by exchange_ns, sequence)
),
stretches as (
    select day, place, min(exchange_ns) as first_ns, max(exchange_ns) as last_ns from (
        select day, place, exchange_ns, sum(is_start::int)
            over (partition by source, day order by exchange_ns, sequence rows unbounded preceding) as stretch
        from placed
    ) group by day, place, stretch
),
counted as (
    select *,
        is_start and lag(source) over (partition by day order by exchange_ns, place, sequence) <> source as is_joined
    from placed where not exists (
        from stretches where stretches.day = placed.day and stretches.place < placed.place
            and placed.exchange_ns between first_ns and last_ns
    )
),
traded as (
    select exchange_ns, sequence, price, case when is_joined then least(shares, quantity) else shares end as shares
    from counted
)"""  # noqa: S608  our own text


_OF_ONE_SOURCE = "traded as (from shares)"

NONE, ALIKE, SEVERAL = range(3)
"""Counts of tick sources and of candle lengths: only where there are several is the longer query needed."""

LOOK = f"""
select
    (select coalesce(1 + (min(source) <> max(source))::int, 0) from all_ticks
        where symbol = {_SYMBOL} and exchange_ns >= {_SPAN[0]} and exchange_ns < {_SPAN[1]}) as sources,
    (select coalesce(1 + (
            min(interval_ns) <> max(interval_ns) or min(start_ns % interval_ns) <> max(start_ns % interval_ns)
        )::int, 0)
        from candles where symbol = {_SYMBOL} and start_ns > {_SPAN[0]} - {_LENGTH} and start_ns < {_SPAN[1]}
            and interval_ns <= {_LENGTH}) as candles
where {_FIRST} is not null
"""  # noqa: S608  our own text
"""Query for what there is in the range; answers `sources` and `candles`, the arguments of `candles_sql`."""


@functools.lru_cache(maxsize=256)
def candles_sql(*, candles: int, sources: int, firsts: tuple[tuple[int, int], ...] = ()) -> str:
    """Return the query for what `LOOK` found; it answers start, prices, volume and source, in order of time.

    Args:
        candles: as found.
        sources: as found.
        firsts: of days whose first candle begins at another time than on most.
    """
    # Each text names all parameters.
    tables, made, answers = [f"asked as (select {_SYMBOL}, {_START}, {_END}, {_LENGTH}, {_FIRST})"], [], []
    if candles != NONE:
        tables += [_STORED, _PARTS_OF_ISLANDS if candles == SEVERAL else _PARTS_IN_STEP, _COVERS]
        made.append(
            "select begin_ns, start_ns as at_ns, 0 as sequence, open, high, low, close, volume "  # noqa: S608  our own text
            "from parts "
            f"where {_IN_RANGE}"
        )
        answers.append(
            "select start_ns, open, high, low, close, volume, source from exact "  # noqa: S608  our own text
            f"where start_ns >= {_START} and start_ns < {_END}"
        )
    if sources != NONE or candles == NONE:
        tables.append(_SHARES.format(free=_FREE if candles == NONE else _FREE_OF_CANDLES))
        tables.append(_OF_SEVERAL_SOURCES if sources == SEVERAL else _OF_ONE_SOURCE)
        made.append(
            f"select {_begin_of('exchange_ns')} as begin_ns, exchange_ns as at_ns, sequence, "  # noqa: S608  our own text
            "price as open, price as high, price as low, price as close, shares as volume from traded "
            f"where {_IN_RANGE}" + (f" and {_CLEAR}" if candles != NONE else "")
        )
    answers.append(f"""
        select begin_ns as start_ns, arg_min(open, (at_ns, sequence)) as open, max(high) as high, min(low) as low,
            arg_max(close, (at_ns, sequence)) as close, sum(volume)::bigint as volume, '{RESAMPLED}' as source
        from ({" union all ".join(made)}) group by begin_ns
    """)  # noqa: S608  our own text
    whens = " ".join(f"when {day_ns} then {first_ns}" for day_ns, first_ns in firsts)
    first = rf"(case \1 {whens} else {_FIRST} end)" if firsts else _FIRST
    return _FIRST_OF.sub(first, f"with {', '.join(tables)} {' union all '.join(answers)} order by start_ns")


def unusual_firsts(start_ns: int, end_ns: int, *, length_ns: int) -> tuple[tuple[int, int], ...]:
    """Return the days of a range (as they begin) whose first candle begins at another time than on most; and when.

    In nanoseconds after their midnight. Candles of days do not depend on it.
    """
    if length_ns >= DAY_NS:
        return ()
    days = ((day_start_ns(day), opening_ns % length_ns) for day, opening_ns in unusual_openings())
    usual_ns = OPENING_NS % length_ns
    return tuple(
        (day_ns, first_ns)
        for day_ns, first_ns in days
        if start_ns < day_ns + DAY_NS and day_ns < end_ns and first_ns != usual_ns
    )


def candle_parameters(
    symbol: str, *, length_ns: int, start_ns: int, end_ns: int, opening: dt.time | None = None
) -> list[SqlValue]:
    """Return the parameters of `LOOK` and of the query after it.

    Raises:
        ValueError: the length is above a day and no whole number of days.
    """
    if length_ns > DAY_NS and length_ns % DAY_NS:
        raise ValueError(f"an interval above a day must be whole days, was {length_ns} ns")
    opening_ns = OPENING_NS
    if opening is not None:
        opening_ns = ((opening.hour * 60 + opening.minute) * 60 + opening.second) * SECOND_NS
        opening_ns += opening.microsecond * 1000
    start_ns, end_ns = (max(0, min(moment, _LAST_NS)) for moment in (start_ns, end_ns))
    return [symbol, start_ns, end_ns, length_ns, opening_ns % length_ns]
