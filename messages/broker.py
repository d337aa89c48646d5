"""Between orders, the broker session and the exchange, in FIX's words.

The actor `orders` sends `PlaceOrder`, `ReplaceOrder`, `WithdrawOrder` or `FindOrder` to the broker session. All but
`WithdrawOrder` have named answers; everything later, the outcome of `WithdrawOrder` included, comes unsolicited as
`ExecutionReport`. In paper trading the session passes `NewOrder`, `ReplaceRequest`, `CancelRequest` and
`OrderStatusRequest` on to the paper exchange.
"""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from .health import Timing
from .orders import OrderType, Product, Side, Validity
from .units import Count, Nanoseconds, Price, Rupees, Shares, SkewSeconds, SomeCount, SomeShares

ExecutionType: TypeAlias = Literal[
    "NEW", "TRADE", "REJECTED", "CANCELLED", "EXPIRED", "CANCEL_REJECTED", "TRIGGERED", "REPLACED"
]
ExchangeOrderType: TypeAlias = Literal["MARKET", "LIMIT", "STOP_LOSS", "STOP_LOSS_MARKET"]
"""What the exchange takes; a stop order is in the market from its trigger on."""

BrokerOrderState: TypeAlias = Literal["OPEN", "PART_FILLED", "FILLED", "REJECTED", "CANCELLED", "EXPIRED"]


class PlaceOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="PlaceOrder"):
    """From orders to the broker session, at most once for each client order id, after the intent is durable.

    Answered by `OrderPlaced`, `OrderNotPlaced` or `OrderInDoubt`.
    """

    client_order_id: str
    symbol: str
    side: Side
    quantity: SomeShares
    """Shares or contract units, at least 1."""

    order_type: OrderType
    limit_price: Price | None = None
    """Rupees; only for LIMIT and STOP_LIMIT."""

    reduces: bool = False
    """It closes shares that are held, and opens none: where the broker limits orders it goes before those that open."""

    trigger_price: Price | None = None
    """Rupees; only for STOP and STOP_LIMIT."""

    validity: Validity = "DAY"
    product: Product | None = None
    """None: as the settings of the broker say."""

    flattens: bool = False
    """It closes shares because everything is halted, and leaves all the same."""


class OrderPlaced(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderPlaced"):
    """Answer to `PlaceOrder`: the broker has it."""

    client_order_id: str
    broker_order_id: str

    symbol: str = ""
    """As natya names the instrument; empty where the broker does not tell."""

    side: Side | None = None
    """None where the broker does not tell."""


class OrderNotPlaced(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderNotPlaced"):
    """Answer to `PlaceOrder`: refused for certain; no such order exists at the broker."""

    client_order_id: str
    reason: str


class OrderInDoubt(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderInDoubt"):
    """Answer to `PlaceOrder`: sent, and no certain answer came. Never send again; look it up."""

    client_order_id: str
    reason: str


class ReplaceOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReplaceOrder"):
    """From orders to the broker session, at most once for each number of an order, after the intent is durable.

    Restates the order whole. Answered by `OrderReplaced`, `OrderNotReplaced` or `ReplaceInDoubt`.
    """

    client_order_id: str
    broker_order_id: str
    number: SomeCount
    """Of this order's modifications, from 1."""

    symbol: str
    side: Side
    quantity: SomeShares
    """Shares or contract units, all of it, what is filled included."""

    order_type: OrderType
    limit_price: Price | None = None
    """Rupees; only for LIMIT and STOP_LIMIT."""

    trigger_price: Price | None = None
    """Rupees; only for STOP and STOP_LIMIT."""

    validity: Validity = "DAY"
    reduces: bool = False
    """It only closes shares that are held: where the broker limits requests it goes before others."""


class OrderReplaced(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderReplaced"):
    """Answer to `ReplaceOrder`: the broker has the order so."""

    client_order_id: str
    number: SomeCount


class OrderNotReplaced(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderNotReplaced"):
    """Answer to `ReplaceOrder`: refused for certain; the order is as it was."""

    client_order_id: str
    number: SomeCount
    reason: str


class ReplaceInDoubt(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReplaceInDoubt"):
    """Answer to `ReplaceOrder`: sent, and no certain answer came. Never send again; look the order up."""

    client_order_id: str
    number: SomeCount
    reason: str


class WithdrawOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="WithdrawOrder"):
    """From orders to the broker session: cancel. Ends in an `ExecutionReport` of type CANCELLED or CANCEL_REJECTED."""

    client_order_id: str

    broker_order_id: str = ""
    """As the broker numbers it; empty while that is not known."""


class FindOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="FindOrder"):
    """From orders to the broker session: what do you know of this order? Answered by one of the three below.

    What orders knows of it comes along, since a session that was restarted may not.
    """

    client_order_id: str
    symbol: str = ""
    side: Side | None = None
    quantity: Shares = 0
    """Shares ordered; 0: not told."""

    broker_order_id: str = ""
    """As the broker numbers it; empty while that is not known."""

    filled: Shares = 0
    """Shares of the trades that orders knows."""

    intended_ns: Nanoseconds = 0
    """When it was intended: nanoseconds since 1970-01-01 UTC; 0: not told. A broker may list those of today only."""

    others: tuple[str, ...] = ()
    """Broker order ids of our other orders that traded in the same symbol and on the same side since the day of this
    one: given for an order of an earlier day without a broker order id, so that their trades are not taken for its
    own."""


class OrderFound(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="OrderFound"):
    """Answer to `FindOrder`: the broker has it; `reports` are all its trades so far."""

    client_order_id: str
    broker_order_id: str
    state: BrokerOrderState
    reports: "tuple[ExecutionReport, ...]" = ()

    symbol: str = ""
    """As natya names the instrument; empty where the broker does not tell."""

    side: Side | None = None
    """None where the broker does not tell."""

    quantity: Shares = 0
    """Shares ordered, as the broker has it now; 0: it does not tell, nor the prices."""

    limit_price: Rupees = 0.0
    """Rupees, as the broker has it now; 0 for none."""

    trigger_price: Rupees = 0.0
    """Rupees, as the broker has it now; 0 for none."""

    is_triggered: bool | None = None
    """Whether the trigger of a stop order was met; None: the broker does not tell."""


class OrderNotFound(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderNotFound"):
    """Answer to `FindOrder`: the broker has no such order now; a late request may still arrive."""

    client_order_id: str


class LookupFailed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="LookupFailed"):
    """Answer to `FindOrder`: the broker could not be asked; this proves nothing about the order."""

    client_order_id: str
    reason: str


class NewOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="NewOrder"):
    """From the broker session to the exchange (FIX NewOrderSingle).

    Answered by an `ExecutionReport` of type NEW or REJECTED.
    """

    client_order_id: str
    symbol: str
    side: Side
    quantity: SomeShares
    """Shares or contract units, at least 1."""

    order_type: ExchangeOrderType
    limit_price: Price | None = None
    """Rupees; only for LIMIT and STOP_LOSS."""

    trigger_price: Price | None = None
    """Rupees; only for STOP_LOSS and STOP_LOSS_MARKET."""

    validity: Validity = "DAY"

    @property
    def is_stop(self) -> bool:
        """Whether it waits for a trigger."""
        return self.order_type in {"STOP_LOSS", "STOP_LOSS_MARKET"}


class ReplaceRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReplaceRequest"):
    """To the exchange (FIX OrderCancelReplaceRequest): an open order, restated whole.

    Answered by an `ExecutionReport` of type REPLACED or CANCEL_REJECTED.
    """

    client_order_id: str
    quantity: SomeShares
    """All of it, the traded part included."""

    order_type: ExchangeOrderType
    limit_price: Price | None = None
    trigger_price: Price | None = None
    validity: Validity = "DAY"
    number: Count = 0
    """Of the change, as the session numbers it; the answer has it."""


class CancelRequest(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="CancelRequest"):
    """From the broker session to the exchange (FIX OrderCancelRequest)."""

    client_order_id: str


class OrderStatusRequest(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderStatusRequest"
):
    """From the broker session to the exchange; answered by `OrderFound` or `OrderNotFound`."""

    client_order_id: str


class ExecutionReport(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ExecutionReport"):
    """From the exchange by way of the broker session to orders: something happened to an order."""

    client_order_id: str
    broker_order_id: str
    execution_type: ExecutionType

    execution_id: str
    """Unique for the exchange; for a TRADE it is the trade id."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC, by the exchange's clock."""

    quantity: Shares = 0
    """Shares of this trade; 0 unless TRADE."""

    price: Rupees = 0.0
    """Rupees of this trade; 0 unless TRADE."""

    cumulative_quantity: Shares = 0
    """Shares filled so far (FIX CumQty)."""

    leaves_quantity: Shares = 0
    """Shares still open (FIX LeavesQty)."""

    reason: str = ""

    symbol: str = ""
    """Of the order, as natya names the instrument; empty where the broker does not tell."""

    side: Side | None = None
    """Of the order; None where the broker does not tell."""

    number: Count = 0
    """Of the `ReplaceRequest` that is answered; 0: none is."""


class ReportRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReportRefused"):
    """From the broker session to orders: what the broker said of this order cannot be true; look it up."""

    client_order_id: str
    rule: str
    reason: str
    """What was wanted and what was found."""


class OrdersSentBefore(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrdersSentBefore"):
    """From orders to the broker session, before any order: requests of the last day, which its limits count, too."""

    times_ns: Annotated[tuple[Nanoseconds, ...], Meta(min_length=1, max_length=100_000)]
    """When each left, or a little before: nanoseconds since 1970-01-01 UTC."""


class OrdersLeft(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrdersLeft"):
    """From the broker session to orders, a second after an order or a change left: what has left since the last one."""

    counts: tuple[tuple[str, Count], ...]
    """The client order id in each request, and how many requests had it so far: one, if all is well."""

    changes: tuple[tuple[str, str, Count], ...] = ()
    """Of each changed order its client order id, the broker order id in the requests, and how many requests had that so
    far: at most as many as its changes."""


class ClockCompared(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ClockCompared"):
    """From the broker session to orders: how far our clock and the broker's are apart, by its newest answer.

    Sent with each answer while they are apart, and once when they no longer are.
    """

    skew_s: SkewSeconds
    """How far our clock is ahead, at least."""

    as_of_ns: Nanoseconds
    """By our clock: nanoseconds since 1970-01-01 UTC."""


class OrderUpdated(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderUpdated"):
    """From the owner of the socket of order updates to the broker session: an order of the account has changed.

    As often as it comes, in whatever order. It is no fill: it has the sums of an order, and no trade's id.
    """

    broker_order_id: str
    status: str
    """In the broker's word, where that is known in capitals."""

    client_order_id: str = ""
    """Empty: the broker tells none, as for an order that was placed by hand or by another program."""

    filled: Shares = 0
    """Shares of all its trades so far."""


class UpdatesConnected(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="UpdatesConnected"):
    """From the owner of the socket to the broker session: updates come from now on; earlier ones are not repeated."""


class UpdatesLost(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="UpdatesLost"):
    """From the owner of the socket to the broker session, after each connection, and each attempt that has failed."""

    reason: str
    is_login_in_doubt: bool = False
    """The broker closed the connection at once, as it does when the access token is dead, among other causes."""


class UpdatesStatistics(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="UpdatesStatistics"):
    """What the owner of the socket of order updates counts since it started."""

    connected: bool
    since_ns: Nanoseconds
    """When it was connected, or lost; nanoseconds since 1970-01-01 UTC; 0 where neither was yet."""

    connections: Count
    """Connections made; all but the first are reconnects."""

    failures: Count
    """Attempts to connect that failed."""

    updates: Count
    """Updates of orders, repeated ones included."""

    without_id: Count
    """Those of them that have no id of a client: of orders that were placed by hand, or by another program."""

    ignored: Count
    """Messages about no order."""

    refused: Count
    """Messages that could not be read, or are of another account."""

    reason: str = ""
    """Why it is not connected."""


class BrokerStatistics(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="BrokerStatistics"):
    """What the broker session counts since it started."""

    broker: str
    """Name of its body, as in the settings: `paper`."""

    placed: Count
    """Orders that the broker accepted."""

    refused: Count
    """Orders that certainly do not exist at the broker."""

    in_doubt: Count
    """Orders without a certain answer."""

    reports: Count
    """Execution reports passed on to orders."""

    refused_reports: Count = 0
    """Answers and reports of the broker that could not be true, and were not passed on."""

    placing: Count = 0
    """Orders that wait for their answer now."""

    acknowledgement: Timing = Timing()
    """How long the first answer to an order took by the machine's clock, a doubt included."""

    replaced: Count = 0
    """Changes of orders that the broker accepted."""

    replace_refused: Count = 0
    """Changes that certainly were not made."""

    replace_in_doubt: Count = 0
    """Changes without a certain answer."""

    withdrawn: Count = 0
    """Cancellations that were asked for; what came of each is a report."""


class ExchangeStatistics(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ExchangeStatistics"
):
    """What the paper exchange counts since it started."""

    ticks: Count
    orders: Count
    trades: Count
    resting_orders: Count
    """Orders in the book now."""
