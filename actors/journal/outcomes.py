"""Which facts are accepted on a full disk (pure).

*Outcomes* are facts of what has already happened to an order. They close or bound an existing risk (a cancel, a fill, a
doubt), as a cancellation that is asked for does, so the reserve is kept for them. Facts that open a new risk, or only
inform, are refused until there is space: without a durable intent no order is sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...messages.journal import Fact
from ...messages.orders import (
    CancellationIntended,
    CancellationRefused,
    CancellationUncertain,
    ModificationRefused,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderRejected,
    OrderTriggered,
    OrderUncertain,
)

OUTCOMES: Final[frozenset[type]] = frozenset(
    {
        CancellationIntended,
        CancellationRefused,
        CancellationUncertain,
        ModificationRefused,
        OrderAccepted,
        OrderCancelled,
        OrderExpired,
        OrderFilled,
        OrderModified,
        OrderRejected,
        OrderTriggered,
        OrderUncertain,
    }
)


def are_outcomes(facts: Iterable[Fact]) -> bool:
    """Say whether an append of these facts is accepted on a full disk: only if all of them are outcomes."""
    return all(type(fact) in OUTCOMES for fact in facts)
