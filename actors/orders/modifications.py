"""Changes of an order: what is asked, whether the gate lets it pass, and what became of it (pure).

A change is judged twice: the whole order as it would be, by the rules on single orders; and its open quantity, by the
rules on all orders together, as if the order before the change were gone. A change that only lowers the quantity passes
whatever the limits are.

What became of a change in doubt is what the broker shows: the terms that were to change are as wanted, or as before.
"As before" proves nothing while the request may still be in flight, unless the order has ended.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

import msgspec
from msgspec.structs import replace

from ...domain.orders import as_submitted
from ...domain.time import SECOND_NS
from ...domain.wording import printable
from ...messages.broker import ReplaceOrder
from ...messages.orders import ModificationIntended, ModificationRefused, OrderModified, fault_of_exits, fault_of_terms
from .rules import Refusal, judge
from .rules.table import OF_ONE_ORDER, ON_CHANGES

if TYPE_CHECKING:
    from ...domain.orders import Order, Pending
    from ...messages.broker import OrderFound
    from ...messages.orders import ModifyOrder, SubmitOrder
    from .rules import Situation

Shown: TypeAlias = Literal["as wanted", "as before", "otherwise", ""]
"""What the broker shows of a pending change; empty: it does not tell the terms."""

SAME_RUPEES: Final = 1e-6
"""Prices closer to each other than this are equal: no exchange has so fine a grid."""


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What may be changed of an order."""

    quantity: int
    """Shares, all of it."""

    limit_price: float | None
    """Rupees."""

    trigger_price: float | None
    """Rupees."""


def terms_wanted(order: Order, request: ModifyOrder) -> Terms:
    """Return the terms of an order as they are asked to be: what is not given stays."""
    return Terms(
        quantity=order.quantity if request.quantity is None else request.quantity,
        limit_price=order.limit_price if request.limit_price is None else request.limit_price,
        trigger_price=order.trigger_price if request.trigger_price is None else request.trigger_price,
    )


def terms_of(order: Order | Pending | ModificationIntended) -> Terms:
    """Return the terms as they are, or would be."""
    return Terms(quantity=order.quantity, limit_price=order.limit_price, trigger_price=order.trigger_price)


def refusal_of(order: Order, request: ModifyOrder, situation: Situation) -> Refusal | None:
    """Say why the gate refuses a change; None if it passes."""
    wanted, limits = terms_wanted(order, request), situation.limits
    if not order.is_open or not order.broker_order_id:
        return Refusal(
            rule="order_state", reason=f"an open order with a broker order id wanted, found it {order.state}"
        )
    if order.pending is not None:
        return Refusal(
            rule="one_change_at_a_time",
            reason=f"no change in flight wanted, found number {order.pending.number} without an outcome",
        )
    if order.modifications >= limits.modifications_max:
        reason = f"at most {limits.modifications_max} changes of an order wanted, found one more"
        return Refusal(rule="modifications_max", reason=reason)
    fault = _fault_of(order, wanted)
    if fault:
        return Refusal(rule="terms", reason=fault)
    if situation.risk_state in {"NORMAL", "REDUCING"} and _takes_back(order, wanted):
        return None
    whole = _as_submitted(order, request, wanted, quantity=wanted.quantity)
    if _has_exits_to_come(order):
        whole = replace(whole, target_price=order.target_price, stop_loss_price=order.stop_loss_price)
    rest = _as_submitted(order, request, wanted, quantity=wanted.quantity - order.filled)
    without = replace(situation, replaced=order)
    return judge(whole, without, OF_ONE_ORDER) or judge(rest, without, ON_CHANGES)


def intended(order: Order, wanted: Terms, now_ns: int) -> ModificationIntended:
    """Return the fact of a change that passed the gate."""
    return ModificationIntended(
        client_order_id=order.client_order_id,
        number=order.modifications + 1,
        quantity=wanted.quantity,
        limit_price=wanted.limit_price,
        trigger_price=wanted.trigger_price,
        occurred_ns=now_ns,
    )


def refused(client_order_id: str, refusal: Refusal, now_ns: int, *, number: int = 0) -> ModificationRefused:
    """Return the fact of a change that is not made, its texts made printable; `number` 0: our gate refused it."""
    return ModificationRefused(
        client_order_id=printable(client_order_id),
        number=number,
        rule=refusal.rule,
        reason=refusal.reason,
        occurred_ns=now_ns,
    )


def made(order: Order, change: Pending | ModificationIntended, now_ns: int) -> OrderModified:
    """Return the fact that the broker has the order as it was to be."""
    return _modified(order.client_order_id, change.number, terms_of(change), now_ns)


def to_replace(order: Order, change: ModificationIntended, *, reduces: bool) -> ReplaceOrder:
    """Return the request that makes a change."""
    return ReplaceOrder(
        client_order_id=order.client_order_id,
        broker_order_id=order.broker_order_id,
        number=change.number,
        symbol=order.symbol,
        side=order.side,
        quantity=change.quantity,
        order_type=order.order_type,
        limit_price=change.limit_price,
        trigger_price=change.trigger_price,
        validity=order.validity,
        reduces=reduces,
    )


def settled(
    order: Order, found: OrderFound, now_ns: int, *, age_ns: int, horizon_ns: int
) -> OrderModified | ModificationRefused | None:
    """Return what a look-up says of the pending change; None if there is none, or it says nothing yet."""
    pending = order.pending
    if pending is None:
        return None
    shown, has_ended = _shown(order, pending, found), found.state not in {"OPEN", "PART_FILLED"}
    if shown == "as wanted":
        return made(order, pending, now_ns)
    if not shown or (age_ns < horizon_ns and not has_ended):
        return None
    if shown == "as before":
        what = f"it has ended as {found.state}" if has_ended else f"{age_ns / SECOND_NS:.0f} s after the request"
        reason = f"the changed order wanted, found it as before: {what}"
        return refused(order.client_order_id, Refusal(rule="absent", reason=reason), now_ns, number=pending.number)
    # Whoever has changed it otherwise, the broker's word on what is there counts.
    return _modified(order.client_order_id, pending.number, _terms_there(order, found), now_ns)


def by_others(order: Order, found: OrderFound, now_ns: int, *, age_ns: int, horizon_ns: int) -> OrderModified | None:
    """Return what a look-up says of an order that somebody else has changed at the broker; None: nobody has.

    It is numbered as a change of ours is, and counts as one: the broker allows so many of an order, whoever asks. While
    a change may be under way, the look-up may be from before it; what has traded shows how great the order was. One
    that was never changed has had no other terms than ours.
    """
    traded = max((each.cumulative_quantity for each in found.reports), default=0)
    is_proved = found.state == "FILLED" or traded > order.quantity
    is_of_now = not order.modifications or age_ns >= horizon_ns
    is_certain = is_proved or (found.state in {"OPEN", "PART_FILLED"} and is_of_now)
    if order.pending is not None or not order.is_open or not is_certain or found.quantity < max(order.filled, 1):
        return None
    there = _terms_there(order, found)
    if _are_same(there, terms_of(order)):
        return None
    return _modified(order.client_order_id, order.modifications + 1, there, now_ns)


def _terms_there(order: Order, found: OrderFound) -> Terms:
    """Return the terms as the broker has them: a price that it does not tell, or has given an order itself, is ours."""
    has_trigger = order.trigger_price is not None and not order.is_triggered
    return Terms(
        quantity=found.quantity,
        limit_price=None if order.limit_price is None else found.limit_price or order.limit_price,
        trigger_price=(found.trigger_price or order.trigger_price) if has_trigger else order.trigger_price,
    )


def _are_same(some: Terms, others: Terms) -> bool:
    pairs = zip(msgspec.structs.astuple(some), msgspec.structs.astuple(others), strict=True)
    return all(math.isclose(one or 0, other or 0, rel_tol=0, abs_tol=SAME_RUPEES) for one, other in pairs)


def _modified(client_order_id: str, number: int, terms: Terms, now_ns: int) -> OrderModified:
    return OrderModified(
        client_order_id=client_order_id,
        number=number,
        quantity=terms.quantity,
        limit_price=terms.limit_price,
        trigger_price=terms.trigger_price,
        occurred_ns=now_ns,
    )


def _shown(order: Order, pending: Pending, found: OrderFound) -> Shown:
    """Compare the terms that were to change with what the broker shows; a trigger that was met is changed no more."""
    if not found.quantity:
        return ""
    before, wanted = terms_of(order), terms_of(pending)
    if order.is_triggered:
        wanted = replace(wanted, trigger_price=before.trigger_price)
    told = (found.quantity, found.limit_price, found.trigger_price)
    changed = [
        (old or 0, new or 0, now)
        for old, new, now in zip(msgspec.structs.astuple(before), msgspec.structs.astuple(wanted), told, strict=True)
        if old != new
    ]
    if all(math.isclose(now, new, rel_tol=0, abs_tol=SAME_RUPEES) for _, new, now in changed):
        return "as wanted"
    if all(math.isclose(now, old, rel_tol=0, abs_tol=SAME_RUPEES) for old, _, now in changed):
        return "as before"
    return "otherwise"


def _fault_of(order: Order, wanted: Terms) -> str:
    """Say what is wrong with the terms that an order is to have; empty: nothing."""
    if wanted == terms_of(order):
        return "something to change wanted, found the order as it is"
    if wanted.quantity <= order.filled:
        return f"a quantity above the {order.filled} shares that are filled wanted, found {wanted.quantity}"
    if wanted.limit_price is not None and order.order_type == "MARKET":
        return f"no limit_price of a MARKET order wanted, found {wanted.limit_price}"
    fault = fault_of_terms(
        order.side,
        quantity=wanted.quantity,
        order_type=order.order_type,
        limit_price=wanted.limit_price,
        trigger_price=wanted.trigger_price,
    )
    if fault or not _has_exits_to_come(order):
        return fault
    return fault_of_exits(
        order.side,
        limit_price=wanted.limit_price,
        trigger_price=wanted.trigger_price,
        target_price=order.target_price,
        stop_loss_price=order.stop_loss_price,
    )


def _has_exits_to_come(order: Order) -> bool:
    """Say whether it is the entry of a bracket that has no exits in the market yet: those may have been moved."""
    return order.has_bracket and not order.filled


def _takes_back(order: Order, wanted: Terms) -> bool:
    """Say whether the change makes the order smaller, and nothing else."""
    return wanted.quantity < order.quantity and replace(wanted, quantity=order.quantity) == terms_of(order)


def _as_submitted(order: Order, request: ModifyOrder, wanted: Terms, *, quantity: int) -> SubmitOrder:
    return as_submitted(
        order,
        quantity=quantity,
        limit_price=wanted.limit_price,
        trigger_price=wanted.trigger_price,
        reference_price=request.reference_price or wanted.limit_price or wanted.trigger_price or 0.0,
        reference_ns=request.reference_ns,
    )
