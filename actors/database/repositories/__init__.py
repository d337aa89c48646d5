"""What users construct: typed reads and writes of one table, in files of their own or with the system that runs.

`repository.py` is the base class; `market_data.py` (with `resampling.py`: candles of any length) and `books.py`
(orders, fills, positions, facts) are built on it. `stores.py` says where the data is; `sharing.py` opens a file once a
process.
"""
