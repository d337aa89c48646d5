"""The market of recordings: read in another process, a small one in this."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..apart import Apart
from ..here import Here, is_small

if TYPE_CHECKING:
    from ....config.options import NoOptions
    from ....config.sections.feed import FeedSettings
    from ..source import Surroundings


def replay(settings: FeedSettings, _options: NoOptions, _surroundings: Surroundings) -> Apart | Here:
    """Return the recordings that the settings name, read in a process of their own unless they are small."""
    return Here(settings) if is_small(settings) else Apart(settings)
