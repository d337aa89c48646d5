"""The facts of an account at the paper exchange: each is a row as it now stands, or something that happened.

The exchange journals them before it answers; the newest row of an id is its state, so the account is the fold of its
facts. Nobody else acts on them.
"""

from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from .instruments import InstrumentDefinition
from .orders import Side, Validity
from .units import RUPEES_MAX, Count, Holding, Nanoseconds, Price, Rupees, Shares, SomeShares

Instrument: TypeAlias = tuple[str, str]
"""Segment and security id, as the broker names an instrument: `("NSE_EQ", "1594")`."""

ProductType: TypeAlias = Literal["CNC", "INTRADAY", "MARGIN", "MTF", "CO", "BO"]
"""Delivery, closed the same day, carried derivatives, financed delivery (which the paper exchange finances not); cover
and bracket orders, closed the same day as well."""

TicketType: TypeAlias = Literal["MARKET", "LIMIT", "STOP_LOSS", "STOP_LOSS_MARKET"]
AmoTime: TypeAlias = Literal["", "PRE_OPEN", "OPEN", "OPEN_30", "OPEN_60"]
"""When an order that is placed while the market is closed is released; empty for an ordinary order."""

Leg: TypeAlias = Literal["", "ENTRY_LEG", "TARGET_LEG", "STOP_LOSS_LEG"]
AccountOrderStatus: TypeAlias = Literal[
    "TRANSIT", "PENDING", "PART_TRADED", "TRADED", "REJECTED", "CANCELLED", "EXPIRED"
]
SuperStatus: TypeAlias = Literal[
    "TRANSIT", "PENDING", "PART_TRADED", "TRADED", "REJECTED", "CANCELLED", "EXPIRED", "TRIGGERED", "CLOSED"
]
ForeverStatus: TypeAlias = Literal["CONFIRM", "TRIGGERED", "REJECTED", "CANCELLED", "EXPIRED"]
AlertStatus: TypeAlias = Literal["ACTIVE", "TRIGGERED", "EXPIRED", "CANCELLED"]
SignedRupees: TypeAlias = Annotated[float, Meta(ge=-RUPEES_MAX, le=RUPEES_MAX)]

ORDER_OPEN: frozenset[str] = frozenset({"TRANSIT", "PENDING", "PART_TRADED"})


class AccountOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="AccountOrder"):
    """Fact: an order of an account, as it now stands. The newest row of an order id counts."""

    order_id: str
    symbol: str
    instrument: Instrument
    side: Side
    product: ProductType
    order_type: TicketType
    quantity: SomeShares
    """All of it, in shares or contract units."""

    status: AccountOrderStatus = "TRANSIT"
    validity: Validity = "DAY"
    limit_price: Rupees = 0.0
    """0 for MARKET and STOP_LOSS_MARKET."""

    trigger_price: Rupees = 0.0
    """0 unless the order waits for a trigger."""

    disclosed_quantity: Shares = 0
    amo_time: AmoTime = ""
    correlation_id: str = ""
    exchange_order_id: str = ""
    """Empty until the exchange has it."""

    filled_quantity: Shares = 0
    traded_rupees: Decimal = Decimal(0)
    """Price times quantity of its trades, exact."""

    reason: str = ""
    """The OMS's text: why it was rejected, or `CONFIRMED`."""

    is_triggered: bool = False
    """Whether a stop order has met its trigger."""

    modifications: Count = 0
    parent_id: str = ""
    """The super, forever or conditional order that it belongs to."""

    leg: Leg = ""
    source: str = ""
    """Who placed it, if not the client: `SQUARE_OFF`, `EXIT_ALL`, `PNL_EXIT`."""

    arrival: Count = 0
    """Its priority: the number in order of arrival at the exchange, 0 before it arrives."""

    opening_quantity: Shares = 0
    """Shares of it that do not close a position, and so need margin."""

    margin_each_rupees: Decimal = Decimal(0)
    """Margin of one of those."""

    created_ns: Nanoseconds = 0
    """Nanoseconds since 1970-01-01 UTC, as all times here."""

    updated_ns: Nanoseconds = 0
    exchange_ns: Nanoseconds = 0
    """When the exchange confirmed it; 0 before."""

    target_offset_rupees: Rupees = 0.0
    """Of the entry of a bracket order: how far its target is from the price of its first trade; 0 for none."""

    stop_offset_rupees: Rupees = 0.0
    """Of the entry of a bracket or cover order: how far its stop is from that price; 0 for none."""

    @property
    def is_open(self) -> bool:
        """Whether it may still trade."""
        return self.status in ORDER_OPEN

    @property
    def remaining_quantity(self) -> int:
        """Shares that may still trade."""
        return self.quantity - self.filled_quantity if self.is_open else 0

    @property
    def average_price(self) -> float:
        """Rupees a share of its trades, to four places; 0 without any."""
        return round(float(self.traded_rupees / self.filled_quantity), 4) if self.filled_quantity else 0.0

    @property
    def blocked_rupees(self) -> Decimal:
        """Margin that is held back for what may still trade."""
        opening = min(self.opening_quantity, self.remaining_quantity)
        return self.margin_each_rupees * opening if opening else Decimal(0)


class AccountTrade(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="AccountTrade"):
    """Fact: shares changed hands. Its charges are settled at the end of the day."""

    trade_id: str
    order_id: str
    exchange_order_id: str
    symbol: str
    instrument: Instrument
    side: Side
    product: ProductType
    order_type: TicketType
    quantity: SomeShares
    price: Rupees
    """Rupees a share: 0 only of an option that was worth nothing when it expired."""

    charges_rupees: Decimal
    """Brokerage, taxes and fees, each to the paisa."""

    occurred_ns: Nanoseconds
    brokerage_rupees: Decimal = Decimal(0)
    transaction_tax_rupees: Decimal = Decimal(0)
    exchange_rupees: Decimal = Decimal(0)
    sebi_fee_rupees: Decimal = Decimal(0)
    stamp_duty_rupees: Decimal = Decimal(0)
    gst_rupees: Decimal = Decimal(0)


class SuperOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SuperOrder"):
    """Fact: an entry order with a target and a stop, as it now stands; its orders are rows of their own."""

    order_id: str
    """Of the entry order, too."""

    target_price: Rupees = 0.0
    """0 for none."""

    stop_price: Rupees = 0.0
    """0 for none; it moves with the market where it trails."""

    trailing_jump: Rupees = 0.0
    """Rupees; 0 for a stop that stays."""

    anchor_price: Rupees = 0.0
    """Rupees: the price from which the next jump of the stop is counted."""

    target_status: SuperStatus = "PENDING"
    stop_status: SuperStatus = "PENDING"
    target_order_id: str = ""
    """Of the exit order at the target; empty before the entry trades."""

    stop_order_id: str = ""
    status: SuperStatus = "PENDING"
    updated_ns: Nanoseconds = 0


class ForeverLeg(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ForeverLeg"):
    """One trigger of a forever order, and the order it sends."""

    quantity: SomeShares
    price: Rupees
    """0 for MARKET."""

    trigger_price: Price
    status: ForeverStatus = "CONFIRM"
    order_id: str = ""
    """Of the order it sent; empty before."""

    rises: bool | None = None
    """Whether it waits for a rise, or a fall; None before the first price."""


class ForeverOrder(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="ForeverOrder"):
    """Fact: an order that waits for its trigger over days, as it now stands."""

    order_id: str
    symbol: str
    instrument: Instrument
    side: Side
    product: ProductType
    order_type: TicketType
    validity: Validity
    legs: Annotated[tuple[ForeverLeg, ...], Meta(min_length=1, max_length=2)]
    """One for SINGLE, two for OCO: the second leg is the stop."""

    correlation_id: str = ""
    disclosed_quantity: Shares = 0
    created_ns: Nanoseconds = 0
    updated_ns: Nanoseconds = 0
    expires_ns: Nanoseconds = 0

    @property
    def is_open(self) -> bool:
        """Whether any leg still waits."""
        return any(leg.status == "CONFIRM" for leg in self.legs)


class AlertOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="AlertOrder"):
    """An order that an alert sends when its condition holds."""

    instrument: Instrument
    side: Side
    product: ProductType
    order_type: TicketType
    quantity: SomeShares
    validity: Validity = "DAY"
    limit_price: Rupees = 0.0
    trigger_price: Rupees = 0.0
    disclosed_quantity: Shares = 0


class AlertCondition(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="AlertCondition"):
    """What an alert waits for."""

    instrument: Instrument
    comparison: str
    """`PRICE_WITH_VALUE`, `TECHNICAL_WITH_VALUE`, `TECHNICAL_WITH_INDICATOR` or `TECHNICAL_WITH_CLOSE`."""

    operator: str
    value: SignedRupees = 0.0
    indicator: str = ""
    other_indicator: str = ""
    time_frame: str = ""
    frequency: str = "ONCE"
    expires_on: str = ""
    """A day, `yyyy-mm-dd`; empty for a year on."""

    note: str = ""


class Alert(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="Alert"):
    """Fact: a condition with orders, as it now stands."""

    alert_id: str
    condition: AlertCondition
    orders: tuple[AlertOrder, ...]
    status: AlertStatus = "ACTIVE"
    order_ids: tuple[str, ...] = ()
    """Of the orders it sent."""

    created_ns: Nanoseconds = 0
    triggered_ns: Nanoseconds = 0
    last_price: Rupees = 0.0
    """When it was placed, changed or triggered, or a crossing last came to another side of the value; 0: none yet."""

    expires_ns: Nanoseconds = 0


class PositionConverted(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="PositionConverted"):
    """Fact: shares of an open position moved to another product, at their average cost."""

    instrument: Instrument
    symbol: str
    quantity: Holding
    """Signed: above 0 of a long position, below 0 of a short one."""

    source: ProductType
    target: ProductType
    price: Price
    """Rupees a share: their average cost, to eight places. The shares themselves move at a finer one."""

    occurred_ns: Nanoseconds


class MoneyMoved(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="MoneyMoved"):
    """Fact: a voucher of the account's ledger."""

    voucher: str
    narration: str
    description: str
    """Kind of voucher: `RCPT` received, `PYMT` paid, `BILL` of a day's trades, `CHRG` charges."""

    amount_rupees: Decimal
    """Above 0 credited, below 0 debited."""

    balance_rupees: Decimal
    """Of the ledger, after it."""

    occurred_ns: Nanoseconds


class SwitchesSet(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SwitchesSet"):
    """Fact: the trader's controls of the day, as they now stand."""

    kill_switch: bool = False
    exit_profit_rupees: Rupees = 0.0
    """Profit at which all positions are closed; 0 for none."""

    exit_loss_rupees: Rupees = 0.0
    """Loss (a positive number) at which all positions are closed; 0 for none."""

    exit_products: tuple[str, ...] = ()
    """`INTRADAY`, `DELIVERY`."""

    exit_is_active: bool = False
    exit_kills: bool = False
    """Whether the kill switch follows the exit."""

    occurred_ns: Nanoseconds = 0


class DayBegan(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="DayBegan"):
    """Fact: a trading day began at the account.

    Yesterday's orders and trades leave the day's book, delivered positions become holdings, shares of the day before
    are in the depository, controls are off.
    """

    day: Count
    """In India: days since 1970-01-01."""

    occurred_ns: Nanoseconds


class InstrumentListed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="InstrumentListed"):
    """Fact: an instrument that no list of natya's knows may be traded; what was traded of it needs it for ever."""

    definition: InstrumentDefinition
    """With a security id."""

    occurred_ns: Nanoseconds


class AccountServed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="AccountServed"):
    """Fact: the facts of the exchange to come belong to this account; before the first of it to account 0.

    As in `accounts`: all sessions share account 0, a replay has one of its own.
    """

    account: Count
    occurred_ns: Nanoseconds


ExchangeFact: TypeAlias = (
    AccountServed
    | AccountOrder
    | AccountTrade
    | SuperOrder
    | ForeverOrder
    | Alert
    | PositionConverted
    | MoneyMoved
    | SwitchesSet
    | DayBegan
    | InstrumentListed
)
"""Every change of an account at the paper exchange."""


class FindWire(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="FindWire"):
    """To the wire, or to streams for the sockets alone: where is the broker's protocol spoken?

    Answered by `WireFound`.
    """


class WireFound(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="WireFound"):
    """Answer to `FindWire`."""

    rest: str
    """The base URL of the REST protocol."""

    client_id: str
    order_update: str = ""
    """The URL of the socket of order updates; empty: there is none, as of the others."""

    feed: str = ""
    """The URL of the market feed."""

    depth: str = ""
    """The URL of the feed of twenty levels."""

    depth_200: str = ""
    """The URL of the feed of two hundred."""
