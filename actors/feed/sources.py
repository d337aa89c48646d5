"""The table of sources: a new one is one file in `bodies/` and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ...config.options import NoOptions, choose_body, decode_options
from ...config.sections.feed import FeedSettings
from .bodies.replay import replay
from .bodies.synthetic import synthetic
from .source import MarketSource, Surroundings

if TYPE_CHECKING:
    import msgspec

SourceFactory: TypeAlias = Callable[[FeedSettings, Any, Surroundings], MarketSource]
"""Of settings, options and surroundings, it makes the market; the options are of the type in the table."""


class SourceBody(NamedTuple):
    """How a source is made, and what it takes beyond the settings of every feed."""

    make: SourceFactory

    options: type[msgspec.Struct] = NoOptions
    """Struct of the options that only this source has (`feed.options`)."""


SOURCES: dict[str, SourceBody] = {"synthetic": SourceBody(synthetic), "replay": SourceBody(replay)}
"""By the name in `feed.source`."""


def source_of(settings: FeedSettings, origins: Mapping[str, str] | None = None) -> tuple[SourceFactory, msgspec.Struct]:
    """Return what makes the source that the settings name, and its options.

    Args:
        settings: of the feed.
        origins: where the values came from, by key, for the error.

    Raises:
        SettingsError: there is no such source, or it refuses its options.
    """
    given = origins or {}
    body: SourceBody = choose_body(SOURCES, settings.source, key="feed.source", origins=given)
    return body.make, decode_options(body.options, settings.options, key="feed.options", origins=given)
