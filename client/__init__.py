"""Whoever asks a running system from another process of the same user, and whoever has the database if none runs.

`connection.py` is `natya.connect`; `owner.py` is what is asked alike of a running system and of files of our own.
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
