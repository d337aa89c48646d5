"""Settings of the control actor."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from ...config.sections.control import ControlSettings
from .pinging import Pings, no_pings

Mode: TypeAlias = Literal["paper", "dry run", "live", "node"]
"""`paper`: orders go to the paper exchange. `dry run`: each is held back. `live`: they go to the real market.
`node`: the broker node decides."""


class ControlActorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The section `[control]`, and the data directory."""

    data_dir: Path
    """Directory of the socket, locked by this process."""

    journal_dir: Path | None = None
    """Directory of the journal, which may be on another disk; None: there is none here."""

    log_path: str = ""
    """File of the log; empty or `-`: there is none that could be read."""

    mode: Mode = "paper"
    """What becomes of its orders."""

    looks_at: frozenset[str] | None = None
    """Actors that may be asked, and only for what changes nothing; all else is elsewhere. None: all of it is here."""

    pings: Pings = no_pings
    """Those of the services in the container of this process."""

    limits: ControlSettings = msgspec.field(default_factory=ControlSettings.default)
