"""The process that reads recordings for `apart.Apart`: settings come in on standard input, frames go out.

Standard input stays open as long as the other process lives. Its end is ours, whatever we are reading just now: a file
may go on for hours without a message, and then nobody would notice by a broken pipe.
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
from .bodies.replay import open_recordings
from .errors import RecordingError

if TYPE_CHECKING:
    from .apart import Frame

PARENT_LOOK_S: Final = 1.0
"""Seconds between two looks at who started this process."""

_encoder = msgspec.msgpack.Encoder()


def serve(settings: FeedSettings, stream: IO[bytes]) -> None:
    """Write the recording's messages in frames, and how it ended in the last one."""
    source = open_recordings(settings)
    try:
        for chunk in source.chunks():
            _write(stream, Chunk(chunk, source.bad_rows, source.notes))
        _write(stream, Finished(source.bad_rows, source.notes))
    except RecordingError as fault:
        _write(stream, Broken(str(fault.path), fault.line, fault.reason, source.bad_rows, source.notes))
    except BrokenPipeError:
        raise
    # A mistake of ours would be made again by the next reader, and the next: the market ends, and says why.
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
    """End this process when the one that started it does.

    Its end closes our standard input; but where it has forked, its children hold that open. So its id counts, too.
    """
    while os.getppid() == parent:
        readable, _, _ = select.select([0], [], [], PARENT_LOOK_S)
        if readable and not os.read(0, 1):
            break
    os._exit(1)


def main() -> None:
    """Serve standard input and output; end quietly when nobody reads any more."""
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
