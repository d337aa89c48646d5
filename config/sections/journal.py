"""[journal]: the journal files."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from ..secrets import Secret
from .base import Positive, Section


class JournalSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The journal files."""

    TABLE: ClassVar[str] = "journal"

    path: str
    """Directory of the segment files; empty: `journal` in the data directory."""

    segment_bytes: Annotated[int, Meta(ge=65_536, le=1 << 32)]
    """A segment file is preallocated to this size."""

    group_bytes_max: Annotated[int, Meta(ge=4_096, le=1 << 26)]
    """Bytes at which a group commit is written even while more appends arrive."""

    plain_segments_max: Positive
    """Closed segments that stay as they are; older ones are archived (packed with gzip, still readable)."""

    retain_days: Annotated[int, Meta(ge=0, le=36_600)]
    """Archived segments older than this are removed, up to the first that holds a fact of the book of record: orders,
    trades and the risk state are kept for ever. 0 keeps all."""

    seal_key: Secret
    """Key of the HMAC-SHA-256 in each day's seal, which nobody can make who has only the files; empty: none."""
