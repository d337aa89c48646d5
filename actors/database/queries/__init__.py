"""What SQL may run, how far it may grow, and which answers are kept.

`statements.py` takes one statement and fetches its rows; `reading.py` walks the syntax tree of a SELECT (`functions.py`
lists what it may call, `bounds.py` adds up how large it may grow); `cache.py` keeps answers until their tables change.
"""
