"""[control]: the socket where other processes of this user may ask."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from .base import Positive, PositiveSeconds, Section


class ControlSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The control socket, where other processes of this user may ask; every bound there is for one that misbehaves."""

    TABLE: ClassVar[str] = "control"

    enabled: bool
    """Whether there is one."""

    connections_max: Annotated[int, Meta(ge=1, le=1_024)]
    """Processes connected at once; one more is told so and let go."""

    in_flight_max: Annotated[int, Meta(ge=1, le=1_024)]
    """Questions of one connection that may wait for their answers; one more is refused."""

    ask_bytes_max: Annotated[int, Meta(ge=1_024, le=1 << 24)]
    """A longer question is refused unread, and the connection closed."""

    unsent_bytes_max: Annotated[int, Meta(ge=1 << 20, le=1 << 28)]
    """Bytes of answers that wait for one connection to read them; at more it is closed."""

    timeout_max_s: PositiveSeconds
    """The longest time a question may give its actor: a backup takes a while. Whoever leaves ends his question."""

    stall_s: PositiveSeconds
    """A connection that halts so long in the middle of a question, or of reading an answer, is closed."""

    idle_s: PositiveSeconds
    """A connection that asks nothing for so long is closed."""

    query_rows_max: Positive
    """Rows that a query may ask for."""

    trace_hops_max: Positive
    """Hops that one question may ask for."""

    file_rows_max: Positive
    """Rows that a query may ask for in a file."""

    journal_records_max: Positive
    """Journal records that one question may ask for."""
