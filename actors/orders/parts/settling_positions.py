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
    from .awaiting import Awaiting
    from .context import OrdersContext


class SettlingPositions:
    """Takes a person's word, and answers when it is durable."""

    def __init__(self, context: OrdersContext, awaiting: Awaiting) -> None:
        """Know nothing but what the others know."""
        self._context: Final = context
        self._awaiting: Final = awaiting

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
        trade_id = f"{SETTLED_BY}{printable(request.person) or 'a person'}"
        facts = {
            client_order_id: closed_there(client_order_id, each, request.symbol, request.price, trade_id, now_ns)
            for client_order_id, each in zip(ids, found, strict=True)
        }
        self._awaiting.wait(request.symbol, sender, facts, lambda: PositionSettled(client_order_ids=ids))
        for (client_order_id, written), each in zip(facts.items(), found, strict=True):
            context.log(
                "position.settled",
                level="warning",
                client_order_id=client_order_id,
                symbol=request.symbol,
                shares=each.shares,
                price=request.price,
                person=request.person,
            )
            context.write(written)

    def _found(self, request: SettlePosition) -> tuple[Gone, ...] | str:
        context, symbol = self._context, request.symbol
        book = context.ledger.book
        if not request.reason.strip():
            return "a reason wanted, found none"
        if not request.price and not is_contract(symbol):
            return "a price above 0 wanted, found 0: only a contract expires worthless"
        if self._awaiting.is_awaited(symbol):
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
