"""[notifications]: how alarms are told to a person."""

from __future__ import annotations

from typing import ClassVar

from ..secrets import Secret
from .base import PositiveSeconds, Section


class NotificationsSettings(Section, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How alarms reach a person; every way that is set is used."""

    TABLE: ClassVar[str] = "notifications"
    RELOADABLE: ClassVar[frozenset[str]] = frozenset(
        {"command", "webhook", "telegram_token", "telegram_chat", "repeat_s"}
    )

    command: tuple[str, ...]
    """Program and arguments, run without a shell, with the alarm as JSON on standard input."""

    webhook: Secret
    """URL that the alarm is posted to as JSON; its member `text` is what Slack and others show."""

    telegram_token: Secret
    """Token of a Telegram bot, which writes to `telegram_chat`."""

    telegram_chat: str

    repeat_s: PositiveSeconds
    """Time after which a lasting alarm is sent again."""
