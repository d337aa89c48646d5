"""Orders that wait for a condition (alerts), and several orders in one request."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, UnsetType

from ..moments import Day, Moment
from ..words import (
    ClientId,
    Id,
    OrderType,
    PriceRupees,
    ProductType,
    SecurityId,
    Segment,
    SignedRupees,
    SomeUnits,
    Status,
    Text,
    TransactionType,
    Units,
    Validity,
    Words,
)
from .orders import OrderTerms

ORDERS_MAX: Final = 15
"""In one request."""

Comparison: TypeAlias = Literal[
    "TECHNICAL_WITH_VALUE", "TECHNICAL_WITH_INDICATOR", "TECHNICAL_WITH_CLOSE", "PRICE_WITH_VALUE"
]
Indicator: TypeAlias = Literal[
    "SMA_5", "SMA_10", "SMA_20", "SMA_50", "SMA_100", "SMA_200",
    "EMA_5", "EMA_10", "EMA_20", "EMA_50", "EMA_100", "EMA_200",
    "BB_UPPER", "BB_LOWER", "RSI_14", "ATR_14", "STOCHASTIC", "STOCHRSI_14", "MACD_26", "MACD_12", "MACD_HIST",
]  # fmt: skip
TimeFrame: TypeAlias = Literal["DAY", "ONE_MIN", "FIVE_MIN", "FIFTEEN_MIN"]
Operator: TypeAlias = Literal[
    "CROSSING_UP", "CROSSING_DOWN", "CROSSING_ANY_SIDE",
    "GREATER_THAN", "LESS_THAN", "GREATER_THAN_EQUAL", "LESS_THAN_EQUAL", "EQUAL", "NOT_EQUAL",
]  # fmt: skip
AlertSegment: TypeAlias = Literal["NSE_EQ", "BSE_EQ", "IDX_I"]
AlertStatus: TypeAlias = Annotated[str, Words(("ACTIVE", "TRIGGERED", "EXPIRED", "CANCELLED"))]
NumberText: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?\Z")]
"""A number as text: alerts have their prices so."""


class Condition(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """When the orders leave; what a comparison needs beside the operator stands with `NEEDS`."""

    comparison_type: Comparison
    exchange_segment: AlertSegment
    security_id: SecurityId
    operator: Operator
    exp_date: Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d\Z")] | UnsetType = UNSET
    """One year from now, if it is not said."""

    frequency: Literal["ONCE", "ALWAYS"] = "ONCE"
    indicator_name: Indicator | UnsetType = UNSET
    comparing_indicator_name: Indicator | UnsetType = UNSET
    time_frame: TimeFrame | UnsetType = UNSET
    comparing_value: SignedRupees | UnsetType = UNSET
    user_note: Annotated[str, Meta(max_length=256)] | UnsetType = UNSET


NEEDS: Final[dict[str, frozenset[str]]] = {
    "TECHNICAL_WITH_VALUE": frozenset({"indicator_name", "time_frame", "comparing_value"}),
    "TECHNICAL_WITH_INDICATOR": frozenset({"indicator_name", "time_frame", "comparing_indicator_name"}),
    "TECHNICAL_WITH_CLOSE": frozenset({"indicator_name", "time_frame"}),
    "PRICE_WITH_VALUE": frozenset({"comparing_value"}),
}
"""What each comparison needs."""


class AlertOrder(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An order that leaves when the condition is met: its numbers are texts, and one name is short."""

    transaction_type: TransactionType
    exchange_segment: Segment
    product_type: ProductType
    order_type: OrderType
    security_id: SecurityId
    quantity: SomeUnits
    validity: Validity = "DAY"
    price: NumberText = "0"
    disc_quantity: NumberText = "0"
    trigger_price: NumberText = "0"


class AlertRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`POST /alerts/orders`, and `PUT /alerts/orders/{alertId}` with the id."""

    dhan_client_id: ClientId
    condition: Condition
    orders: Annotated[tuple[AlertOrder, ...], Meta(max_length=ORDERS_MAX)]
    alert_id: Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,40}\Z")] | UnsetType = UNSET


class AlertAck(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What making, changing and ending an alert is answered with."""

    alert_id: Id
    alert_status: AlertStatus


class ConditionRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A condition as it is answered, and as a request for one is read."""

    comparison_type: Text
    security_id: Id
    exchange_segment: Text = ""
    operator: Text = ""
    exp_date: Day = None
    frequency: Text = ""
    indicator_name: Text = ""
    comparing_indicator_name: Text = ""
    time_frame: Text = ""
    comparing_value: SignedRupees | None = None
    user_note: Text = ""


class AlertOrderRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An order of an alert as it is answered, and as a request for one is read."""

    transaction_type: TransactionType
    security_id: Id
    quantity: SomeUnits
    exchange_segment: Text = ""
    product_type: Text = ""
    order_type: Text = ""
    validity: Text = ""
    price: PriceRupees = 0.0
    disc_quantity: Units = 0
    trigger_price: PriceRupees = 0.0

    ALSO: ClassVar[dict[str, tuple[str, ...]]] = {"disc_quantity": ("disclosedQuantity",)}


class AlertRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An alert: `GET /alerts/orders`, `/alerts/orders/{alertId}`."""

    alert_id: Id
    alert_status: AlertStatus
    condition: ConditionRow | None = None
    orders: tuple[AlertOrderRow, ...] = ()
    created_time: Moment = None
    """UTC on the wire, alone among Dhan's times; here on the exchanges' clock, as all the others."""

    triggered_time: Moment = None
    last_price: SignedRupees | None = None

    UNSAID: ClassVar[dict[str, str | None]] = {"created_time": None, "triggered_time": None}
    UTC: ClassVar[frozenset[str]] = frozenset({"created_time", "triggered_time"})
    """Times that are written as UTC, with a Z."""


class MultiOrderLeg(OrderTerms, frozen=True, kw_only=True, rename="camel"):
    """One order of several in a request; each stands for itself: nothing promises all or none."""

    sequence: Annotated[str, Meta(pattern=r"^[0-9]{1,2}\Z")]
    """`1`, `2`, …"""


class MultiOrderRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`POST /alerts/multi/orders`."""

    dhan_client_id: ClientId
    orders: Annotated[tuple[MultiOrderLeg, ...], Meta(min_length=1, max_length=ORDERS_MAX)]


class MultiOrderLegAck(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of one of them."""

    sequence: Text
    order_status: Status
    order_id: Text = ""


class MultiOrderAck(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What several orders in one request are answered with."""

    orders: tuple[MultiOrderLegAck, ...]
