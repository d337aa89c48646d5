"""What the two files hold: their schema, and how messages become rows and rows become messages again.

Every function takes an open cursor; none opens a file.

Schema      `schema/` is what a new file has; `migrations.py` brings older ones there by the numbered SQL files of
            `migrations/`.
Market      `ticks.py` packs ticks and candles into columns, `tick_rows.py` reads ticks back; `archive_folder.py` knows
            the archived days (Parquet files that the views of the market file read).
Core        `projection.py` folds journaled facts into orders and fills (pure), `projecting.py` writes them.
Shared      `columns.py` (arrays into a table at speed), `sql_text.py` (quoting), `moments.py` (times as people write
            them).
"""
