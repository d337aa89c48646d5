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
    """URL of the list, in either form that Dhan publishes."""

    refresh: Literal["never", "daily"]
    """Whether a running system fetches the list."""

    refresh_at: Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", description="a time, as 08:30")]
    """Time in India at which the list is fetched."""

    retry_s: PositiveSeconds
    """Time from a failed fetch until the next attempt."""

    timeout_s: PositiveSeconds
    """How long fetching a list may take."""

    bytes_max: Positive
    """A longer file is refused."""

    rows_min: Positive
    """A list of fewer instruments than this is refused."""
