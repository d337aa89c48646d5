"""When a market opens: the first moment that anyone in it sees."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from .bodies.replay import Recording
from .errors import RecordingError
from .source import time_of

if TYPE_CHECKING:
    from ...config.settings import FeedSettings


def opening_ns(settings: FeedSettings, *, now_ns: int) -> int:
    """Return the time of a recording's first message, or now for a market that is made up: nanoseconds since 1970 UTC.

    A recording without a message that can be read opens now, too: the feed says what is wrong with it.
    """
    if settings.source == "replay":
        chunks = Recording.of(settings).chunks()
        with contextlib.closing(chunks), contextlib.suppress(RecordingError):
            return next((time_of(chunk[0]) for chunk in chunks), now_ns)
    return now_ns
