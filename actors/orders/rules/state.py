"""Rules on what the risk state lets pass (pure)."""

from __future__ import annotations

from ....messages.orders import SubmitOrder
from .situation import Situation


def risk_state(order: SubmitOrder, situation: Situation) -> str:
    """Pass all orders in NORMAL, only those that reduce a position in REDUCING, none in other states."""
    state = situation.risk_state
    if state == "NORMAL":
        return ""
    if state != "REDUCING":
        return f"risk state NORMAL wanted, found {state}"
    closable = situation.closable(order)
    if order.quantity <= closable:
        return ""
    return f"in REDUCING at most {closable} shares may be closed by {order.side}, found {order.quantity}"
