"""What comes out of a database: answers of repositories, columns as frames, and files that are handed over.

`answers.py` is what a repository returns, `frames.py` turns columns into Arrow, pandas and polars. `handover.py` is the
private folder in which the owner leaves a file for its client; `rows_file.py` reads such a file with `forms.py` (how
each SQL type travels in Parquet), `parquet_table.py` reads any Parquet file row by row, both by the process's
`reading_engine.py`.
"""
