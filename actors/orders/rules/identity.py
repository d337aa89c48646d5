"""Rules on the identity of an order: its id, its age, and whether it is a repeat (pure)."""

from __future__ import annotations

from typing import Final

from ....domain.brackets.legs import SUFFIXES, entry_id, leg_id
from ....domain.client_order_ids import LENGTH_MAX, is_client_order_id
from ....domain.freshness import age_fault
from ....domain.orders import Order
from ....domain.wording import printable
from ....messages.orders import OrderRefused, SubmitOrder
from .situation import SURELY_WITHIN_NS, Refusal, Situation


def client_order_id(order: SubmitOrder, _situation: Situation) -> str:
    """Require the broker's alphabet and length, of the exits of a bracket too."""
    longest = leg_id(order.client_order_id, "stop") if order.has_bracket else order.client_order_id
    if is_client_order_id(longest):
        return ""
    characters_max = LENGTH_MAX - len(longest) + len(order.client_order_id)
    return f"1 to {characters_max} characters of A-Z a-z 0-9 - _ wanted, found {printable(order.client_order_id)!r}"


def duplicate(order: SubmitOrder, situation: Situation) -> str:
    """Require a client order id that was never used before, and is not kept for the exit of a bracket.

    Of a bracket the same of its exits: of the first day, and of the one behind it, without which no other is looked at.
    """
    book, intents = situation.book, situation.intents
    if order.client_order_id in book or order.client_order_id in intents:
        return f"a client order id never used before wanted, found {order.client_order_id!r} in the book"
    entry_of = entry_id(order.client_order_id)
    if entry_of and (entry := book.order(entry_of) or intents.get(entry_of)) is not None and entry.has_bracket:
        return f"an id of its own wanted, found that of an exit of the bracket {entry_of!r}"
    if not order.has_bracket:
        return ""
    name = order.client_order_id
    for leg_of in (*(leg_id(name, leg) for leg in SUFFIXES), leg_id(name, "target", 1), leg_id(name, "stop", 1)):
        if leg_of in book or leg_of in intents:
            return f"an id wanted whose exits have ids never used before, found {leg_of!r} in the book"
    return ""


def order_age_max_s(order: SubmitOrder, situation: Situation) -> str:
    """Refuse an order that was under way for too long: what its strategy decided by is out of date."""
    limit_s = situation.limits.order_age_max_s
    if limit_s == 0:
        return ""
    if 0 <= situation.now_ns - order.submitted_ns < limit_s * SURELY_WITHIN_NS:
        return ""
    return age_fault("an order", order.submitted_ns, situation.now_ns, age_max_s=limit_s)


_CONTENT: Final = (
    *("strategy", "symbol", "side", "quantity", "order_type", "limit_price"),
    *("trigger_price", "validity", "product", "target_price", "stop_loss_price"),
)
"""Fields in which a repeat must equal the first order; time of submission and reference price may differ."""


def contradiction(order: SubmitOrder, earlier: SubmitOrder | Order | OrderRefused) -> Refusal | None:
    """Compare an order with the earlier one of its client order id; None if it is a repeat.

    With a refused order only the fields in `OrderRefused` are compared, in the characters that it has there.
    """
    for name in _CONTENT:
        wanted, found = getattr(earlier, name, None), getattr(order, name)
        if isinstance(earlier, OrderRefused):
            if name not in OrderRefused.__struct_fields__ or (wanted is None and earlier.order_type is None):
                continue  # an earlier release did not keep the type and the prices
            found = printable(found) if isinstance(found, str) else found
        if name == "product" and found is None:
            continue  # the gate may have given it the product of what it closes
        if wanted != found:
            reason = f"{name} {wanted!r} wanted, as the order of that id has it, found {found!r}"
            return Refusal(rule=duplicate.__name__, reason=printable(reason, 200))
    return None
