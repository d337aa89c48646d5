"""Settling positions by a person's word (plain): shares that the broker has no more, and no order of ours has closed.

Each strategy's part is journaled as an order and its trade, as what the broker squares off is; no request leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from ....domain.booked import SETTLED_BY
from ....domain.client_order_ids import base36, short_name
from ....domain.expiries import has_expired
from ....domain.gone_positions import Gone, all_gone, gone
from ....domain.instruments import is_contract
from ....domain.time import SECOND_NS
from ....domain.wording import printable
from ....messages.order_listing import PositionSettled, SettleRefused
from ..book.listing import differing_now
from .squared_off import closed_there

if TYPE_CHECKING:
    from ....domain.orders import Order
    from ....messages.order_listing import SettlePosition
    from ....messages.orders import SubmitOrder
    from ...runtime import ActorAddress
    from .context import OrdersContext


class SettlingPositions:
    """The settlements on their way to the journal."""

    def __init__(self, context: OrdersContext) -> None:
        """Begin with none."""
        self._context: Final = context
        self._unwritten: dict[str, set[str]] = {}
        """By symbol the orders that are not durable yet."""

        self._asked: dict[str, tuple[ActorAddress, tuple[str, ...]]] = {}
        """By symbol who asked, and all the orders."""

    def settle(self, request: SettlePosition, sender: ActorAddress) -> None:
        """Have what is gone journaled as closed, and answer when that is durable."""
        context, now_ns = self._context, self._context.now_ns()
        if context.puts_off(sender):
            return
        found = self._found(request)
        if isinstance(found, str):
            context.send(sender, SettleRefused(reason=found))
            return
        ids = tuple(settled_id(each, request.symbol, now_ns) for each in found)
        if any(context.ledger.earlier(each) is not None for each in ids):
            context.send(sender, SettleRefused(reason="one settlement a second wanted, found another: ask again"))
            return
        self._asked[request.symbol], self._unwritten[request.symbol] = (sender, ids), set(ids)
        trade_id = f"{SETTLED_BY}{printable(request.person) or 'a person'}"
        for client_order_id, each in zip(ids, found, strict=True):
            context.log(
                "position.settled",
                level="warning",
                client_order_id=client_order_id,
                symbol=request.symbol,
                shares=each.shares,
                price=request.price,
                person=request.person,
            )
            context.write(closed_there(client_order_id, each, request.symbol, request.price, trade_id, now_ns))

    def written(self, client_order_id: str) -> None:
        """Answer where this was the last order of a settlement."""
        for symbol, unwritten in tuple(self._unwritten.items()):
            unwritten.discard(client_order_id)
            if not unwritten:
                del self._unwritten[symbol]
                sender, ids = self._asked.pop(symbol)
                self._context.send(sender, PositionSettled(client_order_ids=ids))

    def not_written(self, client_order_id: str, reason: str) -> None:
        """Answer that it is not settled, or not wholly, since the journal refused it."""
        for symbol, unwritten in tuple(self._unwritten.items()):
            if client_order_id in unwritten:
                del self._unwritten[symbol]
                sender, _ = self._asked.pop(symbol)
                self._context.send(sender, SettleRefused(reason=f"the journal did not take it: {reason}"))

    def _found(self, request: SettlePosition) -> tuple[Gone, ...] | str:
        context, symbol = self._context, request.symbol
        book = context.ledger.book
        if not request.reason.strip():
            return "a reason wanted, found none"
        if not request.price and not is_contract(symbol):
            return "a price above 0 wanted, found 0: only a contract expires worthless"
        if symbol in self._unwritten:
            return f"{symbol} is being settled: ask again"
        open_: tuple[Order | SubmitOrder, ...] = (*book.open_orders(), *context.ledger.intents.values())
        if any(each.symbol == symbol for each in open_):
            return f"no open order in {symbol} wanted, found some: cancel them first"
        default = context.settings.product
        if has_expired(symbol, context.now_ns()):  # no book has it any more: there is nothing to compare with
            return all_gone(book.holders(symbol, default), symbol=symbol, theirs=request.shares)
        differing = differing_now(book, context.theirs, default)
        return gone(book.holders(symbol, default), differing, symbol=symbol, theirs=request.shares)


def settled_id(of: Gone, symbol: str, now_ns: int) -> str:
    """Return the client order id under which a part is closed; of a second, strategy, product and symbol."""
    checksum = base36(crc32(f"{symbol} {of.product}".encode()) % 36**4)
    return f"{short_name(of.strategy)}-st{base36(now_ns // SECOND_NS)}-{checksum}"
