"""What is held: positions, and what a strategy that starts is told of its own by the book of record."""

from decimal import Decimal
from typing import Final

import msgspec

from .orders import CancellationIntended, OrderIntended
from .units import Count, Cursor, Holding, Shares

AMOUNT_DIGITS_MAX: Final = 18
"""Digits of an amount of cash before the point."""


class Position(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Position"):
    """What the account holds of one symbol, by average cost."""

    symbol: str

    quantity: Holding
    """Shares: above 0 long, below 0 short."""

    average_price: Decimal
    """Rupees a share paid (long) or received (short) for what is open; 0 when flat. Four decimal places."""

    realized_pnl: Decimal
    """Rupees, to the paisa, before charges."""

    cost: Decimal | None = None
    """Rupees paid (above 0) or received (below 0) for what is open, to eighteen places. Market value less this is the
    unrealised profit; `average_price` is rounded and would not give it. None in a frame of an earlier release."""

    def __post_init__(self) -> None:
        for amount in (self.average_price, self.realized_pnl, self.cost):
            if amount is None:
                continue
            # adjusted() is the exponent of the first digit: 1E+999999999 is refused without being written out.
            if not amount.is_finite() or amount.adjusted() >= AMOUNT_DIGITS_MAX:
                message = f"an amount must be finite and below 10^{AMOUNT_DIGITS_MAX} rupees, was {amount}"
                raise ValueError(message)


class ReadHoldings(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadHoldings"):
    """From a strategy that starts, to orders: what do I hold? Answered by `HoldingsRead`, when the book is read."""

    strategy: str

    keeps_state: bool = False
    """Whether it keeps a state that names each of its orders: then no order is placed that the newest state does not
    name."""


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="OpenOrder"):
    """An order that may still be filled, as the book of record has it."""

    intent: OrderIntended
    """Its terms, as they are now."""

    broker_order_id: str = ""
    """Empty while there is no proof that the broker has it."""

    filled: Shares = 0
    is_uncertain: bool = False
    """It is not known whether it reached the broker."""

    cancelling: CancellationIntended | None = None
    """The cancellation that is in flight."""


class HoldingsRead(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="HoldingsRead"):
    """Answer to `ReadHoldings`: what the book of record says of one strategy in the account, earlier runs included."""

    strategy: str

    shares: dict[str, Holding]
    """Signed shares by symbol, of every symbol that is not flat."""

    filled: dict[str, Shares]
    """Shares filled so far by client order id, for each open order of the strategy.

    All fills up to `sequence` are in `shares`: these, and those of orders that are not named here.
    """

    life: Count = 0
    """Number of this start of the strategy, given only once in a data directory: its order ids are built from it."""

    positions: tuple[Position, ...] = ()
    """Of every symbol that the strategy ever traded in the account, by its own fills."""

    open_orders: tuple[OpenOrder, ...] = ()

    sequence: Cursor = 0
    """Sequence of the newest record that orders knows: earlier facts are in all of these fields, later ones in none."""

    exits: tuple[str, ...] = ()
    """Client order ids of the newest exits of its brackets: these orders are in the answer already, open or not."""
