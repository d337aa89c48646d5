"""Errors of settings."""

from __future__ import annotations

from typing import Final


class SettingsError(Exception):
    """The settings are refused; `problems` lists everything that is wrong, one line each. Nothing was started.

    A line names the file, variable or flag, the key, what was wanted and what was found. It never shows a secret.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems: Final = problems
        super().__init__("\n".join(problems))
