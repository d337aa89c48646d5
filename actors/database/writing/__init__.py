"""What is written into files that are open: market data in batches, and what the journal's facts add up to.

Market file: `market.py` writes ticks once each and candles by their latest revision; `gathering.py` decides (purely)
which batch goes next. Core file: `read_model.py` projects journal records, the last sequence in the same transaction;
`journal_cursor.py` decides (purely) which records come next.
"""
