"""Super orders: an entry, and a target and a stop that exit what it has traded; one of them cancels the other.

Target and stop are orders of their own at the exchange, from the first trade of the entry on: a LIMIT that rests, and a
STOP_LOSS_MARKET. The matching takes from one what the other trades. They last for the day, as the entry does.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ....messages.broker import ReplaceRequest
from ....messages.exchange import AccountOrder, SuperOrder
from ....messages.units import RUPEES_MAX
from .checks import circuit_fault
from .orders import CONFIRMED
from .refusals import MARKET_CLOSED, MARKET_CLOSED_FOR_CHANGES, Refused, unknown, wrong
from .requests import Modification, Ticket
from .state import SUPER

if TYPE_CHECKING:
    from ....messages.exchange import AccountTrade, Leg, SuperStatus
    from .core import Core
    from .listings import Listing
    from .orders import Orders
    from .requests import SuperModification, SuperTicket


_GONE: Final = frozenset({"CANCELLED", "REJECTED"})
"""Statuses of an exit that does not come back."""


class SuperOrders:
    """The super orders of an account."""

    def __init__(self, core: Core, orders: Orders) -> None:
        self._core = core
        self._orders = orders
        self._trailing: dict[str, set[str]] = {}
        """Ids of the orders whose stop trails, by symbol."""

        self._entered: dict[str, None] = {}
        """Ids of entries that have traded shares for which no exit is placed yet."""

        self._exits_of: dict[str, list[str]] = {}
        """Ids of all exits of an entry, the ended ones among them."""

        orders.on_heard.append(self._exit_all)
        orders.on_trade.append(self._traded)
        orders.on_end.append(self._ended)

    def resume(self) -> None:
        """Link the exits of an earlier run again."""
        state = self._core.state
        for order in state.orders.values():
            if order.source == SUPER:
                self._exits_of.setdefault(order.parent_id, []).append(order.order_id)
        for row in state.super_orders.values():
            self._watch(row)
            self._link(row)

    def place(self, ticket: SuperTicket) -> AccountOrder:
        """Place the entry.

        Raises:
            Refused: nothing was placed.
        """
        core = self._core
        if ticket.order_type not in {"LIMIT", "MARKET"}:
            raise wrong("orderType", "LIMIT or MARKET", ticket.order_type)
        if bool(ticket.limit_price) != (ticket.order_type == "LIMIT"):
            raise Refused("input", "Invalid Price for orderType")
        listing = core.listing(ticket.instrument)
        if core.closing(listing) is not None:  # its exits could not follow
            raise Refused("order", MARKET_CLOSED)
        price = ticket.limit_price or core.last_price(listing.symbol)
        row = SuperOrder(
            order_id="",
            target_price=ticket.target_price,
            stop_price=ticket.stop_price,
            trailing_jump=ticket.trailing_jump,
            target_status="PENDING" if ticket.target_price else "CANCELLED",
            stop_status="PENDING" if ticket.stop_price else "CANCELLED",
            status="TRANSIT",
        )
        _check(row, listing, ticket.side, price)
        entry = self._orders.place(
            Ticket(
                instrument=ticket.instrument,
                side=ticket.side,
                product=ticket.product,
                order_type=ticket.order_type,
                quantity=ticket.quantity,
                limit_price=ticket.limit_price,
                correlation_id=ticket.correlation_id,
            ),
            leg="ENTRY_LEG",
        )
        self._do(replace(row, order_id=entry.order_id))
        return entry

    def begin(self, row: SuperOrder) -> None:
        """Begin a super order whose entry is placed."""
        self._do(row)

    def modify(self, change: SuperModification) -> AccountOrder:
        """Change a leg: the entry while it is open; the target's price; the stop's price and jump.

        Raises:
            Refused: nothing has changed.
        """
        row, entry = self._found(change.order_id)
        if self._core.closing(self._core.listing(entry.instrument)) is not None:
            raise Refused("order", MARKET_CLOSED_FOR_CHANGES)
        target = change.target_price if change.target_price is not None else row.target_price
        stop = change.stop_price if change.stop_price is not None else row.stop_price
        jump = change.trailing_jump
        if change.leg == "TARGET_LEG":
            stop, jump = row.stop_price, row.trailing_jump
            self._expect_pending(row.target_status)
        elif change.leg == "STOP_LOSS_LEG":
            target = row.target_price
            self._expect_pending(row.stop_status)
        elif change.leg != "ENTRY_LEG":
            raise wrong("legName", "ENTRY_LEG, TARGET_LEG or STOP_LOSS_LEG", repr(change.leg))
        has_target, has_stop = row.target_status not in _GONE, row.stop_status not in _GONE
        for field, given, known, has_leg in (
            ("targetPrice", target, row.target_price, has_target),
            ("stopLossPrice", stop, row.stop_price, has_stop),
        ):
            _expect_change(field, given, known, has_leg=has_leg)
        limit_price = entry.limit_price if change.limit_price is None else change.limit_price
        left = replace(row, target_price=row.target_price * has_target, stop_price=row.stop_price * has_stop)
        changed = replace(row, target_price=target * has_target, stop_price=stop * has_stop, trailing_jump=jump)
        listing, last_price = self._core.listing(entry.instrument), self._core.last_price(entry.symbol)
        if entry.filled_quantity:  # the market may be beyond the entry's price by now, and a stop that trails, too
            _check(changed, listing, entry.side, last_price, before=left)
        else:
            _check(changed, listing, entry.side, limit_price or last_price)
        pairs = ((target, row.target_price), (stop, row.stop_price))
        fault = circuit_fault(self._core, listing, *(given for given, known in pairs if given != known))
        if fault:
            raise Refused("order", fault)
        if change.leg == "ENTRY_LEG":
            modification = Modification(
                order_id=entry.order_id,
                order_type=change.order_type or entry.order_type,
                quantity=change.quantity or entry.quantity,
                limit_price=limit_price,
            )
            entry = self._orders.modify(modification)
            row = self._core.state.super_orders[row.order_id]
        self._do(replace(row, target_price=target, stop_price=stop, trailing_jump=jump))
        for leg in ("TARGET_LEG", "STOP_LOSS_LEG"):
            self._reprice(self._core.state.super_orders[row.order_id], leg)
        return entry

    def cancel(self, order_id: str, leg: Leg) -> AccountOrder:
        """Cancel a leg; with the entry, all.

        Raises:
            Refused: nothing has changed.
        """
        row, entry = self._found(order_id)
        legs = {"TARGET_LEG": (row.target_order_id,), "STOP_LOSS_LEG": (row.stop_order_id,)}
        ids = legs.get(leg, (order_id, row.target_order_id, row.stop_order_id))
        if not all(self._orders.may_withdraw(each) for each in map(self._exit, ids) if each is not None):
            raise Refused("order", MARKET_CLOSED_FOR_CHANGES)
        if leg == "ENTRY_LEG":
            exits = [each for each in map(self._exit, (row.target_order_id, row.stop_order_id)) if each is not None]
            if entry.is_open:
                entry = self._orders.cancel(order_id)
            elif not exits:
                raise Refused("order", f"Order is already {row.status}")
            for each in exits:
                self._end_exit(each.order_id)
            row = self._core.state.super_orders[order_id]
            self._do(replace(row, target_status="CANCELLED", stop_status="CANCELLED", status="CANCELLED"))
        elif leg == "TARGET_LEG":
            self._expect_pending(row.target_status)
            self._end_exit(row.target_order_id)
            self._do(replace(self._core.state.super_orders[order_id], target_status="CANCELLED"))
        elif leg == "STOP_LOSS_LEG":
            self._expect_pending(row.stop_status)
            self._end_exit(row.stop_order_id)
            self._do(replace(self._core.state.super_orders[order_id], stop_status="CANCELLED", trailing_jump=0.0))
        else:
            raise wrong("legName", "ENTRY_LEG, TARGET_LEG or STOP_LOSS_LEG", repr(leg))
        return entry

    def move(self, symbol: str, last_price: float) -> None:
        """Let stops trail."""
        for order_id in tuple(self._trailing.get(symbol, ())):
            self._trail(self._core.state.super_orders[order_id], last_price)

    # What happens to its orders.

    def _traded(self, order: AccountOrder, trade: AccountTrade) -> None:
        if order.leg == "ENTRY_LEG":
            row = self._core.state.super_orders[order.order_id]
            if not row.anchor_price:
                row = _priced(row, order, trade.price, self._core.listing(order.instrument))
            self._do(replace(row, status=order.status))
            self._entered[order.order_id] = None
        elif order.source == SUPER:
            row = self._core.state.super_orders[order.parent_id]
            is_target = order.leg == "TARGET_LEG"
            changed = replace(row, target_status="TRIGGERED") if is_target else replace(row, stop_status="TRIGGERED")
            self._do(changed)

    def _ended(self, order: AccountOrder) -> None:
        """Close a super order whose entry has ended and whose exits are through."""
        is_entry = order.leg == "ENTRY_LEG"
        if not is_entry and order.source != SUPER:
            return
        state = self._core.state
        row = state.super_orders[order.order_id if is_entry else order.parent_id]
        entry = state.orders[row.order_id]
        if not is_entry:
            row = self._tell_exit(row, order, is_entry_open=entry.is_open)
            if order.status == "REJECTED":  # the position stays, and so does the other exit
                return
        exits = map(self._exit, (row.target_order_id, row.stop_order_id))
        if entry.is_open or row.order_id in self._entered or any(each is not None for each in exits):
            return
        exited = self.exited(row.order_id)
        is_closed = entry.filled_quantity and exited >= entry.filled_quantity
        status: SuperStatus = "CLOSED" if is_closed else order.status
        target = row.target_status if row.target_status == "TRIGGERED" else "CANCELLED"
        stop = row.stop_status if row.stop_status == "TRIGGERED" else "CANCELLED"
        self._do(replace(row, status=status, target_status=target, stop_status=stop))

    def _tell_exit(self, row: SuperOrder, order: AccountOrder, *, is_entry_open: bool) -> SuperOrder:
        """Say what became of an exit that has ended; return the super order as it is then.

        One whose shares the other has traded is pending still while the entry may trade more: it comes again for these.
        """
        is_target = order.leg == "TARGET_LEG"
        status, others = row.target_status, row.stop_status
        if not is_target:
            status, others = others, status
        told: SuperStatus = "REJECTED" if order.status == "REJECTED" else "CANCELLED"
        comes_again = told == "CANCELLED" and is_entry_open and others == "TRIGGERED"
        if status != "PENDING" or comes_again:
            return row
        row = replace(row, target_status=told) if is_target else replace(row, stop_status=told)
        self._do(row)
        return row

    def _exit_all(self) -> None:
        while self._entered:
            order_id = next(iter(self._entered))
            del self._entered[order_id]
            self._exit_more(order_id)

    def _exit_more(self, order_id: str) -> None:
        """Let each exit have as many shares as the entry has traded, less what the exits have."""
        legs: tuple[Leg, ...] = ("TARGET_LEG", "STOP_LOSS_LEG")
        for leg in legs:
            state = self._core.state
            row, entry = state.super_orders[order_id], state.orders[order_id]
            needed = entry.filled_quantity - self.exited(order_id)
            is_target = leg == "TARGET_LEG"
            if not needed or (row.target_status if is_target else row.stop_status) in _GONE:
                continue
            known = self._exit(row.target_order_id if is_target else row.stop_order_id)
            if known is not None:
                self._restate(replace(known, quantity=known.filled_quantity + needed))
            else:
                self._place_exit(row, entry, leg, needed)

    def _place_exit(self, row: SuperOrder, entry: AccountOrder, leg: Leg, quantity: int) -> None:
        is_target = leg == "TARGET_LEG"
        placed = self._orders.place(
            Ticket(
                instrument=entry.instrument,
                side="SELL" if entry.side == "BUY" else "BUY",
                product=entry.product,
                order_type="LIMIT" if is_target else "STOP_LOSS_MARKET",
                quantity=quantity,
                limit_price=row.target_price if is_target else 0.0,
                trigger_price=0.0 if is_target else row.stop_price,
            ),
            source=SUPER,
            parent_id=row.order_id,
            leg=leg,
        )
        if is_target:
            self._do(replace(row, target_order_id=placed.order_id, target_status="PENDING"))
        else:
            self._do(replace(row, stop_order_id=placed.order_id, stop_status="PENDING"))
        self._exits_of.setdefault(row.order_id, []).append(placed.order_id)
        other = self._exit(row.stop_order_id if is_target else row.target_order_id)
        self._orders.arrive(placed.order_id, linked_with=other.order_id if other is not None else "")

    def has_exits(self, order_id: str) -> bool:
        """Tell whether an exit of an entry is open."""
        return any(self._exit(each) is not None for each in self._exits_of.get(order_id, ()))

    def exited(self, order_id: str) -> int:
        """Return the shares that the exits of an entry have traded."""
        orders = self._core.state.orders
        return sum(orders[each].filled_quantity for each in self._exits_of.get(order_id, ()))

    # Helpers.

    def _trail(self, row: SuperOrder, last_price: float) -> None:
        entry = self._core.state.orders[row.order_id]
        sign = 1 if entry.side == "BUY" else -1
        if not row.anchor_price:
            return
        jumps = math.floor(sign * (last_price - row.anchor_price) / row.trailing_jump + 1e-9)
        if jumps < 1:
            return
        grid = self._core.listing(entry.instrument).reference.grid
        moved = sign * jumps * row.trailing_jump
        stop = grid.round(max(row.stop_price + moved, grid.tick_size_rupees), "down" if sign > 0 else "up")
        row = replace(
            row, stop_price=stop, anchor_price=grid.round(max(row.anchor_price + moved, grid.tick_size_rupees))
        )
        self._do(row)
        self._reprice(row, "STOP_LOSS_LEG")

    def _reprice(self, row: SuperOrder, leg: str) -> None:
        known = self._exit(row.target_order_id if leg == "TARGET_LEG" else row.stop_order_id)
        if known is None or known.is_triggered:
            return
        if leg == "TARGET_LEG" and known.limit_price != row.target_price:
            self._restate(replace(known, limit_price=row.target_price))
        elif leg == "STOP_LOSS_LEG" and known.trigger_price != row.stop_price:
            self._restate(replace(known, trigger_price=row.stop_price))

    def _restate(self, order: AccountOrder) -> None:
        """Change an exit, at the exchange, too."""
        core = self._core
        core.do(replace(order, updated_ns=core.now_ns))
        reports = core.matching.replace(
            ReplaceRequest(
                client_order_id=order.order_id,
                quantity=order.quantity,
                order_type=order.order_type,
                limit_price=order.limit_price or None,
                trigger_price=order.trigger_price or None,
            )
        )
        assert reports[0].execution_type == "REPLACED", reports[0].reason
        self._orders.hear_all(reports[1:])

    def _link(self, row: SuperOrder) -> None:
        target, stop = self._exit(row.target_order_id), self._exit(row.stop_order_id)
        if target is not None and stop is not None:
            self._core.matching.link(target.order_id, stop.order_id)

    def _exit(self, order_id: str) -> AccountOrder | None:
        return self._core.state.open.get(order_id)

    def _end_exit(self, order_id: str) -> None:
        known = self._exit(order_id)
        if known is not None:
            self._orders.end(known, "CANCELLED", CONFIRMED)

    def _found(self, order_id: str) -> tuple[SuperOrder, AccountOrder]:
        row = self._core.state.super_orders.get(order_id)
        if row is None:
            raise unknown("orderId", "a super order", order_id)
        return row, self._core.state.orders[order_id]

    def _expect_pending(self, status: str) -> None:
        if status != "PENDING":
            raise Refused("order", f"Order is already {status}")

    def _do(self, row: SuperOrder) -> None:
        self._core.do(replace(row, updated_ns=self._core.now_ns))
        self._watch(row)

    def _watch(self, row: SuperOrder) -> None:
        symbol = self._core.state.orders[row.order_id].symbol
        trailing = self._trailing.setdefault(symbol, set())
        if row.trailing_jump and row.stop_status == "PENDING":
            trailing.add(row.order_id)
        else:
            trailing.discard(row.order_id)


def _priced(row: SuperOrder, entry: AccountOrder, price: float, listing: Listing) -> SuperOrder:
    """Return a super order whose entry trades first, at a price, from which its exits may be told as distances."""
    up = 1 if entry.side == "BUY" else -1
    grid = listing.reference.grid

    def away(distance: float) -> float:
        return grid.round(min(max(price + distance, grid.tick_size_rupees), RUPEES_MAX))

    target = row.target_price or (entry.target_offset_rupees and away(up * entry.target_offset_rupees))
    stop = row.stop_price or (entry.stop_offset_rupees and away(-up * entry.stop_offset_rupees))
    return replace(row, anchor_price=price, target_price=target, stop_price=stop)


def _expect_change(field: str, given: float, known: float, *, has_leg: bool) -> None:
    """Check that a leg may have a price (rupees) in place of the one that it has.

    Raises:
        Refused: it is cancelled, or would have none.
    """
    if given != known and not has_leg:
        raise Refused("order", "A cancelled leg cannot be put back")
    if known and not given:
        raise wrong(field, "one above 0", given)


def _check(row: SuperOrder, listing: Listing, side: str, price: float, *, before: SuperOrder | None = None) -> None:
    """Check target and stop against each other and a price.

    Args:
        row: as it shall be.
        listing: the instrument.
        side: of the entry.
        price: that the entry pays, or the last one once it has traded: rupees, 0 where it is not known.
        before: as it is; what does not change is not checked against the price. None to check all.

    Raises:
        Refused: they do not fit.
    """
    target, stop = row.target_price, row.stop_price
    if not target and not stop:
        raise wrong("targetPrice", "a target or a stop", "neither")
    if row.trailing_jump and not stop:
        raise wrong("trailingJump", "0 without a stop", row.trailing_jump)
    for field, given in (("targetPrice", target), ("stopLossPrice", stop)):
        if given and listing.reference.grid.snap(given) is None:
            raise wrong(field, f"a multiple of {listing.reference.tick_size_rupees}", given)
    for field, given, other, known in (
        ("targetPrice", target, stop, before.target_price if before is not None else 0.0),
        ("stopLossPrice", stop, target, before.stop_price if before is not None else 0.0),
    ):
        if given == known:
            continue
        is_above = (field == "targetPrice") == (side == "BUY")
        for limit in (price, other):
            if limit and (given <= limit if is_above else given >= limit):
                raise wrong(field, f"a price {'above' if is_above else 'below'} {limit}", given)
