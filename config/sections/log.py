"""[log]: logging."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from .base import Section


class LogSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Logging."""

    TABLE: ClassVar[str] = "log"
    RELOADABLE: ClassVar[frozenset[str]] = frozenset({"level"})

    level: Literal["debug", "info", "warning", "error"]

    path: str
    """A file of JSON lines; empty: `natya.log` in the data directory; `-` for standard error."""

    file_bytes_max: Annotated[int, Meta(ge=65_536, le=1 << 32)]
    """A file of this size is rotated."""

    files_max: Annotated[int, Meta(ge=2, le=1_000)]
    """Files kept, the current one included; the oldest is deleted."""
