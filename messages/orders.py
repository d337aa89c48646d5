"""Orders: what a strategy asks, and the facts that follow.

A strategy sends `SubmitOrder`, `ModifyOrder` or `CancelOrder` to orders. Everything that happens to an order is a
fact, durable in the journal before anything acts on it; the events router delivers each fact to the subscribers of its
type. A submitted order ends in exactly one of `OrderRefused`, `OrderRejected`, `OrderCancelled`, `OrderExpired`, or in
fills that add up to its quantity.
"""

from typing import Literal, TypeAlias

import msgspec

from .units import (
    INTEGER_MAX,
    RUPEES_MAX,
    Count,
    Nanoseconds,
    Price,
    Rupees,
    Shares,
    SomeCount,
    SomeShares,
)

Side: TypeAlias = Literal["BUY", "SELL"]
OrderType: TypeAlias = Literal["MARKET", "LIMIT", "STOP", "STOP_LIMIT"]
"""STOP becomes a MARKET order, and STOP_LIMIT a LIMIT order, once the last price meets the trigger. Where a broker
takes no stop without a limit, its body sends a STOP with one (`domain/stops.py`)."""

Validity: TypeAlias = Literal["DAY", "IOC"]
"""DAY rests until it trades, is cancelled, or the day ends. IOC (immediate or cancel) does not rest."""

Product: TypeAlias = Literal["INTRADAY", "CNC", "MARGIN"]
"""INTRADAY: closed by the broker at the end of the day; CNC: delivery; MARGIN: carried futures and options."""

OrderState: TypeAlias = Literal[
    "INTENDED", "UNKNOWN", "ACCEPTED", "PART_FILLED", "FILLED", "REFUSED", "REJECTED", "CANCELLED", "EXPIRED"
]
CancellationState: TypeAlias = Literal["", "REQUESTED", "IN_DOUBT", "REFUSED", "DONE", "TOO_LATE"]
"""What became of the newest cancellation that was asked for; empty: none was. REQUESTED and IN_DOUBT are in flight: the
broker has not answered, or not in time. REFUSED: the order is open still. DONE: it is cancelled. TOO_LATE: it ended
otherwise."""


def fault_of_terms(
    side: Side, *, quantity: int, order_type: OrderType, limit_price: float | None, trigger_price: float | None
) -> str:
    """Say what is wrong with the quantity and the prices of an order of this type; empty if nothing is.

    A limit price of a MARKET order is not looked at, as it never was: old journals may have one.
    """
    if not 1 <= quantity <= INTEGER_MAX:
        return f"quantity must be at least 1 share and fit 64 bits, was {quantity}"
    if order_type == "MARKET" and limit_price is None and trigger_price is None:
        return ""
    return _fault_of_prices(side, order_type, limit_price, trigger_price)


def _fault_of_prices(side: Side, order_type: OrderType, limit_price: float | None, trigger_price: float | None) -> str:
    is_limited, is_stop = order_type in {"LIMIT", "STOP_LIMIT"}, order_type in {"STOP", "STOP_LIMIT"}
    # The codec refuses such a price when it decodes, NaN above all: the journal's record would be unreadable.
    for name, price, wanted in (("limit_price", limit_price, is_limited), ("trigger_price", trigger_price, is_stop)):
        if price is None and wanted:
            return f"a {order_type} order must have a {name} above 0 rupees, was None"
        if price is not None and not 0 < price <= RUPEES_MAX:
            return f"{name} must be above 0 and at most {RUPEES_MAX:.0f} rupees, was {price}"
        if price is not None and not (wanted or (order_type == "MARKET" and name == "limit_price")):
            return f"a {order_type} order must have no {name}, was {price}"
    if limit_price is None or trigger_price is None:
        return ""
    if limit_price < trigger_price if side == "BUY" else limit_price > trigger_price:
        where = "at or above" if side == "BUY" else "at or below"
        return f"limit_price must be {where} the trigger_price of {trigger_price}, was {limit_price}"
    return ""


def fault_of_exits(
    side: Side,
    *,
    limit_price: float | None,
    trigger_price: float | None,
    target_price: float | None,
    stop_loss_price: float | None,
) -> str:
    """Say what is wrong with the exits of a bracket by the prices of its entry, all in rupees; empty: nothing."""
    target, stop_loss = ("target_price", target_price), ("stop_loss_price", stop_loss_price)
    low, high = (stop_loss, target) if side == "BUY" else (target, stop_loss)
    for name, price in (target, stop_loss):
        if price is not None and not 0 < price <= RUPEES_MAX:
            return f"{name} must be above 0 and at most {RUPEES_MAX:.0f} rupees, was {price}"
    for name, price in (("limit_price", limit_price), ("trigger_price", trigger_price)):
        if price is not None and not (low[1] or 0.0) < price < (high[1] or float("inf")):
            return f"{name} of a {side} must be between {low[0]} and {high[0]}, were {price}, {low[1]}, {high[1]}"
    if low[1] is not None and high[1] is not None and low[1] >= high[1]:
        return f"{low[0]} of a {side} must be below {high[0]}, were {low[1]} and {high[1]}"
    return ""


class SubmitOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SubmitOrder"):
    """From a strategy to orders: place this order, once. A repeat with the same client order id places nothing more.

    Answered by facts: `OrderRefused`, or `OrderIntended` and what follows it.

    Raises:
        ValueError: quantity below 1 share, a price that its type wants and does not have, or has and does not want, a
            price out of range, or a limit before the trigger.
    """

    client_order_id: str
    """Chosen by the strategy, unique for ever; 1 to 25 characters of A-Z a-z 0-9 - _ (the broker's alphabet)."""

    strategy: str
    symbol: str
    side: Side

    quantity: SomeShares
    """Shares or contract units, at least 1."""

    order_type: OrderType = "MARKET"

    limit_price: Price | None = None
    """Rupees, on the instrument's tick grid; only for LIMIT and STOP_LIMIT."""

    submitted_ns: Nanoseconds = 0
    """Nanoseconds since 1970-01-01 UTC, by the strategy's clock."""

    reference_price: Rupees = 0.0
    """Rupees: the last price of the symbol that the strategy saw; 0 for none, and then a MARKET order is refused."""

    reference_ns: Nanoseconds = 0
    """When that price came: nanoseconds since 1970-01-01 UTC; 0 where it is not known."""

    trigger_price: Price | None = None
    """Rupees, on the instrument's tick grid; only for STOP and STOP_LIMIT. A BUY triggers at or above it, a SELL at or
    below."""

    validity: Validity = "DAY"
    product: Product | None = None
    """None: that of what its strategy holds, if it closes that, else as the broker's settings say."""

    target_price: Price | None = None
    """Rupees, on the instrument's tick grid: with this or the next one it is the entry of a bracket (see
    `domain/brackets/`), and what is filled is closed by a LIMIT order at this price, ..."""

    stop_loss_price: Price | None = None
    """... or by a STOP order at this one, in rupees, whichever trades first."""

    def __post_init__(self) -> None:
        if fault := fault_of_terms(
            self.side,
            quantity=self.quantity,
            order_type=self.order_type,
            limit_price=self.limit_price,
            trigger_price=self.trigger_price,
        ):
            raise ValueError(fault)
        if self.has_bracket and (
            fault := fault_of_exits(
                self.side,
                limit_price=self.limit_price,
                trigger_price=self.trigger_price,
                target_price=self.target_price,
                stop_loss_price=self.stop_loss_price,
            )
        ):
            raise ValueError(fault)

    @property
    def has_bracket(self) -> bool:
        """Whether it is the entry of a bracket."""
        return self.target_price is not None or self.stop_loss_price is not None


class CancelOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="CancelOrder"):
    """From a strategy to orders: cancel the open quantity of this order.

    Answered by facts: `CancellationIntended`, and then `OrderCancelled`, `CancellationRefused`, or the fills that came
    first. Where there is nothing to cancel by a `CancellationRefused` to the sender alone.
    """

    client_order_id: str

    squares_off: bool = False
    """Its strategy then closes the position itself, and tells by `SquaringOffEnded` when that is over: where it could
    not, orders closes what the exits of a bracket were for. In HALTED it is refused: nothing could close it."""


class SquaringOffEnded(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SquaringOffEnded"):
    """From a strategy to orders: it squares off a symbol no more. A repeat changes nothing more."""

    strategy: str
    symbol: str

    reason: str = ""
    """Why the position could not be closed; empty: it is."""


class ModifyOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ModifyOrder"):
    """From a strategy to orders: let this open order be so from now on. A repeat changes nothing more.

    Answered by facts: `ModificationRefused`, or `ModificationIntended`, and then `OrderModified` or
    `ModificationRefused`. One at a time: another is refused until the one before is settled.

    Raises:
        ValueError: a price or quantity out of range, or nothing is to change.
    """

    client_order_id: str

    quantity: SomeShares | None = None
    """Shares or contract units, all of it, what is filled included; None: as it is."""

    limit_price: Price | None = None
    """Rupees, on the instrument's tick grid; None: as it is."""

    trigger_price: Price | None = None
    """Rupees, on the instrument's tick grid; None: as it is."""

    reference_price: Rupees = 0.0
    """Rupees: the last price of the symbol that the strategy saw; 0 for none."""

    reference_ns: Nanoseconds = 0
    """When that price came: nanoseconds since 1970-01-01 UTC; 0 where it is not known."""

    def __post_init__(self) -> None:
        if self.quantity is not None and not 1 <= self.quantity <= INTEGER_MAX:
            raise ValueError(f"quantity must be at least 1 share and fit 64 bits, was {self.quantity}")
        for name, price in (("limit_price", self.limit_price), ("trigger_price", self.trigger_price)):
            if price is not None and not 0 < price <= RUPEES_MAX:
                raise ValueError(f"{name} must be above 0 and at most {RUPEES_MAX:.0f} rupees, was {price}")
        if self.quantity is None and self.limit_price is None and self.trigger_price is None:
            raise ValueError("a quantity, a limit_price or a trigger_price to change must be given, found none")


class OrderIntended(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderIntended"):
    """Fact: the risk gate passed this order; at most one request leaves for it, after this is durable."""

    client_order_id: str
    strategy: str
    symbol: str
    side: Side
    quantity: SomeShares
    order_type: OrderType
    limit_price: Price | None
    """Rupees."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""

    trigger_price: Price | None = None
    """Rupees; None unless it is a stop."""

    validity: Validity = "DAY"
    product: Product | None = None
    """None: as the broker's settings said."""

    target_price: Price | None = None
    """Rupees; None unless it is the entry of a bracket with a target."""

    stop_loss_price: Price | None = None
    """Rupees; None unless it is the entry of a bracket with a stop."""


class OrderRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderRefused"):
    """Fact: our own risk gate refused; nothing was sent."""

    client_order_id: str
    strategy: str
    symbol: str
    side: Side
    quantity: Shares
    rule: str
    """Name of the rule that refused."""

    reason: str
    """What was wanted and what was found."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""

    order_type: OrderType | None = None
    """None of an earlier release, which did not keep it."""

    limit_price: Price | None = None
    """Rupees."""

    trigger_price: Price | None = None
    """Rupees."""

    shares_max: Shares | None = None
    """Of an order that was too large: as many shares as one may have; None: it was refused for another reason."""


class OrderAccepted(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderAccepted"):
    """Fact: the broker has the order."""

    client_order_id: str
    broker_order_id: str
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class OrderTriggered(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderTriggered"):
    """Fact: the last price has met the trigger of a stop; it is in the market from now on. Not every broker tells."""

    client_order_id: str
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class OrderRejected(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderRejected"):
    """Fact: the broker or the exchange refused the order; it does not exist there."""

    client_order_id: str
    reason: str
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class OrderUncertain(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderUncertain"):
    """Fact: the request may or may not have reached the broker. Its exposure stays reserved; look-ups resolve it."""

    client_order_id: str
    reason: str
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class OrderFilled(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderFilled"):
    """Fact: one trade of an order. `(client_order_id, trade_id)` identifies it; a repeat changes nothing."""

    client_order_id: str
    trade_id: str
    strategy: str
    symbol: str
    side: Side

    quantity: SomeShares
    """Shares of this trade, at least 1."""

    price: Rupees
    """Rupees a share of this trade; 0 where a contract has expired worthless."""

    cumulative_quantity: SomeShares
    """Shares filled so far, this trade included."""

    occurred_ns: Nanoseconds
    """Time of the trade: nanoseconds since 1970-01-01 UTC, by the exchange's clock."""


class OrderCancelled(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderCancelled"):
    """Fact: the open quantity of the order is cancelled."""

    client_order_id: str
    reason: str
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class ModificationIntended(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ModificationIntended"
):
    """Fact: the risk gate passed this change of an order; at most one request leaves for it, after this is durable.

    Until it is settled, whichever of the quantities before and after is greater counts as exposure.
    """

    client_order_id: str
    number: SomeCount
    """Of this order's modifications, from 1."""

    quantity: SomeShares
    """Shares, all of it, what is filled included."""

    limit_price: Price | None
    """Rupees."""

    trigger_price: Price | None
    """Rupees."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class OrderModified(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderModified"):
    """Fact: the broker has the order so. Settles the modification of this number.

    Where none of it was intended, somebody else has made it, at the broker.
    """

    client_order_id: str
    number: SomeCount
    """Of this order's modifications, from 1."""

    quantity: SomeShares
    """Shares, all of it, what is filled included."""

    limit_price: Price | None
    """Rupees."""

    trigger_price: Price | None
    """Rupees."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class ModificationRefused(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ModificationRefused"
):
    """Fact: the order stays as it was, by our gate, by the broker, or by a look-up long enough after the request."""

    client_order_id: str
    number: Count
    """Of the modification that this settles; 0: it was none, since our gate refused it."""

    rule: str
    """Name of the rule of our gate; `broker`; or `absent`: the broker showed the order unchanged."""

    reason: str
    """What was wanted and what was found."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class CancellationIntended(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="CancellationIntended"
):
    """Fact: the open quantity of the order is to be cancelled; the request does not wait for this to be durable.

    It is in flight until the order has ended, or `CancellationRefused`. Of one in doubt the request may leave again: a
    second one cancels nothing more.
    """

    client_order_id: str
    number: SomeCount
    """Of this order's cancellations, from 1."""

    asked_by: str
    """Its strategy, the name of a person, or the part of natya that wants it."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class CancellationUncertain(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="CancellationUncertain"
):
    """Fact: the broker has not answered this cancellation, and a look-up showed the order open; it is asked again."""

    client_order_id: str
    number: SomeCount
    """Of this order's cancellations, from 1."""

    reason: str
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class CancellationRefused(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="CancellationRefused"
):
    """Fact: the order is not cancelled, by the broker's answer, or because there was nothing to cancel."""

    client_order_id: str
    number: Count
    """Of the cancellation that this settles; 0: it was none, since nothing was to be cancelled."""

    rule: str
    """`broker`; or of ours `order_state` or `identity`."""

    reason: str
    """What was wanted and what was found, or the broker's reason."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class OrderExpired(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderExpired"):
    """Fact: the order ended without being filled: its validity ran out, or it never reached the broker."""

    client_order_id: str
    reason: str
    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


OrderFact: TypeAlias = (
    OrderIntended
    | OrderRefused
    | OrderAccepted
    | OrderTriggered
    | OrderRejected
    | OrderUncertain
    | OrderFilled
    | OrderCancelled
    | OrderExpired
    | ModificationIntended
    | OrderModified
    | ModificationRefused
    | CancellationIntended
    | CancellationUncertain
    | CancellationRefused
)
