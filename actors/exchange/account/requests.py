"""What may be asked of an account. The verbs are methods of `Account`; these are their arguments."""

from __future__ import annotations

import msgspec

from ....messages.exchange import (
    AlertCondition,
    AlertOrder,
    AmoTime,
    Instrument,
    Leg,
    ProductType,
    TicketType,
)
from ....messages.orders import Side, Validity
from ....messages.units import Price, Rupees, Shares, SomeShares


class Ticket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order to place: `place`, `place_sliced`."""

    instrument: Instrument
    side: Side
    product: ProductType
    order_type: TicketType
    quantity: SomeShares
    validity: Validity = "DAY"
    limit_price: Rupees = 0.0
    """For LIMIT and STOP_LOSS; 0 for the others."""

    trigger_price: Rupees = 0.0
    """For STOP_LOSS and STOP_LOSS_MARKET."""

    disclosed_quantity: Shares = 0
    amo_time: AmoTime = ""
    """When an after-market order is released; empty for an ordinary order."""

    correlation_id: str = ""
    """Need not be unique: two orders of one id are two orders."""

    target_offset: Rupees = 0.0
    """Of a bracket order: how far its target is from what the entry pays."""

    stop_offset: Rupees = 0.0
    """Of a bracket or cover order: how far its stop is from that. A cover order may name it as its trigger instead."""


class Modification(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A pending order, restated whole: `modify`."""

    order_id: str
    order_type: TicketType
    quantity: SomeShares
    """All of it, the traded part included."""

    limit_price: Rupees = 0.0
    trigger_price: Rupees = 0.0
    disclosed_quantity: Shares = 0
    validity: Validity = "DAY"
    leg: Leg = ""
    """Of a cover or bracket order; empty: that of the order id."""

    exit_price: Rupees = 0.0
    """Of its target or stop, where `leg` names one."""


class SuperTicket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An entry with a target and a stop: `place_super`."""

    instrument: Instrument
    side: Side
    product: ProductType
    order_type: TicketType
    """LIMIT or MARKET."""

    quantity: SomeShares
    limit_price: Rupees = 0.0
    target_price: Rupees = 0.0
    """0 for none; one of target and stop is needed."""

    stop_price: Rupees = 0.0
    trailing_jump: Rupees = 0.0
    correlation_id: str = ""


class SuperModification(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What of a leg of a super order shall change: `modify_super`. None leaves a value."""

    order_id: str
    leg: Leg
    order_type: TicketType | None = None
    quantity: SomeShares | None = None
    limit_price: Rupees | None = None
    target_price: Rupees | None = None
    stop_price: Rupees | None = None
    trailing_jump: Rupees = 0.0
    """0 ends trailing, in a change of the entry or the stop."""


class ForeverTicket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order that waits for its trigger over days: `place_forever`. With a second trigger: one cancels the other."""

    instrument: Instrument
    side: Side
    product: ProductType
    order_type: TicketType
    """LIMIT or MARKET."""

    quantity: SomeShares
    trigger_price: Price
    limit_price: Rupees = 0.0
    validity: Validity = "DAY"
    disclosed_quantity: Shares = 0
    correlation_id: str = ""
    second_quantity: Shares = 0
    """0 for a single one."""

    second_trigger_price: Rupees = 0.0
    second_limit_price: Rupees = 0.0


class ForeverModification(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One leg of a forever order, restated: `modify_forever`."""

    order_id: str
    leg: Leg
    """TARGET_LEG: the single or first one; STOP_LOSS_LEG: the second."""

    order_type: TicketType
    quantity: SomeShares
    trigger_price: Price
    limit_price: Rupees = 0.0
    disclosed_quantity: Shares = 0
    validity: Validity = "DAY"


class AlertTicket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A condition, and the orders it sends: `place_conditional`."""

    condition: AlertCondition
    orders: tuple[AlertOrder, ...]


class AlertModification(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A condition restated, with its orders where they change: `modify_conditional`."""

    alert_id: str
    condition: AlertCondition
    orders: tuple[AlertOrder, ...] | None = None


class Conversion(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A position that shall be of another product: `convert_position`."""

    instrument: Instrument
    source: ProductType
    target: ProductType
    is_long: bool
    quantity: SomeShares


class PnlExit(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Profit and loss at which all positions are closed: `set_pnl_exit`."""

    profit_rupees: Rupees
    """0 for none."""

    loss_rupees: Rupees
    """A positive number; 0 for none."""

    products: tuple[str, ...] = ("INTRADAY", "DELIVERY")
    kills: bool = False
    """Whether the kill switch follows."""


class MarginTicket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An order that is thought of: `margin_of`."""

    instrument: Instrument
    side: Side
    product: ProductType
    quantity: SomeShares
    price: Rupees = 0.0
    trigger_price: Rupees = 0.0


class MarginTogether(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Orders that are thought of together: `margin_together`."""

    tickets: tuple[MarginTicket, ...]
    with_positions: bool = False
    with_orders: bool = False
    """Whether the open orders count, too."""
