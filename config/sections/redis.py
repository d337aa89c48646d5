"""[redis]: the server for a Redis transport of events; reserved, nothing connects to it yet."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from .base import Section


class RedisSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The server for a Redis transport of events; reserved, nothing connects to it yet."""

    TABLE: ClassVar[str] = "redis"

    host: str
    port: Annotated[int, Meta(ge=1, le=65_535)]
    db: Annotated[int, Meta(ge=0, le=1_000_000)]
