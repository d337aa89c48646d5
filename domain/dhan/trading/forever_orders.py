"""Forever orders: they wait for their trigger over days, alone (SINGLE) or two of which one cancels the other (OCO)."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

import msgspec

from ..moments import Day, Moment
from ..words import (
    ClientId,
    CorrelationId,
    Id,
    LegName,
    OrderId,
    PriceRupees,
    SecurityId,
    SomeUnits,
    Status,
    Text,
    TransactionType,
    Units,
    Validity,
)

OrderFlag: TypeAlias = Literal["SINGLE", "OCO"]
ForeverSegment: TypeAlias = Literal["NSE_EQ", "NSE_FNO", "BSE_EQ", "BSE_FNO"]
ForeverProduct: TypeAlias = Literal["CNC", "MTF", "MARGIN"]
ForeverOrderType: TypeAlias = Literal["LIMIT", "MARKET"]


class PlaceForeverOrderRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`POST /forever/orders`; what ends in 1 is the second leg, of OCO alone."""

    dhan_client_id: ClientId
    order_flag: OrderFlag
    transaction_type: TransactionType
    exchange_segment: ForeverSegment
    product_type: ForeverProduct
    order_type: ForeverOrderType
    security_id: SecurityId
    quantity: SomeUnits
    price: PriceRupees
    trigger_price: PriceRupees
    validity: Validity = "DAY"
    correlation_id: CorrelationId = ""
    disclosed_quantity: Units = 0
    price1: PriceRupees = 0.0
    trigger_price1: PriceRupees = 0.0
    quantity1: Units = 0


class ModifyForeverOrderRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`PUT /forever/orders/{order-id}`: one leg, the whole of it; LIMIT with a price of 0 is refused."""

    dhan_client_id: ClientId
    order_id: OrderId
    order_flag: OrderFlag
    order_type: ForeverOrderType
    leg_name: LegName
    """`TARGET_LEG`: the single or the first one; `STOP_LOSS_LEG`: the second."""

    quantity: SomeUnits
    price: PriceRupees
    trigger_price: PriceRupees
    disclosed_quantity: Units = 0
    validity: Validity = "DAY"


class ForeverOrderRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One leg: `GET /forever/orders`. An OCO has two rows of one order id."""

    order_id: Id
    order_status: Status
    """`CONFIRM`: it waits for its trigger."""

    security_id: Id
    transaction_type: TransactionType
    quantity: Units
    order_type: Text = ""
    """`SINGLE` or `OCO`: the flag stands here. The real type is hidden; a price of 0 is MARKET."""

    exchange_segment: Text = ""
    product_type: Text = ""
    trading_symbol: Text = ""
    price: PriceRupees = 0.0
    trigger_price: PriceRupees = 0.0
    leg_name: Text = ""
    """A SINGLE may stand as either leg."""

    create_time: Moment = None
    update_time: Moment = None
    exchange_time: Moment = None
    drv_expiry_date: Day = None
    drv_option_type: Text = ""
    drv_strike_price: PriceRupees = 0.0
    dhan_client_id: Text = ""

    ALSO: ClassVar[dict[str, tuple[str, ...]]] = {"order_type": ("orderFlag",)}
    UNSAID: ClassVar[dict[str, str | None]] = {
        "update_time": None,
        "exchange_time": None,
        "drv_expiry_date": None,
        "drv_option_type": None,
    }
