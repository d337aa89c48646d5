"""What the owner of the kill switch is given."""

from __future__ import annotations

import msgspec


class KillSwitchActorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where the switch is, and what follows."""

    paths: tuple[str, ...]
    """While a file is at any of them nothing leaves."""

    look_interval_s: float
    at_broker: bool = False
    """Whether the broker's own switch follows, once nothing is held or open."""
