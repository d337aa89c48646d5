"""The state machine of one order (pure).

The state of an order is a function of the *set* of facts received, so repeats and disorder change nothing. The filled
quantity only grows. Where facts contradict each other, the stronger wins:

    FILLED > CANCELLED > EXPIRED > REJECTED > PART_FILLED > ACCEPTED > UNKNOWN > INTENDED

Trades outrank everything: an order that is filled in full is FILLED, also if a report says that it was cancelled.

Modifications are numbered. The terms are those of the modification with the highest number that the broker is known to
have taken; one that is intended and not settled is pending, and until then the greater quantity counts: an order is not
filled in full while it may have become a greater one.

Cancellations are numbered, too. One that is asked for is in flight until it is refused, or the order has ended; it
changes neither the state of the order nor what may still be filled of it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from ..messages.orders import (
    CancellationIntended,
    CancellationRefused,
    CancellationState,
    CancellationUncertain,
    ModificationIntended,
    ModificationRefused,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFact,
    OrderFilled,
    OrderIntended,
    OrderModified,
    OrderRefused,
    OrderRejected,
    OrderState,
    OrderTriggered,
    OrderType,
    OrderUncertain,
    Product,
    Side,
    SubmitOrder,
    Validity,
)
from .wording import printable

STATES: Final[tuple[OrderState, ...]] = (
    "INTENDED",
    "UNKNOWN",
    "ACCEPTED",
    "PART_FILLED",
    "REJECTED",
    "EXPIRED",
    "CANCELLED",
    "FILLED",
)
"""Weakest first. REFUSED is not among them: an order that our gate refused has no further facts."""

SETTLED_BY: Final = "settled by "
"""Beginning of the id of a trade that a person has told, of an order in doubt: it stands for all that were missing."""

_STRENGTH: Final[dict[OrderState, int]] = {state: strength for strength, state in enumerate(STATES)}
_OPEN: Final = frozenset(STATES[:4])

_EVIDENCE: Final[dict[type[OrderFact], OrderState]] = {
    OrderUncertain: "UNKNOWN",
    OrderAccepted: "ACCEPTED",
    OrderRejected: "REJECTED",
    OrderExpired: "EXPIRED",
    OrderCancelled: "CANCELLED",
}
"""The state that a fact is evidence of; for a trade it depends on the filled quantity."""


class Pending(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A modification that is intended and not settled: the broker may have the order so, or as it was."""

    number: int
    quantity: int
    """Shares, all of it."""

    limit_price: float | None
    """Rupees."""

    trigger_price: float | None
    """Rupees."""

    intended_ns: int
    """Nanoseconds since 1970-01-01 UTC."""


class Cancellation(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """A cancellation that was asked for and not refused: while the order is open, it is in flight."""

    number: int
    asked_by: str
    intended_ns: int
    """Nanoseconds since 1970-01-01 UTC."""


class Order(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """One order, as its facts so far describe it."""

    client_order_id: str
    strategy: str
    symbol: str
    side: Side

    quantity: int
    """Shares ordered, at least 1; as it was last modified."""

    order_type: OrderType

    limit_price: float | None
    """Rupees; only for LIMIT and STOP_LIMIT."""

    intended_ns: int
    """When the intent was made: nanoseconds since 1970-01-01 UTC."""

    broker_order_id: str = ""
    """Empty while there is no proof that the broker has it."""

    state: OrderState = "INTENDED"
    """By the strongest evidence."""

    trade_ids: frozenset[str] = frozenset()

    filled: int = 0
    """Shares, the sum of all trades."""

    trigger_price: float | None = None
    """Rupees; only for STOP and STOP_LIMIT."""

    validity: Validity = "DAY"
    product: Product | None = None
    """None: as the settings of the broker say."""

    is_triggered: bool = False
    """Whether it is known that a stop has met its trigger."""

    evidence: OrderState = "INTENDED"
    """The strongest state that something else than trades is evidence of."""

    modifications: int = 0
    """Number of the newest modification, which is how many there were: those that were intended here, and those that
    somebody has made at the broker."""

    in_effect: int = 0
    """Number of the modification that the terms are of; 0: as it was placed."""

    settled: int = 0
    """Number of the newest modification whose outcome is known."""

    pending: Pending | None = None
    """The newest modification, while it is not settled."""

    target_price: float | None = None
    """Rupees; None unless it is the entry of a bracket (see `brackets.py`) with a target."""

    stop_loss_price: float | None = None
    """Rupees; None unless it is the entry of a bracket with a stop."""

    cancellations: int = 0
    """Number of the newest cancellation asked for, which is how many there were."""

    cancellations_refused: int = 0
    """Number of the newest that is known to have been refused."""

    cancellations_doubted: int = 0
    """Number of the newest that had no answer in time."""

    asked_to_cancel: Cancellation | None = None
    """The newest, unless it was refused."""

    @classmethod
    def from_intent(cls, intent: OrderIntended) -> Order:
        """Return a new order, as its intent describes it."""
        return cls(
            client_order_id=intent.client_order_id,
            strategy=intent.strategy,
            symbol=intent.symbol,
            side=intent.side,
            quantity=intent.quantity,
            order_type=intent.order_type,
            limit_price=intent.limit_price,
            intended_ns=intent.occurred_ns,
            trigger_price=intent.trigger_price,
            validity=intent.validity,
            product=intent.product,
            target_price=intent.target_price,
            stop_loss_price=intent.stop_loss_price,
        )

    @property
    def intent(self) -> OrderIntended:
        """Its intent, with the terms that it has now."""
        return OrderIntended(
            client_order_id=self.client_order_id,
            strategy=self.strategy,
            symbol=self.symbol,
            side=self.side,
            quantity=self.quantity,
            order_type=self.order_type,
            limit_price=self.limit_price,
            occurred_ns=self.intended_ns,
            trigger_price=self.trigger_price,
            validity=self.validity,
            product=self.product,
            target_price=self.target_price,
            stop_loss_price=self.stop_loss_price,
        )

    @property
    def is_open(self) -> bool:
        """Whether it may still be filled or end otherwise."""
        return self.state in _OPEN

    @property
    def has_bracket(self) -> bool:
        """Whether it is the entry of a bracket."""
        return self.target_price is not None or self.stop_loss_price is not None

    @property
    def leaves(self) -> int:
        """Shares that may still be filled."""
        return self.quantity_max - self.filled if self.is_open else 0

    @property
    def quantity_max(self) -> int:
        """Shares that it may be for: while a modification is pending, the greater of before and after."""
        return self.quantity if self.pending is None else max(self.quantity, self.pending.quantity)

    @property
    def cancelling(self) -> Cancellation | None:
        """The cancellation that is in flight; None: none is."""
        return self.asked_to_cancel if self.is_open else None

    @property
    def cancellation(self) -> CancellationState:
        """What became of the newest cancellation; empty: none was asked for."""
        if not self.cancellations:
            return ""
        if not self.is_open:
            return "DONE" if self.state == "CANCELLED" else "TOO_LATE"
        if self.asked_to_cancel is None:
            return "REFUSED"
        return "IN_DOUBT" if self.cancellations_doubted >= self.cancellations else "REQUESTED"

    @property
    def was_settled(self) -> bool:
        """Whether a person has settled it by a trade that stands for trades without known ids."""
        return any(each.startswith(SETTLED_BY) for each in self.trade_ids)

    @property
    def was_never_placed(self) -> bool:
        """Whether it was concluded that the broker never had it. A later trade or acceptance is an alarm.

        False for a cancelled order: only the broker reports a cancellation, so the broker had it.
        """
        return self.state in {"EXPIRED", "REJECTED"} and not self.broker_order_id and not self.filled


def intent_of(order: SubmitOrder, now_ns: int) -> OrderIntended:
    """Return the intent of an order that is submitted: the fact, if it passes the gate."""
    return OrderIntended(
        client_order_id=order.client_order_id,
        strategy=order.strategy,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        order_type=order.order_type,
        limit_price=order.limit_price,
        occurred_ns=now_ns,
        trigger_price=order.trigger_price,
        validity=order.validity,
        product=order.product,
        target_price=order.target_price,
        stop_loss_price=order.stop_loss_price,
    )


def as_submitted(  # noqa: PLR0913  what is other than it is in the order
    order: Order,
    *,
    quantity: int,
    limit_price: float | None,
    trigger_price: float | None,
    reference_price: float = 0.0,
    reference_ns: int = 0,
) -> SubmitOrder:
    """Return what an order, or a part of it, would be submitted as by other terms: for who judges or counts a change.

    Args:
        order: as it is.
        quantity: shares.
        limit_price: rupees, as the other prices.
        trigger_price: of a stop.
        reference_price: the market's, as who changes it saw it.
        reference_ns: when that was: nanoseconds since 1970-01-01 UTC.
    """
    return SubmitOrder(
        client_order_id=order.client_order_id,
        strategy=order.strategy,
        symbol=order.symbol,
        side=order.side,
        quantity=quantity,
        order_type=order.order_type,
        limit_price=limit_price,
        trigger_price=trigger_price,
        validity=order.validity,
        reference_price=reference_price,
        reference_ns=reference_ns,
        product=order.product,
    )


def refused(order: SubmitOrder, *, rule: str, reason: str, now_ns: int, shares_max: int | None = None) -> OrderRefused:
    """Return the fact of an order that never left, the texts of whoever submitted it made printable."""
    return OrderRefused(
        client_order_id=printable(order.client_order_id),
        strategy=printable(order.strategy),
        symbol=printable(order.symbol),
        side=order.side,
        quantity=order.quantity,
        rule=rule,
        reason=reason,
        occurred_ns=now_ns,
        order_type=order.order_type,
        limit_price=order.limit_price,
        trigger_price=order.trigger_price,
        shares_max=shares_max,
    )


def advance(order: Order, fact: OrderFact) -> Order:
    """Return the order after one of its facts; the very same object if the fact changes nothing."""
    apply = _APPLY.get(type(fact))
    return order if apply is None else apply(order, fact)


def _traded(order: Order, fill: OrderFilled) -> Order:
    if fill.trade_id in order.trade_ids:
        return order
    filled = order.filled + fill.quantity
    state = _state(order.evidence, filled=filled, of=order.quantity_max)
    return replace(order, trade_ids=order.trade_ids | {fill.trade_id}, filled=filled, state=state)


def _accepted(order: Order, fact: OrderAccepted) -> Order:
    # Two broker order ids for one order would be the broker's fault; the greater is the same in any order of facts.
    if fact.broker_order_id <= order.broker_order_id:
        return order
    evidence: OrderState = "ACCEPTED" if _STRENGTH[order.evidence] < _STRENGTH["ACCEPTED"] else order.evidence
    state = _state(evidence, filled=order.filled, of=order.quantity_max)
    return replace(order, broker_order_id=fact.broker_order_id, evidence=evidence, state=state)


def _told(order: Order, fact: OrderFact) -> Order:
    evidence = _EVIDENCE[type(fact)]
    if _STRENGTH[evidence] <= _STRENGTH[order.evidence]:
        return order
    return replace(order, evidence=evidence, state=_state(evidence, filled=order.filled, of=order.quantity_max))


def _triggered(order: Order, _fact: OrderTriggered) -> Order:
    return order if order.is_triggered else replace(order, is_triggered=True)


def _intended_to_be(order: Order, fact: ModificationIntended) -> Order:
    if fact.number <= order.modifications:
        return order
    pending = None
    if fact.number > order.settled:
        pending = Pending(
            number=fact.number,
            quantity=fact.quantity,
            limit_price=fact.limit_price,
            trigger_price=fact.trigger_price,
            intended_ns=fact.occurred_ns,
        )
    return restated(replace(order, modifications=fact.number, pending=pending))


def _modified(order: Order, fact: OrderModified) -> Order:
    if fact.number <= order.in_effect:
        return order
    after = replace(
        order,
        modifications=max(order.modifications, fact.number),  # somebody else's counts as well
        in_effect=fact.number,
        quantity=fact.quantity,
        limit_price=fact.limit_price,
        trigger_price=fact.trigger_price,
    )
    return restated(_settled(after, fact.number))


def _not_modified(order: Order, fact: ModificationRefused) -> Order:
    return order if fact.number <= order.settled else restated(_settled(order, fact.number))


def _settled(order: Order, number: int) -> Order:
    pending = order.pending
    if pending is not None and pending.number <= number:
        pending = None
    return replace(order, settled=max(order.settled, number), pending=pending)


def _asked_to_cancel(order: Order, fact: CancellationIntended) -> Order:
    if fact.number <= order.cancellations:
        return order
    asked = None
    if fact.number > order.cancellations_refused:
        asked = Cancellation(number=fact.number, asked_by=fact.asked_by, intended_ns=fact.occurred_ns)
    return replace(order, cancellations=fact.number, asked_to_cancel=asked)


def _not_cancelled(order: Order, fact: CancellationRefused) -> Order:
    if fact.number <= order.cancellations_refused:
        return order
    asked = order.asked_to_cancel
    if asked is not None and asked.number <= fact.number:
        asked = None
    return replace(order, cancellations_refused=fact.number, asked_to_cancel=asked)


def _cancelling_doubted(order: Order, fact: CancellationUncertain) -> Order:
    return order if fact.number <= order.cancellations_doubted else replace(order, cancellations_doubted=fact.number)


def restated(order: Order) -> Order:
    """Return the order in the state that its evidence, its trades and its quantity amount to."""
    state = _state(order.evidence, filled=order.filled, of=order.quantity_max)
    return order if state == order.state else replace(order, state=state)


def _state(evidence: OrderState, *, filled: int, of: int) -> OrderState:
    """Return the state of an order with this evidence, and so many shares filled of so many."""
    if filled >= of:
        return "FILLED"
    if filled and _STRENGTH[evidence] < _STRENGTH["PART_FILLED"]:
        return "PART_FILLED"
    return evidence


_APPLY: Final[dict[type, Callable[[Order, Any], Order]]] = {
    OrderFilled: _traded,
    OrderAccepted: _accepted,
    OrderUncertain: _told,
    OrderRejected: _told,
    OrderExpired: _told,
    OrderCancelled: _told,
    OrderTriggered: _triggered,
    ModificationIntended: _intended_to_be,
    OrderModified: _modified,
    ModificationRefused: _not_modified,
    CancellationIntended: _asked_to_cancel,
    CancellationUncertain: _cancelling_doubted,
    CancellationRefused: _not_cancelled,
}
