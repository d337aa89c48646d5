"""Files as tables of texts, whoever wrote them and however they are packed.

opening.py      which kind a file is
table.py        what all kinds have in common
packing.py      gzip, zip and Zstandard; text.py, encodings and dividers
csv_table.py    lines of text; json_table.py, answers of brokers; database_table.py, Parquet
frames.py       the two lines of names of yfinance
layouts.py      whose file it is, a line each; arranged.py, its columns as the readers know them
folders.py      the files of a folder
sorting.py      an external merge sort of rows
"""
