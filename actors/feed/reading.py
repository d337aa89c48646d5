"""The process that reads recordings for `apart.Apart`: settings come in on standard input, frames go out.

Standard input stays open as long as the parent lives; when it closes, this process exits. A broken output pipe would
not do: a file may hold hours without a message, and then nothing is written.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import traceback
from typing import IO, TYPE_CHECKING, Final

import msgspec

from ...config.sections.feed import FeedSettings
from ...messages.framing import header_of, read_frame
from .apart import Broken, Chunk, Finished
from .errors import RecordingError
from .recording import open_recordings

if TYPE_CHECKING:
    from .apart import Frame

PARENT_LOOK_S: Final = 1.0
"""Seconds between two checks that the parent still lives."""

_encoder = msgspec.msgpack.Encoder()


def serve(settings: FeedSettings, stream: IO[bytes]) -> None:
    """Write the recording's messages in frames; the last frame says how it ended."""
    try:
        source = open_recordings(settings)
    except RecordingError as fault:
        _write(stream, Broken(str(fault.path), fault.line, fault.reason, 0, ()))
        return
    try:
        for chunk in source.chunks():
            _write(stream, Chunk(chunk, source.bad_rows, source.notes))
        _write(stream, Finished(source.bad_rows, source.notes))
    except RecordingError as fault:
        _write(stream, Broken(str(fault.path), fault.line, fault.reason, source.bad_rows, source.notes))
    except BrokenPipeError:
        raise
    # A bug of ours would repeat in the next reader: the market ends, and gives the reason.
    except Exception as fault:  # noqa: BLE001
        traceback.print_exc()
        reason = f"a recording that can be read is wanted, found {type(fault).__name__}: {fault}"
        _write(stream, Broken(settings.recordings[0], 0, reason, source.bad_rows, source.notes))


def _write(stream: IO[bytes], frame: Frame) -> None:
    body = _encoder.encode(frame)
    stream.write(header_of(len(body)))
    stream.write(body)
    stream.flush()


def _end_with(parent: int) -> None:
    """Exit this process when its parent ends.

    That closes our standard input, unless children that the parent forked hold it open; so its id is checked, too.
    """
    while os.getppid() == parent:
        readable, _, _ = select.select([0], [], [], PARENT_LOOK_S)
        if readable and not os.read(0, 1):
            break
    os._exit(1)


def main() -> None:
    """Serve standard input and output; exit without a traceback when the pipe is closed."""
    parent = os.getppid()
    stdin = sys.stdin.buffer
    settings = msgspec.msgpack.decode(read_frame(stdin) or b"", type=FeedSettings)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        serve(settings, sys.stdout.buffer)
    except BrokenPipeError:
        os._exit(1)  # nothing can be flushed: the interpreter would complain at its end


if __name__ == "__main__":
    main()
