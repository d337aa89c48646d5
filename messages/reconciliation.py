"""The account as the broker has it, and where that differs from the book of record.

A difference is a fact once two looks in a row have shown it, and another when it is gone. Each is told once.
"""

from typing import Literal, TypeAlias

import msgspec

from .orders import Side
from .risk import Amount, PriceBand
from .units import Count, Holding, Nanoseconds, Price, Rupees, Seconds, Shares, SomeShares


class ReadAccountBook(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="ReadAccountBook"):
    """To the broker session: what has the account, whoever ordered it?

    Answered by `AccountBookRead` or `AccountBookNotRead`.
    """

    symbols: tuple[str, ...]
    """Ours: what the broker has of these is told by these names."""

    bands_of: tuple[str, ...] = ()
    """Symbols whose price bands are wanted, too."""


class OrderAtBroker(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderAtBroker"):
    """One order of the account, as the broker has it."""

    broker_order_id: str
    client_order_id: str
    """Empty: the broker tells none; it was placed by hand, or by another program."""

    symbol: str
    """One of those that were asked for; empty: of another instrument."""

    instrument: str
    """In the broker's words."""

    side: Side
    quantity: Shares
    filled: Shares
    is_open: bool
    status: str
    """In the broker's words."""

    limit_price: Rupees = 0.0
    trigger_price: Rupees = 0.0
    average_price: Rupees = 0.0
    """Rupees a share of what has traded; 0: it is not told."""


class PositionAtBroker(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="PositionAtBroker"):
    """What the account holds of one instrument, of all products together, as the broker has it."""

    symbol: str
    """One of those that were asked for; empty: of another instrument."""

    instrument: str
    """In the broker's words."""

    quantity: Holding
    """Bought less sold, with what was carried into the day."""

    delivered: Shares = 0
    """Shares in the depository besides; those of an earlier day may be ours, or may not."""

    products: tuple[tuple[str, Holding], ...] = ()
    """`quantity` by product, in the broker's words; empty: it is not told."""


class AccountBookRead(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="AccountBookRead"):
    """Answer to `ReadAccountBook`: all orders of the day, and all positions."""

    orders: tuple[OrderAtBroker, ...]
    positions: tuple[PositionAtBroker, ...]
    unresolved: tuple[str, ...] = ()
    """Symbols whose instrument at the broker is not known: nothing is said of their positions."""

    available_rupees: Amount | None = None
    """What may be used for new orders; None: it could not be read."""

    bands: tuple[PriceBand, ...] = ()
    """Of the symbols whose bands were wanted, as far as the broker tells them."""

    bands_problem: str = ""
    """Why bands could not be read; empty: they could, or none was wanted."""

    freeze_quantities: dict[str, SomeShares] = {}
    """By symbol, of those that were asked for and have one, the shares of the greatest order, in whole lots."""


class AccountBookNotRead(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="AccountBookNotRead"
):
    """Answer to `ReadAccountBook`: it could not be read, so that nothing is known."""

    reason: str


class OrderAdopted(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderAdopted"):
    """Fact: the account has an order that was not placed here. It is told, and never touched."""

    broker_order_id: str
    told_id: str
    """The client's id, as the broker tells it; empty: none."""

    instrument: str
    """Our symbol, or what the broker calls it."""

    side: Side
    quantity: Shares
    filled: Shares
    status: str
    """In the broker's words, when it was found."""

    is_of_another_natya: bool
    """Its id is formed as ours are: another natya trades on this account, and this one has halted."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class OrderLost(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderLost"):
    """Fact: an order is open here, and the broker does not list it. Look-ups tell its outcome."""

    client_order_id: str
    since_ns: Nanoseconds
    """When that was seen first: nanoseconds since 1970-01-01 UTC."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class OrderMismatch(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OrderMismatch"):
    """Fact: the broker has an order of ours with other terms or another state."""

    client_order_id: str
    ours: str
    theirs: str
    since_ns: Nanoseconds
    """When that was seen first: nanoseconds since 1970-01-01 UTC."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


class PositionMismatch(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="PositionMismatch"):
    """Fact: the broker has another position than the book of record."""

    symbol: str
    """Ours; of an instrument that was never traded here what the broker calls it."""

    ours: Holding
    theirs: Holding
    """The broker's position; of shares in the depository as many count as bring it nearer to ours."""

    is_ours: bool
    """Whether the symbol was ever traded here; of others a mismatch is told, and nothing more."""

    since_ns: Nanoseconds
    """When that was seen first: nanoseconds since 1970-01-01 UTC."""

    occurred_ns: Nanoseconds
    """When it was compared: nanoseconds since 1970-01-01 UTC."""

    product: str = ""
    """The product in which it differs, where all products together do not; empty: all together differ."""

    others: Holding = 0
    """Signed shares that orders of others have traded in the symbol today, all products together, as the broker lists
    them."""


class SquaredOff(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="SquaredOff"):
    """An intraday position of ours that the broker has closed at the end of the day, by orders of its own."""

    symbol: str
    shares: Holding
    """What was held until then, of all strategies together: signed."""

    price: Price
    """Rupees a share, on average, at which it was closed."""


class PositionsDiffer(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="PositionsDiffer"):
    """From reconciliation to orders, after each look: all positions that differ at the broker now, and orders of ours.

    What closes by one book alone may open at the broker. Replaces the message before.
    """

    positions: tuple[PositionMismatch, ...]
    """Of a symbol all products together, if those differ, and each product that does."""

    orders: tuple[str, ...] = ()
    """Client order ids of those that are otherwise at the broker: somebody has changed them there."""

    is_in_doubt: bool = False
    """Whether the look has shown a position that differs otherwise than before: the next one says whether it lasts."""

    squared_off: tuple[SquaredOff, ...] = ()
    """Those of the positions that differ since the broker has closed them."""


class DifferenceEnded(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="DifferenceEnded"):
    """Fact: a difference that was told is gone."""

    kind: Literal["OrderAdopted", "OrderLost", "OrderMismatch", "PositionMismatch"]
    subject: str
    """The broker's id, our client order id, or the symbol."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""


Difference: TypeAlias = OrderAdopted | OrderLost | OrderMismatch | PositionMismatch
ReconciliationFact: TypeAlias = Difference | DifferenceEnded


class ReconciliationStatistics(
    msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="ReconciliationStatistics"
):
    """What the actor counts since it started."""

    rounds: Count
    """Looks that compared everything."""

    failures: Count
    """Looks that could not: the broker or orders did not answer."""

    differences: Count
    """That last now."""

    compared_ns: Nanoseconds = 0
    """When everything was compared last: nanoseconds since 1970-01-01 UTC; 0: never yet."""

    age_s: Seconds | None = None
    """Since then; None: never yet."""

    told: dict[str, Count] = {}
    """Differences that began, by the name of their fact."""
