"""[redis]: the server by which integration events go from system to system; Redis or Valkey."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from ..secrets import Secret
from .base import Positive, Section


class RedisSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The server by which integration events go from system to system."""

    TABLE: ClassVar[str] = "redis"

    node: Annotated[str, Meta(max_length=100)]
    """What this system is called among those at the server, each by a name of its own; empty: nothing is exchanged."""

    host: str
    port: Annotated[int, Meta(ge=1, le=65_535)]
    db: Annotated[int, Meta(ge=0, le=1_000_000)]
    user: str
    """Of the server's ACL; empty: the default one."""

    password: Secret
    tls: bool
    ca_file: str
    """Certificates that the server's, which must be of the name of `host`, is checked against beside the machine's."""

    partitions: Annotated[int, Meta(ge=1, le=64)]
    """Streams; events of one aggregate are in one. The same at all systems."""

    stream_max: Positive
    """Entries that a stream keeps, about."""

    receivers: tuple[str, ...]
    """Nodes that every event is kept for until they have confirmed it, however long they are away."""

    allow_unsafe: bool
    """Use a server, too, that loses what it has acknowledged."""
