"""[control]: the socket for requests of other processes of this user, and the same over HTTP."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from .base import Positive, PositiveSeconds, Section


class ControlSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The control socket, for requests of other processes of this user; its bounds protect from a faulty client."""

    TABLE: ClassVar[str] = "control"

    enabled: bool
    """Whether the socket is opened."""

    http: bool
    """Whether the operations are also served over HTTP, on this machine, with the token in the file `control.token`."""

    http_port: Annotated[int, Meta(ge=0, le=65_535)]
    """0: any free one."""

    http_role: Literal["read", "operate", "trade"]
    """What the token allows: to look; also maintenance, and what makes the system trade less; also to send orders."""

    connections_max: Annotated[int, Meta(ge=1, le=1_024)]
    """Open connections; one more is refused and closed."""

    in_flight_max: Annotated[int, Meta(ge=1, le=1_024)]
    """Pending requests of one connection; one more is refused."""

    ask_bytes_max: Annotated[int, Meta(ge=1_024, le=1 << 24)]
    """A longer request is refused unread, and the connection closed."""

    unsent_bytes_max: Annotated[int, Meta(ge=1 << 20, le=1 << 28)]
    """Bytes of unread answers at which a connection is closed."""

    timeout_max_s: PositiveSeconds
    """The longest timeout of a request, such as a backup's. A client that disconnects ends its requests."""

    stall_s: PositiveSeconds
    """A connection that stops for so long in the middle of a request, or of reading an answer, is closed."""

    idle_s: PositiveSeconds
    """A connection without a request for so long is closed."""

    query_rows_max: Positive
    """Largest `rows_max` of a query."""

    trace_hops_max: Positive
    """Largest `hops_max` of a request for a trace."""

    file_rows_max: Positive
    """Largest `rows_max` of a query whose result is a file."""

    journal_records_max: Positive
    """Largest `records_max` of a request for journal records."""
