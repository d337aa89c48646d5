"""The commands, one file each, with a function `command`; the table in `app.py` lists them."""
