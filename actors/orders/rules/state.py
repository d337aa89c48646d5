"""Rules on what the risk state lets pass (pure)."""

from __future__ import annotations

from ....messages.orders import SubmitOrder
from .situation import Situation


def risk_state(order: SubmitOrder, situation: Situation) -> str:
    """Pass all orders in NORMAL, only those that reduce a position in REDUCING, none in other states.

    One that is to close a position for a person has to do that in every state, and passes in HALTED, too. What is held
    in another product an order does not close: the broker keeps a position for each. Where the broker has another
    position than the book, an order closes what it closes by both.
    """
    state = situation.risk_state
    if state == "NORMAL" and not situation.closes:
        return ""
    if state != "REDUCING" and not (situation.closes and state in {"NORMAL", "HALTED"}):
        return f"risk state NORMAL wanted, found {state}"
    closable = situation.closable(order)
    if order.product is not None or situation.book.has_named_products or order.symbol in situation.theirs.symbols:
        closable = min(closable, situation.closable_of_product(order))
    if order.quantity <= closable:
        return ""
    why = f": {differs}" if (differs := situation.why_theirs(order)) else ""
    if situation.closes:
        wanted = f"at most {closable} shares, which are held, may be closed by {order.side}"
    else:
        wanted = f"in REDUCING at most {closable} shares may be closed by {order.side}"
    return f"{wanted}, found {order.quantity}{why}"
