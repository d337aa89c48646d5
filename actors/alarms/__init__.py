"""Alarms: what a person should know at once, told once, and again as long as it lasts.

rules         when there is an alarm: a table (pure); to add one, add an entry
lasting       which alarms are new, last, or are over (pure, time passed in)
delivery      how one is told: a command, a webhook, Telegram; usable without any actor
actor, settings
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...domain.lazily import lazily

if TYPE_CHECKING:
    from .actor import AlarmsActor

__all__ = ["AlarmsActor"]

_HOMES = {".actor": ("AlarmsActor",)}

__getattr__ = lazily(__name__, _HOMES)
