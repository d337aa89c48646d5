"""Which candles the database lacks, though the exchange traded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..domain.history import Hours, Missing, missing
from .owner import rows_of

if TYPE_CHECKING:
    from .owner import Owner

_RUNS: Final = """
with marked as (
    select start_ns, start_ns - lag(start_ns) over (order by start_ns) is distinct from $2 as is_new
    from candles where symbol = $1 and interval_ns = $2 and start_ns >= $3 and start_ns < $4
),
numbered as (select start_ns, sum(is_new::int) over (order by start_ns rows unbounded preceding) as run from marked)
select min(start_ns) as first_ns, max(start_ns) as last_ns from numbered group by run order by first_ns
"""


def stored_missing(
    owner: Owner, symbol: str, interval_ns: int, hours: Hours, bounds: tuple[int, int]
) -> tuple[Missing, ...]:
    """List the candles that are not stored, between two times."""
    runs = rows_of(owner, _RUNS, [symbol, interval_ns, *bounds])
    return missing(runs, interval_ns, hours, since_ns=bounds[0], until_ns=bounds[1])
