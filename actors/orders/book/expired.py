"""Orders at the market that were to close what a strategy holds, and whose day was over before they did (pure).

Those of a bracket follow each other (`domain/brackets/`). Any other is its strategy's: no order follows by itself, and
a person is told until the strategy, or somebody else, has one for the same side, or nothing is held any more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....domain.brackets.bracket import turned_as
from ....domain.brackets.legs import entry_id
from ....messages.orders import OrderExpired, OrderIntended

if TYPE_CHECKING:
    from ....domain.orders import Order
    from ....messages.orders import OrderFact, OrderFilled
    from .account import Account
    from .brackets import Orders


def note_expired(book: Orders, account: Account, fact: OrderFact, order: Order) -> None:
    """Note an order that has expired, if it was to close what its strategy holds; forget the one that another follows.

    Args:
        book: with the order.
        account: of the order.
        fact: its newest.
        order: as it is with that.
    """
    of = (order.strategy, order.symbol)
    if isinstance(fact, OrderExpired):
        entry = book.order(entry_id(order.client_order_id))
        is_its_own = order.order_type == "MARKET" and (entry is None or not entry.has_bracket)
        if is_its_own and turned_as(order, account.by_strategy.quantity(*of)):
            account.expired[of] = order.client_order_id
    elif isinstance(fact, OrderIntended):
        before = book.order(account.expired.get(of, ""))
        if before is not None and before.side == order.side:
            del account.expired[of]


def forget_closed(account: Account, fill: OrderFilled) -> None:
    """Forget the one whose shares are no longer held after a trade, of whatever order.

    Args:
        account: with the trade.
        fill: the trade.
    """
    after = account.by_strategy.quantity(fill.strategy, fill.symbol)
    before = after - fill.quantity if fill.side == "BUY" else after + fill.quantity
    if before * after <= 0:
        account.expired.pop((fill.strategy, fill.symbol), None)
