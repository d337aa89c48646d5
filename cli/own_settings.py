"""The settings file where none is named: `natya.toml` in the working directory, as `natya init` makes it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from ..config.errors import SettingsError

NAME: Final = "natya.toml"


def own_settings(named: Path | None = None) -> Path | None:
    """Return the file that was named, else the one of the working directory; None: there is none.

    A settings file names code to run, so one that belongs to another user is used only if it is named.

    Raises:
        SettingsError: it belongs to another user.
    """
    if named is not None:
        return named
    found = Path(NAME).absolute()
    try:
        owner = found.stat().st_uid
    except OSError:  # there is none, or the working directory is gone or not readable
        return None
    if owner not in {os.geteuid(), 0}:
        raise SettingsError(
            (f"{found}: a file of this user's wanted, found one of user {owner}: name it, if you trust it: --config",)
        )
    return found
