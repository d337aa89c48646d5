"""Accounts: whose orders, fills and positions are meant.

A data directory has one journal and may have several accounts. Account 0 is that of the sessions on a market that goes
on; each replay has one of its own, unless it is told to go on with the newest. Every fact of an order belongs to the
account that was entered last before its intent.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from .units import Count, Nanoseconds

AccountChoice: TypeAlias = Literal["session", "new", "newest"]
"""Which account a run trades on: the sessions' own, one that never was, or the one that was opened last."""


class AccountEntered(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="AccountEntered"):
    """Fact: the orders to come are of this account. One that was never entered before begins with nothing."""

    account: Count
    """0: that of the sessions; in a new data directory it is entered already."""

    choice: AccountChoice
    """What the run had been asked for."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class RecordingPlayed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="RecordingPlayed"):
    """Fact: a recording was played to its end in the account that was entered last."""

    source: str
    """Its fingerprint, as in `Tick`."""

    ticks: Count
    candles: Count
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


AccountFact: TypeAlias = AccountEntered | RecordingPlayed
