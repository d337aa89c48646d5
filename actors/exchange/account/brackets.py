"""Cover and bracket orders (products CO and BO): an order whose position is never without its stop.

They are super orders of another form. Target and stop are distances from what the entry pays (a cover order may name
its stop, and has no target), each leg is an order of the book, and all end together: who withdraws one after the entry
has traded leaves the position, at the market.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ....messages.exchange import SuperOrder
from .refusals import MARKET_CLOSED, Refused, unknown, wrong
from .requests import SuperModification, Ticket
from .state import BRACKETED

if TYPE_CHECKING:
    from ....messages.exchange import AccountOrder
    from .core import Core
    from .listings import Listing
    from .orders import Orders
    from .requests import Modification
    from .super_orders import SuperOrders

BRACKET_EXIT: Final = "BRACKET_EXIT"
"""Source of the order that closes what is left of a position."""

_ENTRY_TYPES: Final = frozenset({"LIMIT", "MARKET"})


class Brackets:
    """The cover and bracket orders of an account."""

    def __init__(self, core: Core, orders: Orders, super_orders: SuperOrders) -> None:
        self._core = core
        self._orders = orders
        self._super_orders = super_orders
        self._without_stop: list[str] = []
        """Ids of entries whose stop was rejected, until their position is left."""

        orders.on_end.append(self._ended)
        orders.on_heard.append(self._leave_all)

    def has(self, order_id: str) -> bool:
        """Whether an order is a part of a cover or bracket order."""
        row = self._core.state.orders.get(order_id)
        return row is not None and row.product in BRACKETED and bool(row.leg or row.parent_id)

    def refuse(self, order_id: str) -> None:
        """Refuse a cover or bracket order where a super order is expected: withdrawing a leg could remove its stop.

        Raises:
            Refused: it is one of theirs.
        """
        if self.has(order_id):
            raise unknown("orderId", "a super order", order_id)

    def place(self, ticket: Ticket) -> AccountOrder:
        """Place the entry.

        Raises:
            Refused: nothing was placed.
        """
        core = self._core
        listing = core.listing(ticket.instrument)
        _check(ticket, listing, ticket.limit_price or core.last_price(listing.symbol))
        if core.closing(listing) is not None:  # its exits could not follow
            raise Refused("order", MARKET_CLOSED)
        entry = self._orders.place(replace(ticket, trigger_price=0.0), leg="ENTRY_LEG")
        self._super_orders.begin(
            SuperOrder(
                order_id=entry.order_id,
                stop_price=ticket.trigger_price,
                target_status="PENDING" if ticket.product == "BO" else "CANCELLED",
                status="TRANSIT",
            )
        )
        return entry

    def modify(self, change: Modification) -> AccountOrder:
        """Restate the entry while it is open, or change the price of an exit: by its id, or the entry's and its leg.

        Raises:
            Refused: nothing has changed.
        """
        orders = self._core.state.orders
        row = orders[change.order_id]
        entry_id, leg = row.parent_id or row.order_id, change.leg or row.leg
        if leg == "ENTRY_LEG":
            _expect_entry_type(change.order_type)
            return self._orders.modify(replace(change, order_id=entry_id))
        if leg not in {"TARGET_LEG", "STOP_LOSS_LEG"}:  # what closes the rest of a position
            raise Refused("order", f"Order was placed by {row.source}: it cannot be modified")
        is_target = leg == "TARGET_LEG"
        price = change.exit_price or (change.limit_price if is_target else change.trigger_price)
        if not price:
            raise wrong("price" if is_target else "triggerPrice", f"one above 0 for {leg}", price)
        changed = SuperModification(
            order_id=entry_id,
            leg=leg,
            target_price=price if is_target else None,
            stop_price=None if is_target else price,
        )
        self._super_orders.modify(changed)
        return orders[change.order_id]

    def cancel(self, order_id: str) -> AccountOrder:
        """End all legs, and close at the market what the entry has traded and no exit has.

        Raises:
            Refused: nothing has changed.
        """
        core = self._core
        entry_id = core.state.orders[order_id].parent_id or order_id
        if not self._may_leave(core.state.orders[entry_id]):
            raise Refused("order", MARKET_CLOSED)
        self._super_orders.cancel(entry_id, "ENTRY_LEG")
        self._close(core.state.orders[entry_id])
        return core.state.orders[order_id]

    def _ended(self, order: AccountOrder) -> None:
        if order.status == "REJECTED" and order.leg == "STOP_LOSS_LEG" and order.product in BRACKETED:
            self._without_stop.append(order.parent_id)

    def _leave_all(self) -> None:
        """Close positions whose stop was rejected, for example beyond the price band."""
        while self._without_stop:
            entry = self._core.state.orders[self._without_stop.pop()]
            if self._may_leave(entry):  # else the position stays until the square-off
                if entry.is_open or self._super_orders.has_exits(entry.order_id):
                    self._super_orders.cancel(entry.order_id, "ENTRY_LEG")
                self._close(self._core.state.orders[entry.order_id])

    def _may_leave(self, entry: AccountOrder) -> bool:
        listing = self._core.listing(entry.instrument)
        return not self._left(entry) or (self._core.takes_orders(listing) and self._core.closing(listing) is None)

    def _close(self, entry: AccountOrder) -> None:
        left = self._left(entry)
        if left:
            self._orders.place(
                Ticket(
                    instrument=entry.instrument,
                    side="SELL" if entry.side == "BUY" else "BUY",
                    product=entry.product,
                    order_type="MARKET",
                    quantity=left,
                ),
                source=BRACKET_EXIT,
                parent_id=entry.order_id,
            )

    def _left(self, entry: AccountOrder) -> int:
        """Return the shares that the entry has traded and no exit has."""
        return entry.filled_quantity - self._super_orders.exited(entry.order_id)


def _check(ticket: Ticket, listing: Listing, price: float) -> None:
    """Check what an entry says of its exits against a price: that it pays, or the last one; 0 where none is known."""
    _expect_entry_type(ticket.order_type)
    if ticket.amo_time:
        raise wrong("afterMarketOrder", f"false for {ticket.product}", "true")
    if ticket.product == "BO" and not ticket.target_offset:
        raise wrong("boProfitValue", "a distance above 0 for BO", ticket.target_offset)
    if not ticket.stop_offset and not (ticket.product == "CO" and ticket.trigger_price):
        raise wrong("boStopLossValue", f"a distance above 0 for {ticket.product}", ticket.stop_offset)
    grid, tick = listing.reference.grid, listing.reference.tick_size_rupees
    for field, offset in (("boProfitValue", ticket.target_offset), ("boStopLossValue", ticket.stop_offset)):
        if offset and grid.snap(offset) is None:
            raise wrong(field, f"a multiple of {tick}", offset)
        if price and offset >= price:
            raise wrong(field, f"a distance below {price}", offset)
    stop = ticket.trigger_price
    if stop and grid.snap(stop) is None:
        raise wrong("triggerPrice", f"a multiple of {tick}", stop)
    if stop and price and (stop >= price if ticket.side == "BUY" else stop <= price):
        raise wrong("triggerPrice", f"a price {'below' if ticket.side == 'BUY' else 'above'} {price}", stop)


def _expect_entry_type(order_type: str) -> None:
    if order_type not in _ENTRY_TYPES:
        raise wrong("orderType", "LIMIT or MARKET", order_type)
