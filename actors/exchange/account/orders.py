"""The life of an order at the broker: placed, in transit, checked, at the exchange, ended."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ....domain.calendar import next_open, session_at
from ....domain.instruments import price_away
from ....domain.money import exact_value
from ....domain.time import SECOND_NS, day_of
from ....messages.broker import CancelRequest, NewOrder, ReplaceRequest
from ....messages.exchange import AccountOrder, AccountTrade
from .checks import check_prices, check_ticket, fault_of_time, rejection, withdrawal_fault
from .refusals import IN_TRANSIT, MARKET_CLOSED_FOR_CHANGES, Refused, expect_quantity, unknown, wrong

if TYPE_CHECKING:
    from collections.abc import Callable

    from ....messages.broker import ExecutionReport
    from ....messages.exchange import Instrument, Leg, ProductType
    from .core import Core
    from .listings import Listing
    from .money import Money
    from .requests import Modification, Ticket

ORDER_PREFIX: Final = "41"
EXCHANGE_PREFIX: Final = "13"
MODIFICATIONS_MAX: Final = 25
"""Changes of one order that the broker allows."""

CONFIRMED: Final = "CONFIRMED"
_AMO_DELAY_MINUTES: Final = {"OPEN": 0, "OPEN_30": 30, "OPEN_60": 60}
_SLICES_MAX: Final = 100
UNLISTED_DELAY_S: Final = 1.0
"""Seconds until an order is looked at again whose instrument is not listed, or not quoted, yet."""

QUOTE_WAIT_NS: Final = 60 * SECOND_NS
"""How long an order of an earlier process waits for the first quote: that process may have shown one."""


class Orders:
    """The orders of an account, and their trades."""

    def __init__(self, core: Core, money: Money) -> None:
        self._core = core
        self._money = money
        self.on_trade: list[Callable[[AccountOrder, AccountTrade], None]] = []
        """Told of each trade, after order and position know it. Only `on_heard` may place, change and end orders."""

        self.on_end: list[Callable[[AccountOrder], None]] = []
        """Told of each order that has ended."""

        self.on_heard: list[Callable[[], None]] = []
        """Called when all reports of the matching are taken in."""

        self._hearing = 0

    # What the client asks.

    def place(
        self, ticket: Ticket, *, source: str = "", parent_id: str = "", leg: Leg = "", quantity: int = 0
    ) -> AccountOrder:
        """Take an order in; it is in transit.

        Args:
            ticket: what is asked.
            source: who placed it, if not the client.
            parent_id: the order that it belongs to.
            leg: which part of that.
            quantity: of a slice; 0 for the ticket's own.

        Raises:
            Refused: nothing was placed.
        """
        core = self._core
        listing = core.listing(ticket.instrument)
        check_ticket(core, ticket, listing)
        row = AccountOrder(
            order_id=core.new_id(ORDER_PREFIX),
            symbol=listing.symbol,
            instrument=ticket.instrument,
            side=ticket.side,
            product=ticket.product,
            order_type=ticket.order_type,
            quantity=quantity or ticket.quantity,
            validity=ticket.validity,
            limit_price=ticket.limit_price,
            trigger_price=ticket.trigger_price,
            disclosed_quantity=ticket.disclosed_quantity,
            amo_time=ticket.amo_time,
            correlation_id=ticket.correlation_id,
            target_offset_rupees=ticket.target_offset,
            stop_offset_rupees=ticket.stop_offset,
            parent_id=parent_id,
            leg=leg,
            source=source,
            created_ns=core.now_ns,
            updated_ns=core.now_ns,
        )
        core.do(row)
        core.send_to_exchange(row.order_id)
        return row

    def place_sliced(self, ticket: Ticket) -> list[AccountOrder]:
        """Take an order above the freeze quantity in, as several of at most that.

        Raises:
            Refused: nothing was placed.
        """
        listing = self._core.listing(ticket.instrument)
        check_ticket(self._core, ticket, listing)
        most = listing.reference.slice_quantity_max
        if most is not None and ticket.quantity > most * _SLICES_MAX:
            raise wrong("quantity", f"at most {_SLICES_MAX} slices of {most}", ticket.quantity)
        return [self.place(ticket, quantity=size) for size in listing.reference.divided(ticket.quantity)]

    def modify(self, change: Modification) -> AccountOrder:
        """Restate a pending order.

        Raises:
            Refused: nothing has changed.
        """
        core = self._core
        row = self._open(change.order_id)
        if row.source:
            raise Refused("order", f"Order was placed by {row.source}: it cannot be modified by itself")
        if row.modifications >= MODIFICATIONS_MAX:
            raise Refused("order", f"Maximum of {MODIFICATIONS_MAX} modifications of an order exceeded")
        listing = core.listing(row.instrument)
        if row.amo_time and not row.arrival and not core.is_open(listing):
            raise Refused("order", MARKET_CLOSED_FOR_CHANGES)
        check_prices(change.order_type, change.limit_price, change.trigger_price)
        expect_quantity(change.quantity)
        if change.quantity <= row.filled_quantity:
            raise wrong("quantity", f"more than the {row.filled_quantity} that are traded", change.quantity)
        after = replace(
            row,
            order_type=change.order_type,
            quantity=change.quantity,
            limit_price=change.limit_price,
            trigger_price=change.trigger_price,
            disclosed_quantity=change.disclosed_quantity,
            validity=change.validity,
            modifications=row.modifications + 1,
            updated_ns=core.now_ns,
        )
        if not row.arrival:
            core.do(after)
            return after
        self._check_withdrawal(row, listing)
        after = self._money.with_margin(after, listing)
        fault = rejection(core, after, listing) or self._money.shortfall(after, held=row.blocked_rupees)
        if fault:
            raise Refused("order", fault)
        core.matching.pass_time(core.now_ns)
        reports = core.matching.replace(
            ReplaceRequest(
                client_order_id=row.order_id,
                quantity=after.quantity,
                order_type=after.order_type,
                limit_price=after.limit_price or None,
                trigger_price=after.trigger_price or None,
                validity=after.validity,
            )
        )
        if reports[0].execution_type == "CANCEL_REJECTED":
            raise Refused("order", reports[0].reason)
        core.do(replace(after, is_triggered=row.is_triggered and after.order_type.startswith("STOP")))
        self.hear_all(reports[1:])
        return core.state.orders[row.order_id]

    def cancel(self, order_id: str, *, reason: str = CONFIRMED) -> AccountOrder:
        """Cancel what is open of an order.

        Raises:
            Refused: nothing has changed.
        """
        row = self._open(order_id)
        if not row.exchange_order_id:
            raise Refused("order", IN_TRANSIT)
        if row.arrival:
            self._check_withdrawal(row, self._core.listing(row.instrument))
        return self.end(row, "CANCELLED", reason)

    def end(self, row: AccountOrder, status: str, reason: str) -> AccountOrder:
        """End an open order: out of the market, with a status."""
        if row.arrival:
            self._core.matching.cancel(CancelRequest(client_order_id=row.order_id), always=True)
        ended = replace(row, status=status, reason=reason, updated_ns=self._core.now_ns)
        self._core.do(ended)
        for hear in self.on_end:
            hear(ended)
        return ended

    def settle(self, instrument: Instrument, product: ProductType, net: int, *, price: float, source: str) -> None:
        """Close a position outside of the market, at a price: signed shares that are open, rupees."""
        core = self._core
        order_id = core.new_id(ORDER_PREFIX)
        row = AccountOrder(
            order_id=order_id,
            symbol=core.listing(instrument).symbol,
            instrument=instrument,
            side="SELL" if net > 0 else "BUY",
            product=product,
            order_type="MARKET",
            quantity=abs(net),
            status="PENDING",
            exchange_order_id=f"{EXCHANGE_PREFIX}{int(order_id):014}",
            source=source,
            created_ns=core.now_ns,
            updated_ns=core.now_ns,
            exchange_ns=core.now_ns,
        )
        core.do(row)
        self._trade(row, row.quantity, price)

    # What time brings.

    def arrive(self, order_id: str, *, linked_with: str = "") -> None:
        """Let an order reach the broker's checks, and the exchange; `linked_with` loses what this order trades."""
        core = self._core
        row = core.state.open.get(order_id)
        if row is None or row.arrival:
            return
        exchange_order_id = row.exchange_order_id or f"{EXCHANGE_PREFIX}{int(order_id):014}"
        if row.amo_time and core.now_ns < self.release_ns(row):
            if not row.exchange_order_id:
                core.do(
                    replace(
                        row,
                        status="PENDING",
                        exchange_order_id=exchange_order_id,
                        reason=CONFIRMED,
                        updated_ns=core.now_ns,
                        exchange_ns=core.now_ns,
                    )
                )
            return
        listing = core.listings.find(row.instrument)
        if listing is None:  # not listed yet, in a new process
            self._look_again(row)
            return
        if self._waits_for_a_quote(row):
            return
        candidate = self._money.with_margin(self._protected(row, listing), listing)
        fault = rejection(core, candidate, listing) or self._money.shortfall(candidate, held=Decimal(0))
        fault = fault or fault_of_time(core, candidate, listing)
        if fault:
            self._reject(row, fault)
            return
        core.do(
            replace(
                candidate,
                status="PENDING",
                exchange_order_id=exchange_order_id,
                reason=CONFIRMED,
                arrival=core.state.arrivals + 1,
                updated_ns=core.now_ns,
                exchange_ns=core.now_ns,
            )
        )
        core.matching.pass_time(core.now_ns)
        reports = core.matching.place(as_new_order(candidate), linked_with=linked_with)
        if reports[0].execution_type == "REJECTED":
            self._reject(core.state.orders[order_id], f"EXCH:16387:{reports[0].reason}")
            return
        self.hear_all(reports[1:])

    def _waits_for_a_quote(self, row: AccountOrder) -> bool:
        """Whether an order of an earlier process still waits for a quote: that process may have shown one."""
        core = self._core
        if row.order_id not in core.inherited or row.symbol in core.quotes:
            return False
        since_ns = max(core.resumed_ns, self.release_ns(row) if row.amo_time else 0)
        if core.now_ns >= since_ns + QUOTE_WAIT_NS:
            return False
        self._look_again(row)
        return True

    def _look_again(self, row: AccountOrder) -> None:
        """Have an order looked at again in a second: by one look, however often it is looked at meanwhile."""
        core = self._core
        if core.now_ns >= core.inherited.get(row.order_id, 0):
            core.send_to_exchange(row.order_id, delay_s=UNLISTED_DELAY_S)
            core.inherited[row.order_id] = core.now_ns + round(UNLISTED_DELAY_S * SECOND_NS)

    def release_ns(self, row: AccountOrder) -> int:
        """Return when an after-market order is released: nanoseconds since 1970-01-01 UTC."""
        placed_ns, venue = row.created_ns, self._core.venue_of(row.instrument, row.symbol)
        today = session_at(placed_ns, *venue)
        opens_ns = today.open_ns if today is not None and placed_ns < today.open_ns else next_open(placed_ns, *venue)
        if row.amo_time == "PRE_OPEN":
            session, listing = session_at(opens_ns, *venue), self._core.listings.find(row.instrument)
            if session is not None and listing is not None and listing.opens_by_auction:
                return session.pre_open_ns
            return opens_ns
        return opens_ns + _AMO_DELAY_MINUTES[row.amo_time] * 60 * SECOND_NS

    def is_of_a_day_before(self, row: AccountOrder) -> bool:
        """Tell whether the day has passed for which an order came that has not reached the exchange."""
        since_ns = self.release_ns(row) if row.amo_time else row.created_ns
        return day_of(since_ns) < day_of(self._core.now_ns)

    def hear_all(self, reports: list[ExecutionReport]) -> None:
        """Take in reports of the matching, then call `on_heard`: until then the matching is ahead of the state."""
        self._hearing += 1
        for report in reports:
            self._hear(report)
        self._hearing -= 1
        if not self._hearing:
            for hear in self.on_heard:
                hear()

    def _hear(self, report: ExecutionReport) -> None:
        core = self._core
        row = core.state.orders[report.client_order_id]
        match report.execution_type:
            case "TRADE":
                self._trade(row, report.quantity, report.price)
            case "TRIGGERED":
                core.do(replace(row, is_triggered=True, updated_ns=core.now_ns))
            case "REPLACED":
                quantity = row.filled_quantity + report.leaves_quantity
                core.do(replace(row, quantity=quantity, updated_ns=core.now_ns))
            case "CANCELLED":
                ended = replace(row, status="CANCELLED", updated_ns=core.now_ns)
                core.do(ended)
                for hear in self.on_end:
                    hear(ended)

    def _trade(self, row: AccountOrder, quantity: int, price: float) -> None:
        core = self._core
        listing = core.listing(row.instrument)
        charges = self._money.charges_of(listing, row, quantity, price, core.today)
        trade = AccountTrade(
            trade_id=f"{20_000_001 + core.state.traded}",
            order_id=row.order_id,
            exchange_order_id=row.exchange_order_id,
            symbol=row.symbol,
            instrument=row.instrument,
            side=row.side,
            product=row.product,
            order_type=row.order_type,
            quantity=quantity,
            price=price,
            charges_rupees=charges.total,
            occurred_ns=core.now_ns,
            brokerage_rupees=charges.brokerage,
            transaction_tax_rupees=charges.transaction_tax,
            exchange_rupees=charges.exchange,
            sebi_fee_rupees=charges.sebi_fee,
            stamp_duty_rupees=charges.stamp_duty,
            gst_rupees=charges.gst,
        )
        filled = row.filled_quantity + quantity
        after = replace(
            row,
            status="TRADED" if filled == row.quantity else "PART_TRADED",
            filled_quantity=filled,
            traded_rupees=row.traded_rupees + exact_value(price, quantity),
            reason=CONFIRMED,
            updated_ns=core.now_ns,
        )
        core.do(trade)
        core.do(after)
        self._money.refresh(row.instrument, row.product)
        for hear in self.on_trade:
            hear(after, trade)
        if not after.is_open:
            for hear_end in self.on_end:
                hear_end(after)

    def _reject(self, row: AccountOrder, text: str) -> None:
        rejected = replace(row, status="REJECTED", reason=text, updated_ns=self._core.now_ns)
        self._core.do(rejected)
        for hear in self.on_end:
            hear(rejected)

    # Rules.

    def _protected(self, row: AccountOrder, listing: Listing) -> AccountOrder:
        """Turn a market order into a limit order under market price protection, as the broker's book shows it."""
        percent, last_price = self._core.settings.market_protection_percent, self._core.last_price(row.symbol)
        if row.order_type != "MARKET" or not percent or not last_price or self._core.closing(listing) is not None:
            return row
        price = price_away(listing.reference.grid, last_price, percent if row.side == "BUY" else -percent)
        return replace(row, order_type="LIMIT", limit_price=price)

    def may_withdraw(self, row: AccountOrder) -> bool:
        """Tell whether an open order can be changed or withdrawn now."""
        listing = self._core.listings.find(row.instrument)
        return listing is None or not withdrawal_fault(self._core, row, listing)

    def _check_withdrawal(self, row: AccountOrder, listing: Listing) -> None:
        if fault := withdrawal_fault(self._core, row, listing):
            raise Refused("order", fault)

    def _open(self, order_id: str) -> AccountOrder:
        row = self._core.state.orders.get(order_id)
        if row is None:
            raise unknown("orderId", "an order of the day", order_id)
        if not row.is_open:
            raise Refused("order", f"Order is already {row.status}")
        return row


def as_new_order(row: AccountOrder) -> NewOrder:
    """Return an order as the matching takes it."""
    return NewOrder(
        client_order_id=row.order_id,
        symbol=row.symbol,
        side=row.side,
        quantity=row.quantity,
        order_type=row.order_type,
        limit_price=row.limit_price or None,
        trigger_price=(row.trigger_price or None) if row.order_type.startswith("STOP") else None,
        validity=row.validity,
    )
