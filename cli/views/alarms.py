"""Alarms as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.time import time_text

if TYPE_CHECKING:
    from ...messages.health import AlarmsShown


def alarms_text(found: AlarmsShown) -> str:
    """Return a line for each alarm, and one that says how they are told."""
    lines = [f"{each.severity:<8}  {time_text(each.since_ns)}  {each.text}" for each in found.alarms]
    ways = f"told by {', '.join(found.ways)}" if found.ways else "told by the log alone: see [notifications]"
    return "\n".join([*(lines or ["no alarm"]), ways])
