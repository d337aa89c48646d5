"""The tables of sources, simulated and live: a new one is one file in `bodies/` and one line here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ...config.errors import SettingsError
from ...config.options import NoOptions, choose_body, decode_options
from ...config.sections.feed import FeedSettings
from .bodies.dhan.settings import DhanFeedOptions
from .bodies.recorded import replay
from .bodies.synthetic import SyntheticOptions, synthetic
from .live_source import LiveSource, LiveSurroundings
from .source import MarketSource, Surroundings

if TYPE_CHECKING:
    import msgspec

LiveFactory: TypeAlias = Callable[[FeedSettings, Any, LiveSurroundings], LiveSource]
SourceFactory: TypeAlias = Callable[[FeedSettings, Any, Surroundings], MarketSource]
"""Of settings, options and surroundings, it makes the market; the options are of the type in the table."""


class SourceBody(NamedTuple):
    """How a source is made, and what it takes beyond the settings of every feed."""

    make: SourceFactory

    options: type[msgspec.Struct] = NoOptions
    """Struct of the options that only this source has (`feed.options`)."""


SOURCES: dict[str, SourceBody] = {"synthetic": SourceBody(synthetic, SyntheticOptions), "replay": SourceBody(replay)}
"""By the name in `feed.source`."""


class LiveBody(NamedTuple):
    """How a live source is made, and what it takes beyond the settings of every feed."""

    make: LiveFactory
    options: type[msgspec.Struct] = NoOptions
    """Struct of the options that only this source has (`feed.options`); may have `problem()`, which says what is wrong
    with them together."""


def _dhan(settings: FeedSettings, options: Any, surroundings: LiveSurroundings) -> LiveSource:
    from .bodies.dhan.stream import DhanStream  # noqa: PLC0415  the sockets are loaded where they are used

    return DhanStream(settings, options, surroundings)


LIVE_SOURCES: dict[str, LiveBody] = {"dhan": LiveBody(_dhan, DhanFeedOptions)}
"""By the name in `feed.source`."""


def is_live(settings: FeedSettings) -> bool:
    """Tell whether the market comes by itself, in the time of the world."""
    return settings.source in LIVE_SOURCES


def is_served_here(settings: FeedSettings) -> bool:
    """Tell whether a live market is that of an exchange on this machine.

    Raises:
        SettingsError: its source refuses its options.
    """
    if not is_live(settings):
        return False
    _, options = live_source_of(settings)
    return isinstance(options, DhanFeedOptions) and options.is_simulated


def expect_source(settings: FeedSettings, origins: Mapping[str, str] | None = None) -> None:
    """Let the source that the settings name check its options.

    Raises:
        SettingsError: there is no such source, or it refuses its options.
    """
    if is_live(settings):
        live_source_of(settings, origins)
    else:
        source_of(settings, origins)


def live_source_of(
    settings: FeedSettings, origins: Mapping[str, str] | None = None
) -> tuple[LiveFactory, msgspec.Struct]:
    """Return what makes the live source that the settings name, and its options.

    Raises:
        SettingsError: it refuses its options.
    """
    body = LIVE_SOURCES[settings.source]
    options = decode_options(body.options, settings.options, key="feed.options", origins=origins or {})
    problem = options.problem() if isinstance(options, DhanFeedOptions) else ""
    if problem:
        raise SettingsError((problem,))
    return body.make, options


def source_of(settings: FeedSettings, origins: Mapping[str, str] | None = None) -> tuple[SourceFactory, msgspec.Struct]:
    """Return what makes the source that the settings name, and its options.

    Args:
        settings: of the feed.
        origins: where the values came from, by key, for the error.

    Raises:
        SettingsError: there is no such source, or it refuses its options.
    """
    given = origins or {}
    known = {**SOURCES, **LIVE_SOURCES}  # only for the error: the live ones are asked for by another name
    choose_body(known, settings.source, key="feed.source", origins=given)
    body = SOURCES[settings.source]
    return body.make, decode_options(body.options, settings.options, key="feed.options", origins=given)
