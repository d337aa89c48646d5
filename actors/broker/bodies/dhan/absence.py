"""When it may be said that Dhan does not have an order. Pure.

The problem: an order in doubt is given up, and its exposure released, when the broker does not know it; said wrongly,
that is an order which trades and which nobody watches. A look-up by correlation id alone is no proof: it says "not
found" of an order that is still on its way to the exchange. The idea: the order book of the day, the trades and the
positions must all agree that there is nothing which could be it.
"""

from __future__ import annotations

from collections.abc import Sequence

from .....domain.dhan.account.portfolio import PositionRow
from .....domain.dhan.trading.orders import OrderRow, TradeRow
from .....messages.orders import Side
from .progress import Instrument


def reason_against(
    instrument: Instrument | None,
    side: Side | None,
    *,
    book: Sequence[OrderRow],
    trades: Sequence[TradeRow],
    positions: Sequence[PositionRow],
) -> str:
    """Return the evidence that an order may exist which the order book does not list; empty: none.

    Args:
        instrument: of the order; None: not known, and every instrument counts.
        side: of the order; None: not known, and both count.
        book: all orders of the day, without the one that is looked for.
        trades: of the day.
        positions: of the day.
    """
    listed = {row.order_id for row in book}
    for trade in trades:
        if trade.order_id not in listed and _is_alike(trade, instrument, side):
            return (
                f"trade {trade.exchange_trade_id} is of the order {trade.order_id}, which the order book does not list"
            )
    sides: tuple[Side, ...] = ("BUY", "SELL") if side is None else (side,)
    instruments = [instrument] if instrument else {(row.exchange_segment, row.security_id) for row in positions}
    for each in instruments:
        for way in sides:
            held = sum(_traded_today(row, way) for row in positions if (row.exchange_segment, row.security_id) == each)
            explained = sum(row.filled_qty for row in book if _is_alike(row, each, way))
            if held > explained:
                verb = "bought" if way == "BUY" else "sold"
                return f"{held} of {each[0]} {each[1]} were {verb} today, and the order book has {explained}"
    return ""


def _is_alike(row: OrderRow | TradeRow, instrument: Instrument | None, side: Side | None) -> bool:
    if side is not None and row.transaction_type != side:
        return False
    if instrument is None:
        return True
    return row.security_id == instrument[1] and row.exchange_segment in {"", instrument[0]}


def _traded_today(row: PositionRow, side: Side) -> int:
    if side == "BUY":
        return row.day_buy_qty or max(0, row.buy_qty - row.carry_forward_buy_qty)
    return row.day_sell_qty or max(0, row.sell_qty - row.carry_forward_sell_qty)
