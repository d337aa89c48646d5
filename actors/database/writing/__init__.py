"""Writes into open files: market data in batches, and the projection of the journal's facts.

Market file: `market.py` writes ticks once each and candles by their latest revision; `gathering.py` decides (purely)
which batch goes next. Core file: `read_model.py` projects journal records, the last sequence in the same transaction;
`journal_cursor.py` decides (purely) which records come next.
"""
