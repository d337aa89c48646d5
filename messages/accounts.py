"""Accounts: which orders, fills and positions belong together.

A data directory has one journal and may have several accounts. All sessions on a live or synthetic market share account
0; each replay of a recording has an account of its own, unless it is told to go on with the newest. Every fact of an
order belongs to the account of the newest `AccountEntered` before its intent.
"""

from typing import Literal, TypeAlias

import msgspec

from .units import Count, Nanoseconds

AccountChoice: TypeAlias = Literal["session", "new", "newest"]
"""Which account a run trades on: account 0 (`session`), a fresh one (`new`), or the one opened last (`newest`)."""


class AccountEntered(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="AccountEntered"):
    """Fact: later orders belong to this account. An account entered for the first time has no positions."""

    account: Count
    """0 is the account of all sessions; a new data directory begins in it, without a fact."""

    choice: AccountChoice
    """What the settings of the run asked for."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class RecordingPlayed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="RecordingPlayed"):
    """Fact: a recording was played to its end in the current account."""

    source: str
    """Fingerprint of the recording, as in `Tick.source`."""

    ticks: Count
    candles: Count
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


AccountFact: TypeAlias = AccountEntered | RecordingPlayed
