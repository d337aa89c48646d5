"""Reads the recordings that settings name into a stream of frames."""

from __future__ import annotations

import traceback
from typing import IO, TYPE_CHECKING

import msgspec

from ...messages.framing import header_of
from .apart import Broken, Chunk, Finished
from .errors import RecordingError
from .recording import open_recordings

if TYPE_CHECKING:
    from ...config.sections.feed import FeedSettings
    from .apart import Frame

_encoder = msgspec.msgpack.Encoder()


def serve(settings: FeedSettings, stream: IO[bytes]) -> None:
    """Write the recording's messages in frames; the last frame says how it ended."""
    try:
        source = open_recordings(settings)
    except RecordingError as fault:
        write_frame(stream, Broken(str(fault.path), fault.line, fault.reason, 0, ()))
        return
    try:
        for chunk in source.chunks():
            write_frame(stream, Chunk(chunk, source.bad_rows, source.notes))
        write_frame(stream, Finished(source.bad_rows, source.notes))
    except RecordingError as fault:
        write_frame(stream, Broken(str(fault.path), fault.line, fault.reason, source.bad_rows, source.notes))
    except BrokenPipeError:
        raise
    # A bug of ours would repeat in the next reader: the market ends, and gives the reason.
    except Exception as fault:  # noqa: BLE001
        traceback.print_exc()
        reason = f"a recording that can be read is wanted, found {type(fault).__name__}: {fault}"
        write_frame(stream, Broken(settings.recordings[0], 0, reason, source.bad_rows, source.notes))


def write_frame(stream: IO[bytes], frame: Frame) -> None:
    """Write one frame; it is out when this returns."""
    body = _encoder.encode(frame)
    stream.write(header_of(len(body)))
    stream.write(body)
    stream.flush()
