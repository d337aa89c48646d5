"""The effective risk state (plain): of what is durable, what is on its way to the journal, and how far the start is.

A change that stops trading counts as soon as it is known, one that allows trading only when it is durable. So a halt
that the journal refuses to append still stops trading, and is appended as soon as that is possible.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...messages.orders import RiskState, RiskStateChanged

_STRICTNESS: Final[dict[RiskState, int]] = {"NORMAL": 0, "REDUCING": 1, "STARTING": 2, "RECONCILING": 3, "HALTED": 4}


def strictest(*states: RiskState) -> RiskState:
    """Return the strictest of these states."""
    return max(states, key=_STRICTNESS.__getitem__)


class RiskControl:
    """A halt that may not be durable yet, and whether the start has reconciled."""

    def __init__(self) -> None:
        self.is_reconciled = False
        self.alarm = ""
        """Cause of a halt that is not durable yet; empty if there is none."""

        self.limit = ""
        """Why only orders pass that reduce a position, until who said so takes it back; empty if others pass, too."""

    def state(self, durable: RiskState, changes: Iterable[RiskStateChanged]) -> RiskState:
        """Return the effective state, given the durable one and the changes on their way to the journal."""
        return strictest(
            durable,
            *(change.state for change in changes),
            "HALTED" if self.alarm else "NORMAL",
            "REDUCING" if self.limit else "NORMAL",
            "NORMAL" if self.is_reconciled else "RECONCILING",
        )

    def settle(self, change: RiskStateChanged) -> None:
        """Note that a change is durable."""
        if change.state == "HALTED":
            self.alarm = ""
