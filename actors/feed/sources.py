"""The table of sources: a new one is one file in `bodies/` and one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ...config.sections.feed import FeedSettings
from .bodies.replay import replay
from .bodies.synthetic import synthetic
from .source import MarketSource, Surroundings

SourceFactory: TypeAlias = Callable[[FeedSettings, Surroundings], MarketSource]

SOURCES: dict[str, SourceFactory] = {"replay": replay, "synthetic": synthetic}
"""By the name in `feed.source`."""
