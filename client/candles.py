"""Which candles the database has, and what it lacks of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ..domain.history import Hours, Missing
from .missing import stored_missing
from .owner import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from .owner import Owner

_SERIES: Final = """
with stored as (
    select symbol, interval_ns, min(start_ns) first_ns, max(start_ns) last_ns, count(*) candles from candles {where}
    group by symbol, interval_ns
), asked as (
    select symbol, interval_ns, min(start_ns) since_ns, max(end_ns) until_ns from fetches where end_ns > start_ns
    group by symbol, interval_ns
)
select stored.*, coalesce(since_ns, first_ns), coalesce(until_ns, 0)
from stored left join asked using (symbol, interval_ns)
order by symbol, interval_ns
"""


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """The candles of one symbol and length."""

    symbol: str
    interval_ns: int
    first_ns: int
    """Start of the first: nanoseconds since 1970-01-01 UTC."""

    last_ns: int
    """Start of the last."""

    candles: int
    missing: tuple[Missing, ...]
    """Between the first candle and the last, and in what was asked for of the broker's charts."""

    are_hours_known: bool
    """Whether it is known when the exchange trades: else nothing can be said to be missing."""


def series(
    owner: Owner,
    hours_of: Callable[[str], Hours],
    *,
    symbols: Sequence[str] = (),
    on_progress: Callable[[float], object] = lambda _share: None,
) -> Iterator[Series]:
    """List the candles that are stored, by symbol and length.

    Args:
        owner: of the database.
        hours_of: tells when a symbol trades.
        symbols: of which; empty for all.
        on_progress: called with the part done, from 0 to 1.

    Raises:
        DatabaseError, ControlError: the owner cannot answer.
    """
    where = f"where symbol in ({', '.join('?' for _ in symbols)})" if symbols else ""
    rows = rows_of(owner, _SERIES.format(where=where), list(symbols))
    for number, (symbol, interval_ns, first_ns, last_ns, candles, *asked) in enumerate(rows, start=1):
        hours = hours_of(symbol)
        bounds = min(first_ns, asked[0]), max(last_ns + interval_ns, asked[1])
        yield Series(
            symbol=symbol,
            interval_ns=interval_ns,
            first_ns=first_ns,
            last_ns=last_ns,
            candles=candles,
            missing=stored_missing(owner, symbol, interval_ns, hours, bounds),
            are_hours_known=hours.are_known,
        )
        on_progress(number / len(rows))
