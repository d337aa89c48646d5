"""Which SQL may run, how much memory it may take, and which answers are cached.

`statements.py` takes one statement and fetches its rows; `reading.py` walks the syntax tree of a SELECT (`functions.py`
lists what it may call, `bounds.py` adds up how large it may grow); `cache.py` keeps answers until their tables change.
"""
