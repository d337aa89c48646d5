"""[instruments]: the list of instruments."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from .base import Positive, PositiveSeconds, Section


class InstrumentsSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The list of instruments."""

    TABLE: ClassVar[str] = "instruments"
    RELOADABLE: ClassVar[frozenset[str]] = frozenset(
        {"url", "refresh", "refresh_at", "retry_s", "timeout_s", "bytes_max", "rows_min"}
    )

    path: str
    """Folder of the lists. Empty: `instruments` in the data directory."""

    url: str
    """Where a list is fetched from, in one of the forms that Dhan publishes."""

    refresh: Literal["never", "daily"]
    """Whether a running system fetches it by itself."""

    refresh_at: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="a time, as 08:30")]
    """When: the time in India."""

    retry_s: PositiveSeconds
    """How long after a list that could not be had it is tried again."""

    timeout_s: PositiveSeconds
    """The transmission of a list takes no longer."""

    bytes_max: Positive
    """A longer file is refused."""

    rows_min: Positive
    """A list of fewer instruments is refused."""
