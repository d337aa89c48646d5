"""What the control room is told at its start."""

from __future__ import annotations

from pathlib import Path

import msgspec

from ...config.sections.control import ControlSettings


class ControlActorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Composed by the system: only it knows the data directory."""

    data_dir: Path
    """Where the socket lies; held by this process alone."""

    limits: ControlSettings = msgspec.field(default_factory=ControlSettings.default)
