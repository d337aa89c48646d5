"""[system]: the process as a whole."""

from __future__ import annotations

from typing import ClassVar, Literal

from .base import Positive, PositiveSeconds, Section


class SystemSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The process as a whole."""

    TABLE: ClassVar[str] = "system"

    profile: Literal["paper", "live", "backtest", "node"]

    data_dir: str
    """Directory of everything that outlives the process; empty: the user's state directory, one for each profile."""

    stall_warn_s: PositiveSeconds
    """A handler that holds the event loop longer than this is named in the log."""

    trace_every: Positive
    """One in so many ticks and requests is traced from mailbox to mailbox; every order is."""

    shutdown_s: PositiveSeconds
    """Each child may take this long to stop before it is killed."""
