"""The newest lines of the log of a running system, for other processes."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

Level: TypeAlias = Literal["debug", "info", "warning", "error"]


class ReadLog(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadLog"):
    """To control: what has been logged last? Answered by `LogRead`."""

    level: Level = "info"
    """The lowest level of the lines."""

    lines_max: Annotated[int, Meta(ge=1, le=1_000)] = 100


class LogLine(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="LogLine"):
    """One line; secrets were taken out of it before it was written."""

    time: str
    """ISO 8601, in UTC."""

    level: str
    event: str
    actor: str = ""
    correlation_id: str = ""
    told: str = ""
    """Its fields and the last line of its traceback, shortened."""


class LogRead(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="LogRead"):
    """Answer to `ReadLog`: the oldest first."""

    lines: tuple[LogLine, ...]
    reason: str = ""
    """Why there are none, where there is no file to read."""
