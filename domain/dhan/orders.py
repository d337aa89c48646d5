"""Orders, trades, positions, holdings and funds, as Dhan's REST calls them; what is asked for is written in full.

Rows are read by `tolerant.read`; requests are written by `msgspec.json.encode`. Quantities are shares or units, never
lots; prices are rupees; zero is written where nothing is meant, since a body that leaves fields out was refused.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ...messages.units import INTEGER_MAX, RUPEES_MAX
from .tolerant import Moment, Words

Segment: TypeAlias = Literal[
    "IDX_I", "NSE_EQ", "NSE_FNO", "NSE_CURRENCY", "BSE_EQ", "MCX_COMM", "BSE_CURRENCY", "BSE_FNO", "NSE_COMM"
]
TransactionType: TypeAlias = Literal["BUY", "SELL"]
ProductType: TypeAlias = Literal["CNC", "INTRADAY", "MARGIN", "MTF", "CO", "BO"]
OrderType: TypeAlias = Literal["LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_MARKET"]
Validity: TypeAlias = Literal["DAY", "IOC"]
LegName: TypeAlias = Literal["ENTRY_LEG", "TARGET_LEG", "STOP_LOSS_LEG", "NA"]
AmoTime: TypeAlias = Literal["PRE_OPEN", "OPEN", "OPEN_30", "OPEN_60"]

STATUSES: Final = (
    *("TRANSIT", "PENDING", "PART_TRADED", "TRADED", "REJECTED", "CANCELLED", "EXPIRED"),
    *("TRIGGERED", "CLOSED", "CONFIRM", "MODIFIED", "INACTIVE"),
)
OPEN_STATUSES: Final = frozenset({"TRANSIT", "PENDING", "PART_TRADED", "CONFIRM", "MODIFIED"})
"""Statuses of an order that may still trade; an unknown status counts as one, too."""

ENDED_STATUSES: Final = frozenset({"TRADED", "REJECTED", "CANCELLED", "EXPIRED", "CLOSED"})

Status: TypeAlias = Annotated[str, Words(STATUSES)]
"""One of `STATUSES`, or a word that is not known yet."""

Units: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
SomeUnits: TypeAlias = Annotated[int, Meta(ge=1, le=INTEGER_MAX)]
SignedUnits: TypeAlias = Annotated[int, Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)]
PriceRupees: TypeAlias = Annotated[float, Meta(ge=0, le=RUPEES_MAX)]
SignedRupees: TypeAlias = Annotated[float, Meta(ge=-RUPEES_MAX, le=RUPEES_MAX)]
CorrelationId: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9 _-]{0,25}$")]
"""Documented with 30 characters; 25 were accepted, and 26 refused."""


class PlaceOrderRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`POST /orders`, and `/orders/slicing`: each field is written, also what is not used."""

    dhan_client_id: str
    transaction_type: TransactionType
    exchange_segment: Segment
    product_type: ProductType
    order_type: OrderType
    security_id: str
    quantity: SomeUnits
    correlation_id: CorrelationId = ""
    validity: Validity = "DAY"
    disclosed_quantity: Units = 0
    price: PriceRupees = 0.0
    trigger_price: PriceRupees = 0.0
    after_market_order: bool = False


class ModifyOrderRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`PUT /orders/{order-id}`: it restates the whole order."""

    dhan_client_id: str
    order_id: str
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

    order_id: str
    order_status: Status


class OrderRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """An order of the day: `GET /orders`, `/orders/{order-id}`, `/orders/external/{correlation-id}`."""

    order_id: str
    order_status: Status
    security_id: str
    transaction_type: TransactionType
    quantity: Units
    exchange_segment: str = ""
    product_type: str = ""
    order_type: str = ""
    validity: str = "DAY"
    correlation_id: str = ""
    exchange_order_id: str = ""
    trading_symbol: str = ""
    disclosed_quantity: Units = 0
    remaining_quantity: Units = 0
    filled_qty: Units = 0
    price: PriceRupees = 0.0
    trigger_price: PriceRupees = 0.0
    average_traded_price: PriceRupees = 0.0
    after_market_order: bool = False
    leg_name: str = ""
    create_time: Moment = None
    update_time: Moment = None
    exchange_time: Moment = None
    oms_error_code: str = ""
    oms_error_description: str = ""
    """Why it was refused; `CONFIRMED`, or nothing, of a healthy one. The code is "0" for both: the status decides."""

    ALSO: ClassVar[dict[str, tuple[str, ...]]] = {"filled_qty": ("filledQuantity", "tradedQuantity")}

    @property
    def is_open(self) -> bool:
        """Whether it may still trade; with an unknown status it may."""
        return self.order_status not in ENDED_STATUSES


class TradeRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A fill of the day: `GET /trades`, `/trades/{order-id}`."""

    order_id: str
    exchange_trade_id: str
    security_id: str
    transaction_type: TransactionType
    traded_quantity: SomeUnits
    traded_price: Annotated[float, Meta(gt=0, le=RUPEES_MAX)]
    exchange_segment: str = ""
    product_type: str = ""
    order_type: str = ""
    exchange_order_id: str = ""
    trading_symbol: str = ""
    create_time: Moment = None
    update_time: Moment = None
    exchange_time: Moment = None


class PositionRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A position of the day, carried ones and those that were closed today among them: `GET /positions`."""

    security_id: str
    exchange_segment: str
    product_type: str
    net_qty: SignedUnits
    """Bought less sold."""

    trading_symbol: str = ""
    position_type: str = ""
    buy_qty: Units = 0
    sell_qty: Units = 0
    buy_avg: PriceRupees = 0.0
    sell_avg: PriceRupees = 0.0
    cost_price: PriceRupees = 0.0
    realized_profit: SignedRupees = 0.0
    unrealized_profit: SignedRupees = 0.0
    multiplier: Units = 1
    carry_forward_buy_qty: Units = 0
    carry_forward_sell_qty: Units = 0
    day_buy_qty: Units = 0
    day_sell_qty: Units = 0


class HoldingRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Shares in the depository: `GET /holdings`."""

    security_id: str
    trading_symbol: str
    total_qty: Units = 0
    """Delivered, and bought yesterday."""

    available_qty: Units = 0
    """Without those that are pledged."""

    exchange: str = ""
    isin: str = ""
    dp_qty: Units = 0
    t1_qty: Units = msgspec.field(default=0, name="t1Qty")
    collateral_qty: Units = 0
    avg_cost_price: PriceRupees = 0.0
    last_traded_price: PriceRupees = 0.0


class Funds(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Money: `GET /fundlimit`."""

    available_balance: SignedRupees = msgspec.field(name="availabelBalance")
    """Spelt so on the wire; pledged collateral is in it."""

    sod_limit: SignedRupees = 0.0
    collateral_amount: SignedRupees = 0.0
    receivable_amount: SignedRupees = msgspec.field(default=0.0, name="receiveableAmount")
    utilized_amount: SignedRupees = 0.0
    blocked_payout_amount: SignedRupees = 0.0
    withdrawable_balance: SignedRupees = 0.0

    ALSO: ClassVar[dict[str, tuple[str, ...]]] = {
        "available_balance": ("availableBalance",),
        "receivable_amount": ("receivableAmount",),
    }

    @property
    def cash(self) -> float:
        """What is there without collateral: rupees."""
        return self.available_balance - self.collateral_amount
