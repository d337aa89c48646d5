"""Rules on what all orders together may come to (pure). An order in doubt counts as open."""

from __future__ import annotations

from ....messages.orders import SubmitOrder
from ..book.day import UNITS
from .situation import NO_PRICES, Situation


def position_max(order: SubmitOrder, situation: Situation) -> str:
    """Limit the position if all open orders of this side fill; an order that reduces a position always passes."""
    limit, reach = situation.limits.position_max, situation.reach(order)
    if _is_within(limit, order, reach):
        return ""
    return _beyond(limit, order, reach, situation.book.position(order.symbol), "a position")


def strategy_position_max(order: SubmitOrder, situation: Situation) -> str:
    """Limit the position of this strategy alone in the same way, if it has a limit of its own."""
    limit = situation.strategy_position_max
    if limit is None:
        return ""
    reach = situation.worst_case_of(order.strategy, order.symbol, order.side)
    if _is_within(limit, order, reach):
        return ""
    held = situation.book.strategy_shares(order.strategy, order.symbol)
    return _beyond(limit, order, reach, held, "a position of this strategy")


def _is_within(limit: int, order: SubmitOrder, reach: int) -> bool:
    return reach + order.quantity <= limit if order.side == "BUY" else reach - order.quantity >= -limit


def _beyond(limit: int, order: SubmitOrder, reach: int, held: int, what: str) -> str:
    worst = reach + (order.quantity if order.side == "BUY" else -order.quantity)
    formed = f"{held} held, {abs(reach - held)} ordered, {order.quantity} with this"
    return f"{what} of at most {limit} shares wanted, found {worst} if all open orders fill: {formed}"


def open_value_max_rupees(order: SubmitOrder, situation: Situation) -> str:
    """Limit the value of all open orders, this one included: each at its limit, or at the market's price."""
    limit = situation.limits.open_value_max_rupees
    if limit == 0:
        return ""
    found = situation.open_value_with(order)
    if (found is not None and found <= limit) or not situation.opens(order):
        return ""
    if found is None:
        return "a price of each symbol with an open order wanted, found one without"
    return f"open orders of at most {limit:.2f} rupees wanted, found {found:.2f} with this"


def gross_value_max_rupees(order: SubmitOrder, situation: Situation) -> str:
    """Limit the value of all positions, long and short alike, if every open order fills in the worst way."""
    limit = situation.limits.gross_value_max_rupees
    if limit == 0:
        return ""
    found = situation.gross_value_with(order)
    if (found is not None and found <= limit) or not situation.opens(order):
        return ""
    if found is None:
        return "a price of each symbol that is held or ordered wanted, found one without"
    return f"positions of at most {limit:.2f} rupees wanted, found {found:.2f} with this"


def unknown_orders_max(order: SubmitOrder, situation: Situation) -> str:
    """While an order is in doubt open nothing in its symbol; while too many are, nothing at all."""
    limit = situation.limits.unknown_orders_max
    unknown = situation.book.unknown_symbols()
    if limit == 0 or not unknown or not situation.opens(order):
        return ""
    if order.symbol in unknown:
        return f"no order in doubt in {order.symbol} wanted, found one"
    found = len(unknown)
    return "" if found < limit else f"fewer than {limit} orders in doubt wanted, found {found}"


def day_loss_max_rupees(order: SubmitOrder, situation: Situation) -> str:
    """Open nothing more when the day has lost so much, or when what it has lost is not known."""
    limit = situation.limits.day_loss_max_rupees
    if limit == 0:
        return ""
    day, market = situation.day or situation.today, situation.market or NO_PRICES
    realized, unrealized, missing = situation.book.profit_of(day, market, situation.sums(order)[0])
    loss = -(realized + unrealized) / UNITS
    if (loss < limit and not missing) or not situation.opens(order):
        return ""
    if missing:
        return f"a price of {missing[0]}, which is held, wanted to know the day's loss, found none"
    return (
        f"a loss of the day below {limit:.2f} rupees wanted, found {loss:.2f}: "
        f"{realized / UNITS:.2f} realised and {unrealized / UNITS:.2f} open at the market's last prices, before charges"
    )
