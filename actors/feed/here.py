"""A small recording, read in this process: in the time that another takes to start, 0.3 s of the processor.

All of it is read before its first message comes out, so no file is open meanwhile.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from .apart import Framed
from .errors import RecordingError
from .files.folders import files_of, named
from .files.opening import is_packed
from .files.table import open_regular
from .reading import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.sections.feed import FeedSettings
    from ...messages.market import MarketMessage

HERE_BYTES_MAX: Final = 1 << 18
"""Size of all files together up to which they are read here: 0.1 to 0.3 s."""


class Here(Framed):
    """The recordings that the settings name, as a `MarketSource`."""

    def chunks(self) -> Iterator[list[MarketMessage]]:
        """Read all, and yield it in chunks.

        Raises:
            RecordingError: the recording is missing or broken; all before that was yielded.
        """
        stream = io.BytesIO()
        serve(self._settings, stream)
        stream.seek(0)
        yield from self.chunks_of(stream)

    def close(self) -> None:
        """Nothing is open."""


def is_small(settings: FeedSettings) -> bool:
    """Tell whether the recordings are small; not if they are packed, which may hold anything, or cannot be opened."""
    left = HERE_BYTES_MAX
    try:
        for given in settings.recordings:
            for path in files_of(named(given)[1]):
                left -= path.stat().st_size
                if left < 0:
                    return False
                with open_regular(path) as file:
                    if is_packed(file):
                        return False
    except (OSError, ValueError, RecordingError):  # the reader says what is wrong
        return False
    return True
