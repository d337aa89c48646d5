"""Orders and their trades of the day, and what placing, modifying and cancelling says.

Rows are read by `tolerant.read`; requests are written by `writing.body_of`, each field of them, since a body that left
fields out was refused. Quantities are shares or units, never lots; prices are rupees; zero is written where nothing is
meant.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec
from msgspec import UNSET, UnsetType

from ..moments import Day, Moment, time_ns
from ..words import (
    ENDED_STATUSES,
    AmoTime,
    ClientId,
    CorrelationId,
    Id,
    LegName,
    OrderId,
    OrderType,
    PriceRupees,
    ProductType,
    SecurityId,
    Segment,
    SomeRupees,
    SomeUnits,
    Status,
    Text,
    TransactionType,
    Units,
    Validity,
)


class OrderTerms(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is ordered: each field is written, also what is not used."""

    transaction_type: TransactionType
    exchange_segment: Segment
    product_type: ProductType
    order_type: OrderType
    security_id: SecurityId
    quantity: SomeUnits
    correlation_id: CorrelationId = ""
    validity: Validity = "DAY"
    disclosed_quantity: Units = 0
    price: PriceRupees = 0.0
    trigger_price: PriceRupees = 0.0
    after_market_order: bool = False
    amo_time: AmoTime | UnsetType = UNSET
    """When an order that was placed after the market leaves; not written of others."""

    bo_profit_value: PriceRupees | UnsetType = UNSET
    bo_stop_loss_value: PriceRupees | UnsetType = UNSET
    """Of bracket orders (`BO`) alone."""


class PlaceOrderRequest(OrderTerms, frozen=True, kw_only=True, rename="camel"):
    """`POST /orders`, and `/orders/slicing`."""

    dhan_client_id: ClientId


class ModifyOrderRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`PUT /orders/{order-id}`: it restates the whole order."""

    dhan_client_id: ClientId
    order_id: OrderId
    order_type: OrderType
    quantity: SomeUnits
    """All of it, not what is left."""

    leg_name: LegName = "NA"
    price: PriceRupees = 0.0
    """0 for MARKET."""

    disclosed_quantity: Units = 0
    trigger_price: PriceRupees = 0.0
    validity: Validity = "DAY"


class OrderAck(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What placing, modifying and cancelling are answered with."""

    order_id: Id
    order_status: Status


class OrderRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, gc=False):
    """An order of the day: `GET /orders`, `/orders/{order-id}`, `/orders/external/{correlation-id}`."""

    order_id: Id
    order_status: Status
    security_id: Id
    transaction_type: TransactionType
    quantity: Units
    exchange_segment: Text = ""
    product_type: Text = ""
    order_type: Text = ""
    validity: Text = "DAY"
    correlation_id: Text = ""
    exchange_order_id: Text = ""
    trading_symbol: Text = ""
    disclosed_quantity: Units = 0
    remaining_quantity: Units = 0
    filled_qty: Units = 0
    price: PriceRupees = 0.0
    trigger_price: PriceRupees = 0.0
    average_traded_price: PriceRupees = 0.0
    after_market_order: bool = False
    leg_name: Text = ""
    create_time: Moment = None
    update_time: Moment = None
    exchange_time: Moment = None
    oms_error_code: Text = ""
    oms_error_description: Text = ""
    """Why it was refused; `CONFIRMED`, or nothing, of a healthy one. The code is "0" for both: the status decides."""

    dhan_client_id: Text = ""
    algo_id: Text = ""
    bo_profit_value: PriceRupees = 0.0
    bo_stop_loss_value: PriceRupees = 0.0
    drv_expiry_date: Day = None
    drv_option_type: Text = ""
    drv_strike_price: PriceRupees = 0.0

    ALSO: ClassVar[dict[str, tuple[str, ...]]] = {"filled_qty": ("filledQuantity", "tradedQuantity")}
    UNSAID: ClassVar[dict[str, str]] = {
        "exchange_order_id": "0",
        "correlation_id": "NA",
        "leg_name": "NA",
        "drv_option_type": "NA",
        "oms_error_code": "0",
        "algo_id": "0",
    }
    """What the service writes where there is nothing."""

    @property
    def updated_ns(self) -> int | None:
        """When it last changed, nanoseconds since 1970 UTC; None: it is not told."""
        return time_ns(self.update_time)

    @property
    def is_open(self) -> bool:
        """Whether it may still trade; with an unknown status it may."""
        return self.order_status not in ENDED_STATUSES


class TradeRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, gc=False):
    """A fill of the day: `GET /trades`, `/trades/{order-id}`."""

    order_id: Id
    exchange_trade_id: Id
    security_id: Id
    transaction_type: TransactionType
    traded_quantity: SomeUnits
    traded_price: SomeRupees
    exchange_segment: Text = ""
    product_type: Text = ""
    order_type: Text = ""
    exchange_order_id: Text = ""
    trading_symbol: Text = ""
    create_time: Moment = None
    update_time: Moment = None
    exchange_time: Moment = None
    dhan_client_id: Text = ""
    custom_symbol: Text | None = None
    drv_expiry_date: Day = None
    drv_option_type: Text = ""
    drv_strike_price: PriceRupees = 0.0

    UNSAID: ClassVar[dict[str, str]] = {"exchange_order_id": "0", "drv_option_type": "NA"}

    @property
    def traded_ns(self) -> int | None:
        """When it traded, nanoseconds since 1970 UTC; None: it is not told."""
        return time_ns(self.exchange_time or self.create_time)
