"""Settings of the alarms actor."""

from __future__ import annotations

import msgspec

from ...config.sections.notifications import NotificationsSettings


class AlarmsSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The section `[notifications]`, and what the system is called in a message."""

    limits: NotificationsSettings = msgspec.field(default_factory=NotificationsSettings.default)
    instance: str = ""
