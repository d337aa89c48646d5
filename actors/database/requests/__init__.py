"""How the database actor handles its messages, one part a file; `own_files.py` does the same without a system.

`files.py` opens the files again while they are down. `recorder.py` writes market data, `projector.py` the journal's
facts. `answerer.py` serves clients: requests wait in `pending.py` and are carried out by `handler.py`.
"""
