"""Intraday positions that the broker has squared off (plain): the book takes them over as trades of their strategies.

No order of ours has closed them, and no request leaves for these: each is journaled together with its trade, at the
price that the broker tells. Its id follows from strategy, symbol and day, so that none is taken over twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from ....domain import booked
from ....domain.client_order_ids import base36, short_name
from ....domain.gone_positions import Gone
from ....domain.squared_off import SQUARED_OFF
from ....domain.time import day_of
from ....messages.orders import OrderFilled, OrderIntended

if TYPE_CHECKING:
    from ....messages.orders import Side
    from ....messages.reconciliation import SquaredOff
    from .context import OrdersContext


class SquaredOffThere:
    """Takes over what reconciliation tells."""

    def __init__(self, context: OrdersContext) -> None:
        """Know nothing but what the others know."""
        self._context: Final = context

    def take(self, told: SquaredOff) -> None:
        """Close in the book what was closed at the broker; nothing, where ours has changed since it was compared.

        The next comparison tells it again, as long as it is so.
        """
        context = self._context
        holders = context.ledger.book.holders(told.symbol, context.settings.product)
        held = {strategy: products.get(SQUARED_OFF, 0) for strategy, products in holders.items()}
        if not context.is_read or sum(held.values()) != told.shares:
            return
        for strategy, shares in held.items():
            if shares:
                self._close(strategy, shares, told)

    def _close(self, strategy: str, shares: int, told: SquaredOff) -> None:
        context, now_ns = self._context, self._context.now_ns()
        client_order_id = squared_off_id(strategy, told.symbol, now_ns)
        if context.ledger.is_waiting(client_order_id) or context.ledger.earlier(client_order_id) is not None:
            return
        facts = closed_there(
            client_order_id, Gone(strategy, SQUARED_OFF, shares), told.symbol, told.price, booked.SQUARED_OFF, now_ns
        )
        context.log(
            "position.squared_off_there",
            level="warning",
            client_order_id=client_order_id,
            symbol=told.symbol,
            shares=shares,
            price=told.price,
        )
        context.write(facts)


def closed_there(  # noqa: PLR0913, PLR0917  what an order and its trade are
    client_order_id: str, gone: Gone, symbol: str, price: float, trade_id: str, now_ns: int
) -> tuple[OrderIntended, OrderFilled]:
    """Return the facts of shares that were closed at the broker by no order of ours: an order and its trade."""
    side: Side = "SELL" if gone.shares > 0 else "BUY"
    intent = OrderIntended(
        client_order_id=client_order_id,
        strategy=gone.strategy,
        symbol=symbol,
        side=side,
        quantity=abs(gone.shares),
        order_type="MARKET",
        limit_price=None,
        occurred_ns=now_ns,
        product=gone.product,
    )
    trade = OrderFilled(
        client_order_id=client_order_id,
        trade_id=trade_id,
        strategy=gone.strategy,
        symbol=symbol,
        side=side,
        quantity=abs(gone.shares),
        price=price,
        cumulative_quantity=abs(gone.shares),
        occurred_ns=now_ns,
    )
    return intent, trade


def squared_off_id(strategy: str, symbol: str, now_ns: int) -> str:
    """Return the client order id under which a position of a strategy is closed that was squared off on a day."""
    return f"{short_name(strategy)}-sq{base36(day_of(now_ns))}-{base36(crc32(symbol.encode()) % 36**6 + 1)}"
