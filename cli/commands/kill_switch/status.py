"""`natya kill-switch status`: whether it is on, and what the running system did of it."""

from __future__ import annotations

from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import tell_answer
from ...switching import status


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Show whether the kill switch is on, why, by whom, and the risk state of the running system."""
    found = status(data_dir, profile)
    tell_answer(found, found.in_words(), json=json)
