"""Forever orders: they wait for their trigger over days, and then send an order; of two legs one cancels the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ....domain.time import DAY_NS, day_start_ns, number_of_day
from ....messages.exchange import ForeverLeg, ForeverOrder
from .refusals import Refused, expect_quantity, unknown, wrong
from .requests import Ticket

if TYPE_CHECKING:
    from ....messages.exchange import Leg
    from .core import Core
    from .listings import Listing
    from .orders import Orders
    from .requests import ForeverModification, ForeverTicket

FOREVER_PREFIX: Final = "513"
LIFE_NS: Final = 365 * DAY_NS
PRODUCTS: Final = frozenset({"CNC", "MTF", "MARGIN"})
LEGS: Final = {"TARGET_LEG": 0, "ENTRY_LEG": 0, "STOP_LOSS_LEG": 1}


class ForeverOrders:
    """The forever orders of an account."""

    def __init__(self, core: Core, orders: Orders) -> None:
        self._core = core
        self._orders = orders
        self._waiting: dict[str, set[str]] = {}
        """Ids of the orders that wait, by symbol."""

    def resume(self) -> None:
        """Watch those of an earlier run."""
        for row in self._core.state.forever_orders.values():
            self._watch(row)

    def place(self, ticket: ForeverTicket) -> ForeverOrder:
        """Place a forever order.

        Raises:
            Refused: nothing was placed.
        """
        core = self._core
        listing = core.listing(ticket.instrument)
        if ticket.product not in PRODUCTS:
            raise wrong("productType", "CNC, MTF or MARGIN", ticket.product)
        legs = [ForeverLeg(quantity=ticket.quantity, price=ticket.limit_price, trigger_price=ticket.trigger_price)]
        if ticket.second_quantity:
            legs.append(
                ForeverLeg(
                    quantity=ticket.second_quantity,
                    price=ticket.second_limit_price,
                    trigger_price=ticket.second_trigger_price,
                )
            )
        for leg in legs:
            self._check(listing, ticket.order_type, leg)
        expiry = listing.reference.expiry
        expires_ns = core.now_ns + LIFE_NS
        if expiry is not None:
            expires_ns = min(expires_ns, day_start_ns(number_of_day(expiry) + 1))
        row = ForeverOrder(
            order_id=core.new_id(FOREVER_PREFIX),
            symbol=listing.symbol,
            instrument=ticket.instrument,
            side=ticket.side,
            product=ticket.product,
            order_type=ticket.order_type,
            validity=ticket.validity,
            legs=tuple(self._aimed(leg, core.last_price(listing.symbol)) for leg in legs),
            correlation_id=ticket.correlation_id,
            disclosed_quantity=ticket.disclosed_quantity,
            created_ns=core.now_ns,
            expires_ns=expires_ns,
        )
        self._do(row)
        return row

    def modify(self, change: ForeverModification) -> ForeverOrder:
        """Restate a waiting leg.

        Raises:
            Refused: nothing has changed.
        """
        row = self._found(change.order_id)
        number = LEGS.get(change.leg, 0)
        if number >= len(row.legs):
            raise wrong("legName", "a leg of the order", change.leg)
        leg = ForeverLeg(quantity=change.quantity, price=change.limit_price, trigger_price=change.trigger_price)
        self._check(self._core.listing(row.instrument), change.order_type, leg)
        legs = list(row.legs)
        legs[number] = self._aimed(leg, self._core.last_price(row.symbol))
        changed = replace(
            row,
            legs=tuple(legs),
            order_type=change.order_type,
            validity=change.validity,
            disclosed_quantity=change.disclosed_quantity,
        )
        self._do(changed)
        return changed

    def cancel(self, order_id: str) -> ForeverOrder:
        """Cancel all legs of a forever order.

        Raises:
            Refused: nothing has changed.
        """
        return self._end(self._found(order_id), "CANCELLED")

    def move(self, symbol: str, last_price: float) -> None:
        """Send the orders whose trigger is met."""
        for order_id in sorted(self._waiting.get(symbol, ())):
            row = self._core.state.forever_orders[order_id]
            if any(leg.rises is None for leg in row.legs):
                row = replace(row, legs=tuple(self._aimed(leg, last_price) for leg in row.legs))
                self._do(row)
            if self._core.now_ns >= row.expires_ns:
                self._end(row, "EXPIRED")
            elif self._core.is_open(self._core.listing(row.instrument)):
                self._trigger(row, last_price)

    def pass_day(self) -> None:
        """End the forever orders that have expired; those that ended before are gone with their day."""
        for row in list(self._core.state.forever_orders.values()):
            if self._core.now_ns >= row.expires_ns:
                self._end(row, "EXPIRED")

    def _trigger(self, row: ForeverOrder, last_price: float) -> None:
        for number, leg in enumerate(row.legs):
            met = last_price >= leg.trigger_price if leg.rises else last_price <= leg.trigger_price
            if not met:
                continue
            name: Leg = "STOP_LOSS_LEG" if number else "TARGET_LEG"
            try:
                sent = self._orders.place(self._ticket(row, leg), parent_id=row.order_id, leg=name)
            except Refused:
                done = replace(leg, status="REJECTED")
            else:
                done = replace(leg, status="TRIGGERED", order_id=sent.order_id)
            legs = tuple(done if each is leg else replace(each, status="CANCELLED") for each in row.legs)
            self._do(replace(row, legs=legs))
            return

    def _ticket(self, row: ForeverOrder, leg: ForeverLeg) -> Ticket:
        return Ticket(
            instrument=row.instrument,
            side=row.side,
            product=row.product,
            order_type=row.order_type,
            quantity=leg.quantity,
            validity=row.validity,
            limit_price=leg.price,
            disclosed_quantity=row.disclosed_quantity,
            correlation_id=row.correlation_id,
        )

    def _aimed(self, leg: ForeverLeg, last_price: float) -> ForeverLeg:
        return replace(leg, rises=leg.trigger_price > last_price) if last_price else leg

    def _check(self, listing: Listing, order_type: str, leg: ForeverLeg) -> None:
        if order_type not in {"LIMIT", "MARKET"}:
            raise wrong("orderType", "LIMIT or MARKET", order_type)
        if bool(leg.price) != (order_type == "LIMIT"):
            raise Refused("input", "Invalid Price for orderType")
        if not leg.trigger_price:
            raise wrong("triggerPrice", "one above 0", leg.trigger_price)
        for field, price in (("price", leg.price), ("triggerPrice", leg.trigger_price)):
            if price and listing.reference.grid.snap(price) is None:
                raise wrong(field, f"a multiple of {listing.reference.tick_size_rupees}", price)
        expect_quantity(leg.quantity)
        if leg.quantity % listing.reference.lot_size:
            raise wrong("quantity", f"a multiple of {listing.reference.lot_size}", leg.quantity)

    def _found(self, order_id: str) -> ForeverOrder:
        row = self._core.state.forever_orders.get(order_id)
        if row is None:
            raise unknown("orderId", "a forever order", order_id)
        if not row.is_open:
            raise Refused("order", f"Order is already {row.legs[0].status}")
        return row

    def _end(self, row: ForeverOrder, status: str) -> ForeverOrder:
        legs = tuple(replace(leg, status=status) if leg.status == "CONFIRM" else leg for leg in row.legs)
        ended = replace(row, legs=legs)
        self._do(ended)
        return ended

    def _do(self, row: ForeverOrder) -> None:
        self._core.do(replace(row, updated_ns=self._core.now_ns))
        self._watch(row)

    def _watch(self, row: ForeverOrder) -> None:
        waiting = self._waiting.setdefault(row.symbol, set())
        if row.is_open:
            waiting.add(row.order_id)
        else:
            waiting.discard(row.order_id)
