"""A file a command, with a function `command`; the table of `app.py` names it."""
