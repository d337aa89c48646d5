"""Settings of the alarms actor."""

from __future__ import annotations

import msgspec

from ...config.in_force import InForce
from ...config.sections.notifications import NotificationsSettings


class AlarmsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The section `[notifications]`, and what the system is called in a message."""

    limits: NotificationsSettings = msgspec.field(default_factory=NotificationsSettings.default)
    in_force: InForce | None = None
    """Where they are read while the system runs; None: they do not change."""

    instance: str = ""

    @property
    def now(self) -> NotificationsSettings:
        """Return the section as it is now."""
        return self.limits if self.in_force is None else self.in_force.settings.notifications
