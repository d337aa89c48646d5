"""Settings of the control actor."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ...config.sections.control import ControlSettings


class ControlActorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The section `[control]`, and the data directory."""

    data_dir: Path
    """Directory of the socket, locked by this process."""

    log_path: str = ""
    """File of the log; empty or `-`: there is none that could be read."""

    looks_at: frozenset[str] | None = None
    """Actors that may be asked, and only for what changes nothing; all else is elsewhere. None: all of it is here."""

    limits: ControlSettings = msgspec.field(default_factory=ControlSettings.default)
