"""What the paper exchange is told at its start."""

from __future__ import annotations

import msgspec

from ...config.sections.exchange import ExchangeSettings
from ...messages.accounts import AccountChoice


class ExchangeActorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The user's settings, and whose orders rest there."""

    limits: ExchangeSettings
    account: AccountChoice = "session"
    """A new account has no orders yet."""
