"""The newest lines of a log file, read from its end (blocking)."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...domain.shown import shortened
from ...messages.log import LogLine, LogRead
from .log import LEVELS

if TYPE_CHECKING:
    from pathlib import Path

READ_BYTES_MAX: Final = 1024 * 1024
"""So far back it is looked; lines of a lower level are among them."""

TOLD_MAX: Final = 500
"""Characters of what a line tells beside its event."""


class _Written(msgspec.Struct, frozen=True):
    time: str
    level: str
    event: str
    actor: str = ""
    correlation_id: str = ""
    fields: Any = None
    error: str = ""


_DECODER: Final = msgspec.json.Decoder(_Written)


def newest_lines(path: Path, *, level: str, lines_max: int) -> LogRead:
    """Return the newest lines of this level or above; of a file that has just been rotated there are few.

    A line that is none of ours, or only half there, is left out.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as fault:
        return LogRead(lines=(), reason=f"{path}: {fault.strerror}")
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return LogRead(lines=(), reason=f"{path}: a file wanted, found something else")
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - READ_BYTES_MAX))
        written = file.read(READ_BYTES_MAX).split(b"\n")
    found: list[LogLine] = []
    for text in reversed(written):
        line = _read(text)
        if line is not None and LEVELS.get(line.level, LEVELS["error"]) >= LEVELS[level]:
            found.append(line)
            if len(found) == lines_max:
                break
    return LogRead(lines=tuple(reversed(found)))


def _read(text: bytes) -> LogLine | None:
    try:
        line = _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    fields = line.fields if isinstance(line.fields, dict) else {}
    parts = [f"{name}={value}" for name, value in fields.items()]
    parts += line.error.splitlines()[-1:]
    return LogLine(
        time=line.time,
        level=line.level,
        event=line.event,
        actor=line.actor,
        correlation_id=line.correlation_id,
        told=shortened(" ".join(parts), TOLD_MAX),
    )
