"""A recording read in a process of its own.

Parsing a full packet takes as long as all actors together take to handle the tick; another core is free for it.
What comes back are frames of finished messages, a fifth of the cost. The reader ends with its pipe: when the recording
does, when it is closed, and when this process dies, however it dies.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, TypeAlias

import msgspec

from ...config.sections.feed import FeedSettings
from ...messages.framing import FrameCutError, framed, read_frame
from ...messages.market import Candle, Tick
from .errors import RecordingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...messages.market import MarketMessage

READER: Final = "natya.actors.feed.reader_process"
"""Module that the reading process runs."""

READER_DIED: Final = "the process that reads the recording ended in the middle of it"


class Chunk(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """From the reader: the next messages."""

    messages: list[Tick | Candle]
    bad_rows: int
    notes: tuple[str, ...]


class Finished(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """From the reader, its last frame: the recording has ended."""

    bad_rows: int
    notes: tuple[str, ...]


class Broken(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """From the reader, its last frame: the recording cannot be read further."""

    path: str
    line: int
    reason: str
    bad_rows: int
    notes: tuple[str, ...]


Frame: TypeAlias = Chunk | Finished | Broken

_decoder: Final[msgspec.msgpack.Decoder[Frame]] = msgspec.msgpack.Decoder(Frame)


class ReaderDiedError(Exception):
    """The reading process died. The recording is not at fault: start again after the last message received."""


class Framed:
    """The recordings that the settings name, as `reading.serve` writes them into a stream."""

    def __init__(self, settings: FeedSettings) -> None:
        """Open nothing yet."""
        self.bad_rows = 0
        self.notes: tuple[str, ...] = ()
        self._settings: Final = settings

    def chunks_of(self, stream: IO[bytes]) -> Iterator[list[MarketMessage]]:
        """Yield what is written there, in chunks.

        Raises:
            RecordingError: the recording is missing or broken; all before that was yielded.
            ReaderDiedError: the stream ends before the recording does.
        """
        while isinstance(frame := self._next_frame(stream), Chunk):
            yield frame.messages
        if isinstance(frame, Broken):
            raise RecordingError(Path(frame.path), frame.line, frame.reason)

    def _next_frame(self, stream: IO[bytes]) -> Frame:
        try:
            body = read_frame(stream)
        except FrameCutError as fault:
            raise ReaderDiedError(READER_DIED) from fault
        if body is None:
            raise ReaderDiedError(READER_DIED)
        try:
            frame: Frame = _decoder.decode(body)
        except msgspec.ValidationError as fault:
            # The reader checks each row; a message that is out of range all the same would be so at each retry.
            path = Path(self._settings.recordings[0])
            raise RecordingError(path, 0, f"messages within their ranges are wanted, found {fault}") from fault
        self.bad_rows, self.notes = frame.bad_rows, frame.notes
        return frame


class Apart(Framed):
    """The recordings that the settings name, read in another process, as a `MarketSource`."""

    def __init__(self, settings: FeedSettings) -> None:
        """Start no process yet."""
        super().__init__(settings)
        self._process: subprocess.Popen[bytes] | None = None

    def chunks(self) -> Iterator[list[MarketMessage]]:
        """Start the reading process and yield what it reads, in chunks.

        Raises:
            RecordingError: the recording is missing or broken; all before that was yielded.
            ReaderDiedError: the process was killed.
        """
        # It gets no secrets, and no signal of our terminal: on Ctrl-C this process stops it in order.
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self._process = process = subprocess.Popen(  # noqa: S603  our own module
            [sys.executable, "-P", "-m", READER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )
        assert process.stdin is not None, "asked for"
        assert process.stdout is not None, "asked for"
        try:
            with contextlib.suppress(BrokenPipeError):
                settings = msgspec.msgpack.encode(self._settings)
                process.stdin.write(framed(settings))
                process.stdin.flush()  # and left open: the reader exits when it is closed
            yield from self.chunks_of(process.stdout)
        finally:
            self.close()
            process.stdout.close()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()

    def close(self) -> None:
        """End the reader; from any thread."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
