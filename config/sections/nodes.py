"""[nodes]: one play on several machines: a broker node, and nodes that run its strategies."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from .base import Section


class NodesSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One play on several machines, which meet at the server of `[redis]`."""

    TABLE: ClassVar[str] = "nodes"

    play: Annotated[str, Meta(max_length=100)]
    """Name of the play, the same on all its machines; empty: this machine works alone."""

    name: Annotated[str, Meta(max_length=100)]
    """Name of this machine in the play; empty: its host name."""

    lease_s: Annotated[float, Meta(ge=1.0, le=3_600.0)]
    """Silence of a machine after which another takes over its strategies."""

    ticks_max: Annotated[int, Meta(ge=1, le=1_000_000)]
    """Batches of ticks that the server keeps for machines that are behind."""
