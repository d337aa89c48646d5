"""`natya broker login`: a new access token."""

from __future__ import annotations

from ...broker_session import ask_keeper, tell_token
from ...options import DataDirOption, JsonOption, ProfileNameOption


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "live", json: JsonOption = False) -> None:
    """Have the running system log in at its broker by PIN and one-time code; its present token becomes invalid.

    Attempts are two minutes apart: one that is too early is made when its time has come.
    """
    from ....messages.tokens import LogIn

    tell_token(ask_keeper(data_dir, profile, LogIn()), json=json)
