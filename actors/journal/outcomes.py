"""Which facts are taken on a full disk: a pure rule.

*Outcomes* are facts that say what has already happened to an order. They close or bound a risk that exists (a cancel, a
fill, a doubt), so the reserve is kept for them. What opens a new risk, or only informs, is refused until space returns:
without its intent no order leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...messages.journal import Fact
from ...messages.orders import (
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderUncertain,
)

OUTCOMES: Final[frozenset[type]] = frozenset(
    {
        OrderAccepted,
        OrderCancelled,
        OrderExpired,
        OrderFilled,
        OrderRejected,
        OrderUncertain,
    }
)


def are_outcomes(facts: Iterable[Fact]) -> bool:
    """Say whether an append of these facts is taken on a full disk: only if all of them are outcomes."""
    return all(type(fact) in OUTCOMES for fact in facts)
