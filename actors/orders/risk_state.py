"""What orders lets pass at this moment (plain): what is durable, what is on its way, and how far the start is.

What stops trading counts from the moment it is known, and what allows it only when it is durable. So a halt whose
record the journal refuses still stops this life, and is written as soon as that is possible.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...messages.orders import RiskState, RiskStateChanged

_STRICTNESS: Final[dict[RiskState, int]] = {"NORMAL": 0, "REDUCING": 1, "STARTING": 2, "RECONCILING": 3, "HALTED": 4}


def strictest(*states: RiskState) -> RiskState:
    """Return the state in which least may pass."""
    return max(states, key=_STRICTNESS.__getitem__)


class RiskControl:
    """One alarm that may not be durable yet, beside what the ledger says."""

    def __init__(self) -> None:
        self.is_reconciled = False
        self.alarm = ""
        """Why trading stopped; empty when there was no reason, or it is durable."""

    def state(self, durable: RiskState, changes: Iterable[RiskStateChanged]) -> RiskState:
        """Tell what may pass, given the durable state and the changes of it that are on their way."""
        return strictest(
            durable,
            *(change.state for change in changes),
            "HALTED" if self.alarm else "NORMAL",
            "NORMAL" if self.is_reconciled else "RECONCILING",
        )

    def settle(self, change: RiskStateChanged) -> None:
        """Note that a change is durable."""
        if change.state == "HALTED":
            self.alarm = ""
