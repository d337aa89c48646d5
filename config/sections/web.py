"""[web]: the HTTP server."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from .base import PositiveSeconds, Section


class WebSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The HTTP server, of this machine only; its bounds protect from a faulty client."""

    TABLE: ClassVar[str] = "web"

    host: Annotated[
        str, Meta(pattern=r"^(127\.0\.0\.[0-9]{1,3}|::1)$", description="an address of this machine, as 127.0.0.1")
    ]
    """Loopback address to listen on: 127.0.0.1 or ::1."""

    port: Annotated[int, Meta(ge=0, le=65_535)]
    """0: any free one."""

    connections_max: Annotated[int, Meta(ge=1, le=4_096)]
    """Open connections, and so requests that are answered at the same time. For one more, the one idle for longest is
    closed; while all are being answered, it is refused."""

    head_bytes_max: Annotated[int, Meta(ge=1_024, le=1 << 20)]
    """Bytes of a request before its body."""

    body_bytes_max: Annotated[int, Meta(ge=1, le=1 << 28)]
    """Bytes of a request's body."""

    head_timeout_s: PositiveSeconds
    """How long a request may take up to its body."""

    body_timeout_s: PositiveSeconds
    """How long a body may take."""

    stall_s: PositiveSeconds
    """A connection that does not read its answer for this long is closed."""

    idle_s: PositiveSeconds
    """A connection without a request for this long is closed."""

    drain_s: PositiveSeconds
    """How long a stop waits for answers in progress."""
