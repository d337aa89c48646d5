"""Orders and positions as tables for people and JSON for programs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ...domain.positions import unrealized
from ...domain.time import second_text
from ..terminal import tell

if TYPE_CHECKING:
    from ...messages.order_listing import OrderListed, OrdersRead, PositionsRead, ReadOrders

UNKNOWN_PRICE: Final = "no price"
PRICES_HEARD: Final = "no price: none was heard since the system began, or, where none runs, none is recorded"


def orders_json(found: OrdersRead) -> dict[str, Any]:
    """Return all of it."""
    return {
        "orders": [msgspec.structs.asdict(each) for each in found.orders],
        "is_complete": found.is_complete,
        "account": found.account,
        "accounts": found.accounts,
    }


def orders_text(found: OrdersRead, wanted: ReadOrders) -> None:
    """Print a table of what was wanted, newest first."""
    from .columns import lined  # noqa: PLC0415  rich: 60 ms that JSON does not need
    from .tables import show  # noqa: PLC0415

    others = [number for number in found.accounts if number != found.account]
    if others:
        tell(f"account {found.account}; orders of others: --account {', '.join(map(str, others))}")
    if not found.orders:
        tell("no orders" if wanted.all_days or wanted.open_only else "no orders of the day; those before: --all-days")
        return
    table = lined("time", "id", "strategy", "symbol", "order", "state", "reason")
    for each in found.orders:
        when = second_text(each.occurred_ns)
        table.add_row(when, each.client_order_id, each.strategy, each.symbol, terms(each), state(each), each.reason)
    show(table)
    if not found.is_complete:
        tell(f"only the newest {len(found.orders)}: --at-most")


def terms(order: OrderListed) -> str:
    """Say what was ordered: `BUY 10 LIMIT 1,500.00`."""
    parts = [order.side, f"{order.quantity:,}"]
    parts += [order.order_type] if order.order_type is not None else []
    parts += [f"{order.limit_price:,.2f}"] if order.limit_price is not None else []
    parts += [f"trigger {order.trigger_price:,.2f}"] if order.trigger_price is not None else []
    parts += [order.validity] if order.validity != "DAY" else []
    parts += [order.product] if order.product is not None else []
    return " ".join(parts)


def state(order: OrderListed) -> str:
    """Say how it stands: `PART_FILLED 3 of 10, cancelling`."""
    stands = f"{order.state} {order.filled:,} of {order.quantity:,}" if order.filled else order.state
    return f"{stands}, cancelling" if order.cancellation in {"REQUESTED", "IN_DOUBT"} else stands


def positions_json(found: PositionsRead) -> dict[str, Any]:
    """Return all of it; amounts as texts, so that no digit is lost."""
    open_profit = _unrealized(found)
    held: dict[str, dict[str, int]] = {}
    for each in found.held:
        held.setdefault(each.symbol, {})[each.strategy] = each.quantity
    prices = {each.symbol: each for each in found.prices}
    return {
        "positions": [
            {
                "symbol": each.symbol,
                "quantity": each.quantity,
                "average_price": str(each.average_price),
                "realized_pnl": str(each.realized_pnl),
                "unrealized_pnl": None if each.symbol not in open_profit else str(open_profit[each.symbol]),
                "last_price": prices[each.symbol].price if each.symbol in prices else None,
                "priced_ns": prices[each.symbol].priced_ns if each.symbol in prices else None,
                "held_by": held.get(each.symbol, {}),
            }
            for each in found.positions
        ],
        "realized_pnl": str(_realized(found)),
        "before_charges": True,
    }


def positions_text(found: PositionsRead) -> None:
    """Print a table."""
    from .columns import lined  # noqa: PLC0415  rich: 60 ms that JSON does not need
    from .tables import show  # noqa: PLC0415

    if not found.positions:
        tell("no positions, and none ever held")
        return
    open_profit = _unrealized(found)
    prices = {each.symbol: each for each in found.prices}
    headings = "symbol", "quantity", "average", "last", "priced", "unrealized", "realized", "held by"
    table = lined(*headings, numbers=("quantity", "average", "last", "unrealized", "realized"))
    for each in found.positions:
        price = prices.get(each.symbol)
        holders = (f"{of.strategy} {of.quantity:+,}" for of in found.held if of.symbol == each.symbol)
        profit = open_profit.get(each.symbol)
        table.add_row(
            each.symbol,
            f"{each.quantity:+,}" if each.quantity else "flat",
            f"{each.average_price:,.2f}" if each.quantity else "",
            UNKNOWN_PRICE if price is None else f"{price.price:,.2f}",
            "" if price is None else second_text(price.priced_ns),
            f"{profit:+,.2f}" if profit is not None else ("" if not each.quantity else UNKNOWN_PRICE),
            f"{each.realized_pnl:+,.2f}",
            ", ".join(holders),
        )
    show(table)
    tell(f"realized {_realized(found):+,.2f} rupees, before charges")
    if any(each.quantity and each.symbol not in prices for each in found.positions):
        tell(PRICES_HEARD)


def _realized(found: PositionsRead) -> Decimal:
    return sum((each.realized_pnl for each in found.positions), Decimal(0))


def _unrealized(found: PositionsRead) -> dict[str, Decimal]:
    """Return it of each open position that has a price."""
    prices = {each.symbol: each.price for each in found.prices}
    return unrealized((each for each in found.positions if each.quantity and each.symbol in prices), prices)
