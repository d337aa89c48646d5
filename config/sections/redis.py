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
    """Name of this system, different from all others at the server; empty: nothing is sent or received."""

    host: str
    port: Annotated[int, Meta(ge=1, le=65_535)]
    db: Annotated[int, Meta(ge=0, le=1_000_000)]
    user: str
    """User in the server's ACL; empty: the default user."""

    password: Secret
    tls: bool
    ca_file: str
    """File of certificates by which the server's, issued for the name in `host`, is checked, beside the machine's."""

    partitions: Annotated[int, Meta(ge=1, le=64)]
    """Number of streams, the same in all systems; the events of one aggregate are in one."""

    stream_max: Positive
    """Entries that a stream keeps, approximately."""

    receivers: tuple[str, ...]
    """Names of systems for which each event is kept until they have confirmed it, however long they are away."""

    allow_unsafe: bool
    """Accept a server that can lose what it has acknowledged."""
