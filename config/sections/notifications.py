"""[notifications]: how alarms are told to a person."""

from __future__ import annotations

from typing import ClassVar

from ..secrets import Secret
from .base import PositiveSeconds, Section


class NotificationsSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How alarms are told; each way that is named is used."""

    TABLE: ClassVar[str] = "notifications"
    RELOADABLE: ClassVar[frozenset[str]] = frozenset(
        {"command", "webhook", "telegram_token", "telegram_chat", "repeat_s"}
    )

    command: tuple[str, ...]
    """A program and its arguments, run without a shell; it finds the alarm as JSON on its standard input."""

    webhook: Secret
    """URL that the alarm is posted to as JSON; its member `text` is what Slack and others show."""

    telegram_token: Secret
    """Of a bot, with `telegram_chat`."""

    telegram_chat: str

    repeat_s: PositiveSeconds
    """An alarm that lasts is told again after so long."""
