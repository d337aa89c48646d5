"""What a person asks orders for: its orders, its positions, its counts, to cancel orders, and to end one in doubt."""

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from .holdings import Position
from .orders import CancellationState, OrderState, OrderType, Product, Side, Validity
from .reconciliation import PositionMismatch
from .risk_state import RiskState
from .units import Count, Holding, Nanoseconds, Price, Rupees, Seconds, Shares, SomeShares

LISTED_MAX: Final = 10_000
"""Orders in one answer; they are told while the market waits."""


class ReadOrders(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadOrders"):
    """From a person to orders: list orders of the data directory, newest first. Answered by `OrdersRead`.

    Those that something has happened to on this day of the market, in India, and all that are open.
    """

    open_only: bool = False
    strategy: str = ""
    """Only of this strategy; empty: of any."""

    symbol: str = ""
    """Only in this symbol; empty: in any."""

    all_days: bool = False
    """Those of all days."""

    orders_max: Annotated[int, Meta(ge=1, le=LISTED_MAX)] = 1_000

    account: Count | None = None
    """Of this account; None: of the one that was entered last."""

    besides: Annotated[tuple[str, ...], Meta(max_length=LISTED_MAX)] = ()
    """Client order ids: these, too, of whatever day, where they are ours."""

    beyond: str = ""
    """Client order id of the last one of a page that was not complete: those that follow it; empty: from the newest."""


class OrderListed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderListed"):
    """One order, as the book of record has it."""

    client_order_id: str
    strategy: str
    symbol: str
    side: Side
    quantity: Shares
    order_type: OrderType | None
    """None of one that an earlier release refused: it was not kept."""

    state: OrderState
    is_open: bool
    filled: Shares = 0
    limit_price: Price | None = None
    trigger_price: Price | None = None
    validity: Validity = "DAY"
    product: Product | None = None
    broker_order_id: str = ""
    occurred_ns: Nanoseconds = 0
    """When it was intended, or refused: nanoseconds since 1970-01-01 UTC."""

    changed_ns: Nanoseconds = 0
    """Of its newest fact."""

    reason: str = ""
    """Of its newest fact, where that has one."""

    cancellation: CancellationState = ""
    """The state of the newest cancellation that was asked for."""

    cancellation_by: str = ""
    """Who asked for the one that is in flight."""


class OrdersRead(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="OrdersRead"):
    """Answer to `ReadOrders`: newest first."""

    orders: tuple[OrderListed, ...]
    is_complete: bool
    """Whether there are no more."""

    account: Count = 0
    """To which they belong."""

    accounts: tuple[Count, ...] = ()
    """Accounts that have orders, and the one that was entered last."""


class ReadPositions(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadPositions"):
    """From a person to orders: what does the account hold? Answered by `PositionsRead`."""

    needs_prices: bool = True
    """Whether the feed is asked for the prices that orders has not heard itself; else those are left out."""


class StrategyHolding(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="StrategyHolding"):
    """What one strategy holds of one symbol."""

    strategy: str
    symbol: str
    quantity: Holding

    closable_at_once: Shares | None = None
    """Shares that one order may close: as many as are held in one product. None: all of them."""


class LastPrice(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="LastPrice"):
    """The market's last price of one symbol, as orders heard it, or the feed has sent it."""

    symbol: str
    price: Rupees
    priced_ns: Nanoseconds
    low: Rupees = 0.0
    """Of the exchange's price band, as it was told in time for orders to go by it; 0: none was."""

    high: Rupees = 0.0
    """The same."""


class PositionsRead(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="PositionsRead"):
    """Answer to `ReadPositions`."""

    positions: tuple[Position, ...]
    """Of every symbol ever traded, the flat ones included: their profit is realised."""

    held: tuple[StrategyHolding, ...]
    prices: tuple[LastPrice, ...] = ()
    """Of symbols that had a price in this run."""

    products: dict[str, dict[Product, Holding]] = {}
    """What is held by symbol and product; flat symbols are left out."""

    differing: tuple[PositionMismatch, ...] = ()
    """Where the broker's positions differ, as last compared, both sides with all that was traded here since."""

    freeze_quantities: dict[str, SomeShares] = {}
    """By symbol the shares of the greatest order that the exchange takes, where that is known."""


class CancelOrders(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="CancelOrders"):
    """From a person to orders: cancel these; at least one of the fields is given. Answered by `OrdersCancelling`."""

    client_order_ids: tuple[str, ...] = ()
    everything: bool = False
    """Every open order; with a strategy or a symbol every one of it."""

    strategy: str = ""
    symbol: str = ""
    person: str = ""
    """Who wants it, as the operating system names the user."""


class OrdersCancelling(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="OrdersCancelling"):
    """Answer to `CancelOrders`: what is being cancelled. Each ends in `OrderCancelled`, or in fills that came first."""

    client_order_ids: tuple[str, ...]
    not_open: tuple[str, ...] = ()
    """Ids of orders that have ended, or never were."""

    problem: str = ""
    """Why nothing is cancelled; empty: something is, or nothing was open."""


class SettleOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SettleOrder"):
    """From a person to orders: how an order in doubt has ended, as the broker's own terminal shows.

    Answered by `OrderSettled`, durable by then, or `SettleRefused`. Nothing is sent to the broker.
    """

    client_order_id: str
    filled: Shares
    """In all; 0 with none known: it never was at the broker."""

    reason: str
    """Kept in the facts."""

    price: Price | None = None
    """Rupees: average price of the filled shares that have no trade yet; None: there are none."""

    person: str = ""
    """Who says so, as the operating system names the user."""


class OrderSettled(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderSettled"):
    """Answer to `SettleOrder`: the order has ended, durably."""

    state: OrderState
    filled: Shares


class SettleRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SettleRefused"):
    """Answer to `SettleOrder` and `SettlePosition`: nothing has changed, and why."""

    reason: str


class SettlePosition(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SettlePosition"):
    """From a person to orders: how shares that the broker does not have any more went, as its own terminal shows.

    Answered by `PositionSettled`, durable by then, or `SettleRefused`. Nothing is sent to the broker.
    """

    symbol: str
    shares: Holding
    """What the broker has, all products together: signed. Our book has more of it, on the same side."""

    price: Rupees
    """Rupees a share, on average, at which the others went; 0 of a contract that has expired worthless."""

    reason: str
    """How the person knows; it stands in the audit."""

    person: str = ""
    """Who says so, as the operating system names the user."""


class PositionSettled(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="PositionSettled"):
    """Answer to `SettlePosition`: our book has what the broker has, durably."""

    client_order_ids: tuple[str, ...]
    """Under which each strategy's part was closed in the book."""


class OrdersStatistics(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="OrdersStatistics"):
    """What orders counts in the current account, earlier runs in it included."""

    risk_state: RiskState

    orders: Count
    """Orders submitted, refused ones included."""

    fills: Count
    """Trades."""

    rejected: Count
    """Orders refused by our gate or rejected by the broker."""

    open_orders: Count
    uncertain_orders: Count

    positions: tuple[Position, ...]
    """One for every symbol ever traded."""

    refused_by_rule: dict[str, Count] = {}
    """Orders that our gate refused, by the name of the rule: part of `rejected`."""

    risk_cause: str = ""
    """Cause of the newest change of the risk state; empty if it never changed."""

    account: Count = 0
    """Number of the account: 0 is that of all sessions."""

    illegal_transitions: Count = 0
    """How often since the start the broker said of an order what could not be true of it as it stood: refused."""

    uncertain_age_s: Seconds = 0.0
    """Since the oldest of the orders in doubt was intended; 0: none is in doubt."""

    unprotected: tuple[str, ...] = ()
    """Of each bracket whose shares no order closes although one should, or whose stop is gone or in doubt: why."""
