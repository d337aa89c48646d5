"""Which broker and source of market data the settings name: each checks its own options before anything starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .actors.broker import broker_of
from .actors.feed import expect_source
from .config.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .config.settings import Settings


def expect_bodies(settings: Settings, origins: Mapping[str, str] | None = None) -> None:
    """Let the broker and the source of market data that the settings name check their own options.

    Args:
        settings: of the whole system.
        origins: where the values came from, by key, for the error.

    Raises:
        SettingsError: with everything that they refuse, a line each.
    """
    problems: list[str] = []
    for check in (lambda: broker_of(settings.broker, origins), lambda: expect_source(settings.feed, origins)):
        try:
            check()
        except SettingsError as fault:
            problems += fault.problems
    if problems:
        raise SettingsError(tuple(problems))
