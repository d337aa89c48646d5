"""The process that reads a recording for `apart.Apart`: settings come in on standard input, frames go out."""

from __future__ import annotations

import os
import sys
from typing import IO, TYPE_CHECKING

import msgspec

from ...config.settings import FeedSettings
from .apart import LENGTH_BYTES, Broken, Chunk, Finished
from .bodies.replay import Recording
from .errors import RecordingError

if TYPE_CHECKING:
    from .apart import Frame

_encoder = msgspec.msgpack.Encoder()


def serve(settings: FeedSettings, stream: IO[bytes]) -> None:
    """Write the recording's messages in frames, and how it ended in the last one."""
    recording = Recording.of(settings)
    try:
        for chunk in recording.chunks():
            _write(stream, Chunk(chunk, recording.bad_rows))
        _write(stream, Finished(recording.bad_rows))
    except RecordingError as fault:
        _write(stream, Broken(str(fault.path), fault.line, fault.reason, recording.bad_rows))


def _write(stream: IO[bytes], frame: Frame) -> None:
    body = _encoder.encode(frame)
    stream.write(len(body).to_bytes(LENGTH_BYTES, "big"))
    stream.write(body)
    stream.flush()


def main() -> None:
    """Serve standard input and output; end quietly when nobody reads any more."""
    settings = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=FeedSettings)
    try:
        serve(settings, sys.stdout.buffer)
    except BrokenPipeError:
        os._exit(1)  # nothing can be flushed: the interpreter would complain at its end


if __name__ == "__main__":
    main()
