"""Settings of the paper exchange."""

from __future__ import annotations

import msgspec

from ...config.sections.exchange import ExchangeSettings
from ...messages.accounts import AccountChoice


class ExchangeActorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The user's settings, and the account of the run."""

    limits: ExchangeSettings
    account: AccountChoice = "session"
    """Whose open orders rest at the start; a new account has none."""

    has_auctions: bool = False
    """Whether sessions open by an auction: where prices are those of a real market, not made up at any hour."""
