"""Clients of a running system in another process of the same user.

`connection.py` is `natya.connect`; `owner.py` has the queries that work alike on a running system and on its files,
`candles.py` and `missing.py` those for what candles there are, and which are not.
"""

from .candles import Series, series
from .connection import Connection, QueryFailedError, connect
from .missing import stored_missing
from .owner import DatabaseStat, Owner, ask, closed_days, rows_of, stat

__all__ = [
    "Connection",
    "DatabaseStat",
    "Owner",
    "QueryFailedError",
    "Series",
    "ask",
    "closed_days",
    "connect",
    "rows_of",
    "series",
    "stat",
    "stored_missing",
]
