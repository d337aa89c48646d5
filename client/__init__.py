"""Clients of a running system in another process of the same user.

`connection.py` is `natya.connect`; `owner.py` has the queries that work alike on a running system and on its files.
"""

from .connection import Connection, QueryFailedError, connect
from .owner import EPOCH, DatabaseStat, Owner, ask, closed_days, rows_of, stat

__all__ = [
    "EPOCH",
    "Connection",
    "DatabaseStat",
    "Owner",
    "QueryFailedError",
    "ask",
    "closed_days",
    "connect",
    "rows_of",
    "stat",
]
