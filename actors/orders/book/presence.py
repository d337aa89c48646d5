"""Which facts of the journal show that a person looks after the system (pure)."""

from __future__ import annotations

from typing import Final

import msgspec

from ....messages.addresses import FLATTENER, KILL_SWITCH, ORDERS, STRATEGIES
from ....messages.control import OperationAsked
from ....messages.risk import LimitsChanged

OF_TRADING: Final = frozenset({ORDERS, KILL_SWITCH, FLATTENER, STRATEGIES})
"""Actors that only people ask; the others (backups, lists, tokens) are asked by scheduled jobs as well."""


class Sign(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One sign of life."""

    occurred_ns: int
    """Nanoseconds since 1970-01-01 UTC."""

    who: str
    """The person's name, as control or the fact has it; empty: who has started the system."""

    how: str


def sign_of(fact: OperationAsked | LimitsChanged) -> Sign | None:
    """Return the sign of life that a fact is; None: it is none."""
    if isinstance(fact, LimitsChanged):
        return Sign(occurred_ns=fact.occurred_ns, who=fact.person, how="limits")
    if fact.actor not in OF_TRADING:
        return None
    return Sign(occurred_ns=fact.occurred_ns, who=fact.who, how=fact.operation)
