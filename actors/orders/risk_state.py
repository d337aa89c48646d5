"""The effective risk state (plain): of what is durable, what is on its way to the journal, and how far the start is.

A change that stops trading counts as soon as it is known, one that allows trading only when it is durable. So a halt
that the journal refuses to append still stops trading, and is appended as soon as that is possible.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ...domain.wording import printable
from ...messages.addresses import ORDERS
from ...messages.risk_state import KeptRiskState, Resume, RiskState, RiskStateChanged

CAUSE_LENGTH_MAX: Final = 200
"""Characters of the cause of a change of the risk state."""

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

        self.alarmed_by = ORDERS
        """Who wants that halt."""

        self.limits: dict[str, str] = {}
        """By sender: why only orders pass that reduce a position. Each holds until its sender takes it back."""

    def state(self, durable: RiskState, changes: Iterable[RiskStateChanged]) -> RiskState:
        """Return the effective state, given the durable one and the changes on their way to the journal."""
        return strictest(
            durable,
            *(change.state for change in changes),
            "HALTED" if self.alarm else "NORMAL",
            "REDUCING" if self.limits else "NORMAL",
            "NORMAL" if self.is_reconciled else "RECONCILING",
        )

    def limit(self, by: str, reason: str) -> bool:
        """Let only orders pass that reduce a position; an empty reason takes back what the same sender said before.

        Returns:
            Whether that is new.
        """
        if reason == self.limits.get(by, ""):
            return False
        if reason:
            self.limits[by] = reason
        else:
            del self.limits[by]
        return True

    @property
    def why_limited(self) -> str:
        """Return all of these reasons as one text; empty if there are none."""
        return "; ".join(self.limits.values())

    def settle(self, change: RiskStateChanged) -> None:
        """Note that a change is durable."""
        if change.state == "HALTED":
            self.alarm = ""


def changed(  # noqa: PLR0913  the fields of the fact
    previous: KeptRiskState,
    state: KeptRiskState,
    *,
    cause: str,
    by: str,
    now_ns: int,
    keeps_day: bool = False,
    cancels_open: bool = False,
) -> RiskStateChanged:
    """Return the fact of a change, in words that any file can hold."""
    return RiskStateChanged(
        previous=previous,
        state=state,
        cause=printable(cause, CAUSE_LENGTH_MAX),
        changed_by=printable(by),
        occurred_ns=now_ns,
        keeps_day=keeps_day,
        cancels_open=cancels_open,
    )


def why_not_resumed(request: Resume, *, found: RiskState, to_be: KeptRiskState, kill_switch: bool) -> str:
    """Say why a person may not resume now; empty where they may.

    Args:
        request: of the person.
        found: the effective state.
        to_be: the state when all changes on their way to the journal are durable.
        kill_switch: whether it is on.
    """
    is_limited = to_be == "REDUCING" and found == "REDUCING"
    if found != "HALTED" and not is_limited:
        return f"risk state HALTED wanted, found {found}"
    if kill_switch:
        return "the kill switch off wanted, found it on: natya kill-switch off"
    if not request.reason.strip():
        return "a reason for going on wanted, found none"
    if to_be != found:
        return "a durable halt wanted, found a change of it on its way to the journal; ask again"
    return ""
