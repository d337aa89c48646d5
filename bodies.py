"""Settings are judged before anything starts: their numbers, and the options of broker and market data source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .actors.broker import broker_of
from .actors.feed import expect_source
from .config.errors import SettingsError
from .config.keys import SECTIONS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .config.settings import Settings


def expect_bodies(settings: Settings, origins: Mapping[str, str] | None = None) -> None:
    """Refuse numbers that are none, and let the broker and the source of market data check their own options.

    Args:
        settings: of the whole system.
        origins: where the values came from, by key, for the error.

    Raises:
        SettingsError: with everything that is refused, a line each.
    """
    problems = [problem for name in SECTIONS for problem in getattr(settings, name).problems()]
    for check in (lambda: broker_of(settings.broker, origins), lambda: expect_source(settings.feed, origins)):
        try:
            check()
        except SettingsError as fault:
            problems += fault.problems
    if problems:
        raise SettingsError(tuple(problems))
