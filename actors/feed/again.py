"""Recordings that one process plays over and over, as a worker of a sweep does: from memory, once they were read twice.

What is kept are the frames that another process would have sent: finished messages, at a third of the time of their
rows. Each play has messages of its own. Who plays a recording once pays nothing for that, nor does anybody whose
recordings are too large to be kept.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import msgspec

from .apart import Chunk, Finished, Framed
from .files.folders import files_of, named
from .first_look import version_of
from .reading import write_frame
from .recording import open_recordings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from ...config.sections.feed import FeedSettings
    from ...messages.market import MarketMessage

    Reading: TypeAlias = tuple[bytes, tuple[tuple[int, int, int], ...]]
    """The settings, and each file as it was."""


FRAMES_BYTES_MAX: Final = 1 << 25
"""Frames that are kept: of some 80,000 candles with their ticks."""

TOO_LARGE: Final = b""


class _Newest:
    """The recordings that this process read to their end last, and their frames if it did so twice."""

    def __init__(self) -> None:
        self.known: tuple[Reading | None, bytes | None] = None, None
        """Both at once, since backtests may be played on several threads."""


_newest: Final = _Newest()


class Again(Framed):
    """The recordings that the settings name, read here, as a `MarketSource`."""

    def chunks(self) -> Iterator[list[MarketMessage]]:
        """Yield what is in memory, else what is read.

        Raises:
            RecordingError: a recording is missing or broken; all before that was yielded.
        """
        reading = _reading_of(self._settings)
        known, frames = _newest.known
        is_known = reading is not None and known == reading
        if is_known and frames:
            yield from self.chunks_of(io.BytesIO(frames))
            return
        written = io.BytesIO() if is_known and frames != TOO_LARGE else None
        source = open_recordings(self._settings)
        for chunk in source.chunks():
            self.bad_rows, self.notes = source.bad_rows, source.notes
            if written is not None:
                write_frame(written, Chunk(chunk, source.bad_rows, source.notes))
                if written.tell() > FRAMES_BYTES_MAX:
                    written, frames = None, TOO_LARGE
            yield chunk
        self.bad_rows, self.notes = source.bad_rows, source.notes
        if written is not None:
            write_frame(written, Finished(source.bad_rows, source.notes))
            frames = written.getvalue()
        if _reading_of(self._settings) == reading:
            _newest.known = reading, frames if is_known else None

    def close(self) -> None:
        """Release nothing: a file is open only while its chunks are read."""


def _reading_of(settings: FeedSettings) -> Reading | None:
    """Return what another play has to have in common to have the same messages; None: a file cannot be looked at."""
    try:
        versions = tuple(version_of(path) for given in settings.recordings for path in files_of(named(given)[1]))
    except OSError:
        return None
    return msgspec.msgpack.encode(settings), versions
