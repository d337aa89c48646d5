"""What time does to an account: the day turns, orders are released, positions are squared off, the market closes."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

from ....domain.calendar import Market, next_open, session_at
from ....domain.charges import KNOWN_SINCE
from ....domain.dhan.square_off import square_off_ns
from ....domain.expiries import last_day, settled_at
from ....domain.money import PAISA_PLACES, exact, rounded
from ....domain.order_check import slices
from ....domain.time import day_of, day_of_number, day_start_ns, number_of_day
from ....domain.venues import Venue
from ....messages.exchange import DayBegan, MoneyMoved
from ..matching import FillModel, Order
from .checks import is_expired
from .listings import Listing
from .orders import as_new_order
from .requests import Ticket
from .state import DELIVERED, EXPIRY, INTRADAY

if TYPE_CHECKING:
    from collections.abc import Callable
    from decimal import Decimal

    from ....messages.exchange import AccountOrder, ProductType
    from .core import Core
    from .money import Money
    from .orders import Orders
    from .positions import Traded

SQUARE_OFF: Final = "SQUARE_OFF"
_MARKETS: Final[tuple[Market, ...]] = ("CASH", "UNDERLYING", "DERIVATIVES")
ALWAYS: Final = tuple(Venue(exchange, market) for exchange in ("NSE", "BSE") for market in _MARKETS)
"""Venues where an account trades, whatever instruments are listed."""


class Day:
    """The clockwork."""

    def __init__(self, core: Core, money: Money, orders: Orders) -> None:
        self._core = core
        self._money = money
        self._orders = orders
        self.on_turn: list[Callable[[], None]] = []
        """Called when a day has begun."""

        self._passed_ns = core.now_ns
        """Time up to which everything due was done."""

        self._calendar_ns = 0
        """Next event by the calendar alone, kept since each order asks for it; not after `_passed_ns` while it is
        unknown."""

    def resume(self) -> None:
        """Let the open orders of an earlier run rest again, in the order of their arrival."""
        core = self._core
        resting = sorted((row for row in core.state.open.values() if row.arrival), key=lambda row: row.arrival)
        newest_ns = core.state.newest_ns or core.now_ns
        core.resumed_ns = core.now_ns
        core.now_ns = min(core.now_ns, newest_ns)  # missed events come at their own times
        latency_ns = FillModel.of(core.settings).latency_ns
        orders = [_as_open(row, latency_ns=latency_ns, newest_ns=newest_ns) for row in resting]
        core.matching = core.new_matching(orders, since_ns=newest_ns)
        core.inherited = {row.order_id: 0 for row in core.state.open.values() if not row.arrival}
        for row in core.state.open.values():
            if not row.arrival:
                core.send_to_exchange(row.order_id)
        self._money.refresh_all()

    def pass_time(self) -> None:
        """Do what has become due since the last call."""
        core = self._core
        self._turn()
        if core.settings.always_open:
            self._passed_ns = core.now_ns
            return
        if core.now_ns >= self._calendar_ns:  # 0: not known
            for due_ns, what, venue in self._dues():
                if self._reaches(due_ns):
                    what(venue)
        self._passed_ns = core.now_ns

    def look_anew(self) -> None:
        """Look up the next event of the calendar again: the markets have changed."""
        self._calendar_ns = 0
        self._core.wake_ns = min(self._core.wake_ns, self._core.now_ns)

    def next_ns(self) -> int:
        """Return when there is something to do next: nanoseconds since 1970-01-01 UTC."""
        core = self._core
        if self._calendar_ns <= self._passed_ns:
            self._calendar_ns = self._next_of_calendar()
        due = [self._calendar_ns]
        if core.due:
            due.append(core.due[0][0])
        due += [self._orders.release_ns(row) for row in core.state.parked.values()]
        return min(time_ns for time_ns in due if time_ns > self._passed_ns)

    def _next_of_calendar(self) -> int:
        core = self._core
        due: list[int] = []
        tomorrow_ns = day_start_ns(day_of(core.now_ns) + 1)
        if core.settings.always_open:
            due.append(tomorrow_ns)
        else:
            due += [due_ns for due_ns, _, _ in self._dues()]
            due += [day_start_ns(day_of(next_open(tomorrow_ns - 1, *venue))) for venue in self._venues()]
        return min(time_ns for time_ns in due if time_ns > self._passed_ns)

    def _dues(self) -> list[tuple[int, Callable[[Venue], None], Venue]]:
        """Return the events of today's sessions, in order of time; at the same time the square-off comes first."""
        core = self._core
        dues: list[tuple[int, Callable[[Venue], None], Venue]] = []
        for venue in self._venues():
            square_ns, session = square_off_ns(core.today, venue), session_at(core.now_ns, *venue)
            if square_ns is not None and session is not None:
                dues += [(square_ns, self._square_off, venue), (session.ends_ns, self._close, venue)]
                if session.closing is not None:
                    dues.append((session.closing.starts_ns, self._end_stops, venue))
        return sorted(dues, key=lambda due: due[0])

    def _venues(self) -> tuple[Venue, ...]:
        return *ALWAYS, *sorted(self._core.listings.venues.difference(ALWAYS))

    def _trades_today(self) -> bool:
        return any(session_at(self._core.now_ns, *venue) is not None for venue in self._venues())

    def _reaches(self, time_ns: int) -> bool:
        return self._passed_ns < time_ns <= self._core.now_ns

    def _turn(self) -> None:
        """Begin a new day, where a trading day has come."""
        core = self._core
        state, today = core.state, day_of(core.now_ns)
        if today <= state.day or not (core.settings.always_open or not state.day or self._trades_today()):
            self._release()
            return
        if not state.day:
            self._book("RCPT", "FUNDS ADDED", exact(core.settings.opening_balance_rupees))
        else:
            for row in list(state.open.values()):
                if row.arrival or self._orders.is_of_a_day_before(row):  # the market closed while no process ran
                    self._orders.end(row, "EXPIRED", "EXPIRED")
            self._settle_expired()
            self._close_what_was_missed()
            self._settle()
        core.do(DayBegan(day=today, occurred_ns=core.now_ns))
        core.matching = core.new_matching()
        for quote in core.quotes.values():
            core.matching.move(quote.tick)
        self._money.refresh_all()
        for hear in self.on_turn:
            hear()
        self._release()

    def _settle_expired(self) -> None:
        """Settle contracts whose last day has passed: nobody was there at its close, or no list has them any more."""
        core = self._core
        for (instrument, product), traded in list(core.state.positions.items()):
            listing, day = core.listings.find(instrument), last_day(traded.symbol)
            if listing is None and day is not None and day < day_of(core.now_ns):
                listing = Listing.of_expired(traded.symbol, instrument)
                core.listings.remember(listing)
            if traded.net and listing is not None and is_expired(core, listing):
                self._pay_out(listing, product, traded)

    def _close_what_was_missed(self) -> None:
        """Close intraday positions whose square-off was missed, at the last known price."""
        core = self._core
        if core.settings.always_open:
            return
        for (instrument, product), traded in list(core.state.positions.items()):
            if product in INTRADAY and traded.net and core.listings.find(instrument) is not None:
                price = core.last_price(traded.symbol) or core.state.last_traded(instrument)
                self._orders.settle(instrument, product, traded.net, price=price, source=SQUARE_OFF)

    def _release(self) -> None:
        """Release after-market orders that are due."""
        for order_id in list(self._core.state.parked):
            self._orders.arrive(order_id)

    def _settle(self) -> None:
        """Book the last day's trades and charges."""
        state = self._core.state
        total = Fraction(0)
        for (_, product), traded in state.positions.items():
            total += traded.realized
            if product in DELIVERED:
                total -= traded.cost
        if total:
            self._book("BILL", "TRADES OF THE DAY", rounded(total.numerator, total.denominator, PAISA_PLACES))
        if state.charges_rupees:
            is_known = day_of_number(state.day) >= KNOWN_SINCE
            rates = "" if is_known else f", AT THE RATES OF {KNOWN_SINCE}"
            self._book("CHRG", f"CHARGES OF THE DAY{rates}", -state.charges_rupees)

    def _book(self, description: str, narration: str, amount: Decimal) -> None:
        core = self._core
        core.do(
            MoneyMoved(
                voucher=core.new_voucher(),
                narration=narration,
                description=description,
                amount_rupees=amount,
                balance_rupees=core.state.cash_rupees + amount,
                occurred_ns=core.now_ns,
            )
        )

    def _square_off(self, venue: Venue) -> None:
        """Close intraday positions at the market, and cancel their orders."""
        core = self._core
        for row in list(core.state.open.values()):
            if row.product in INTRADAY and row.arrival and core.venue_of(row.instrument, row.symbol) == venue:
                self._orders.end(row, "CANCELLED", "Cancelled by the intraday square-off")
        for (instrument, product), traded in list(core.state.positions.items()):
            if product in INTRADAY and core.venue_of(instrument, traded.symbol) == venue:
                self.close_position(instrument, product, traded.net, source=SQUARE_OFF)

    def close_position(self, instrument: tuple[str, str], product: str, net: int, *, source: str) -> None:
        """Send an order at the market against a position, as far as it is open and of whole lots."""
        ticket = Ticket(
            instrument=instrument,
            side="SELL" if net > 0 else "BUY",
            product=product,  # type: ignore[arg-type]
            order_type="MARKET",
            quantity=abs(net),
        )
        listing = self._core.listings.find(instrument)
        if listing is None or not self._core.takes_orders(listing):  # it cannot be traded: the position stays
            return
        whole = ticket.quantity // listing.reference.lot_size * listing.reference.lot_size
        for size in slices(listing.reference, whole) if whole else ():
            self._orders.place(ticket, source=source, quantity=size)

    def _end_stops(self, venue: Venue) -> None:
        """Let stop orders end whose trigger was not met, and entries that need them: the auction has none."""
        core = self._core
        for row in list(core.state.open.values()):
            waits = row.order_type.startswith("STOP") and not row.is_triggered
            if row.arrival and (waits or row.leg == "ENTRY_LEG") and core.venue_of(row.instrument, row.symbol) == venue:
                self._orders.end(row, "EXPIRED", "EXPIRED")

    def _close(self, venue: Venue) -> None:
        """Let the orders of the day expire, and settle contracts on their last day."""
        core = self._core
        for row in list(core.state.open.values()):
            if row.arrival and core.venue_of(row.instrument, row.symbol) == venue:
                self._orders.end(row, "EXPIRED", "EXPIRED")
        for (instrument, product), traded in list(core.state.positions.items()):
            listing = core.listings.find(instrument)
            if listing is None or listing.reference.expiry != core.today or not traded.net:
                continue
            if listing.venue == venue:
                self._pay_out(listing, product, traded)

    def _pay_out(self, listing: Listing, product: ProductType, traded: Traded) -> None:
        """Settle a contract: where no price of its last half hour tells at which one, at its last one.

        Where the market has shown none at all, nobody is to gain by that: an option that is held is worth nothing, and
        anything else is closed at the price at which the account has traded it last.
        """
        core, expiry = self._core, listing.reference.expiry
        assert expiry is not None, "it is a contract"
        price = settled_at(traded.symbol, number_of_day(expiry), core.priced)
        if price is None:
            is_option_held = listing.kind == "OPTION" and traded.net > 0
            nobody_gains = 0.0 if is_option_held else core.state.last_traded(listing.instrument)
            price = core.last_price(traded.symbol) or nobody_gains
        self._orders.settle(listing.instrument, product, traded.net, price=price, source=EXPIRY)


def _as_open(row: AccountOrder, *, latency_ns: int, newest_ns: int) -> Order:
    """Return an order as the matching holds it: at rest, or on its way where it was due after the newest fact."""
    order = Order(as_new_order(row), broker_order_id=row.exchange_order_id, arrival=row.arrival)
    order.filled = row.filled_quantity
    order.state = "PART_FILLED" if row.filled_quantity else "OPEN"
    order.is_triggered = order.is_triggered or row.is_triggered
    if row.exchange_ns + latency_ns > newest_ns:
        order.due_ns = row.exchange_ns + latency_ns
    return order
