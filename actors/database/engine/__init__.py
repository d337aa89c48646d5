"""DuckDB itself: two files opened as one instance, locked, hardened, migrated, and lent connection by connection.

Start with `adapter.py`. Opening: `paths.py` (where the files are), `lock.py` (one owner), `opening.py` (attach, close
every door, give DuckDB's errors types), `strangers.py` (files that are none of ours), `witness.py` (a market file that
went back in time), `foreign_writes.py` (another process writes to our files). Running: `pool.py` lends a
`connection.py`, which has a thread of its own (`own_thread.py`) and is interrupted when the process grows too far
(`memory.py`); `transaction.py` is several statements, all or none.
"""
