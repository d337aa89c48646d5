"""Differences between the broker's books and ours (pure).

What is on its way is no difference: only what two looks in a row show alike is told, once, and once more when it is
gone. The broker's books have to be read before ours: an order of ours is in our book before it leaves. So an order of
another natya is certain at the first look.

Nor is what the broker closes by itself, intraday positions at the end of the day. Our book takes it over, and has as
much of it then as these orders have traded (`_taken_over`); until then it is not told (`TAKEN_OVER_NS`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

import msgspec

from ..messages.order_listing import OrderListed
from ..messages.orders import Product
from ..messages.reconciliation import (
    Difference,
    DifferenceEnded,
    OrderAdopted,
    OrderAtBroker,
    OrderLost,
    OrderMismatch,
    PositionAtBroker,
    PositionMismatch,
    ReconciliationFact,
    SquaredOff,
)
from .client_order_ids import is_formed_as_ours
from .expiries import has_expired, is_settling
from .squared_off import SQUARED_OFF, may_be_of_it, squared_off
from .time import SECOND_NS

PRICE_SLACK_RUPEES: Final = 0.001
"""Prices closer than this are equal; no tick is so small."""

DELIVERED: Final = "CNC"
"""The product whose shares go into the depository."""

TAKEN_OVER_NS: Final = 60 * SECOND_NS
"""How long our book may take to have what the broker has squared off: some looks. Longer is a difference."""

Key: TypeAlias = tuple[str, str]
"""Name of the kind of a difference, and whom it is about."""


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides at one time, the broker's read first."""

    orders: tuple[OrderListed, ...]
    """Ours: of the day, and all that are open."""

    positions: dict[str, int]
    """Ours: of every symbol ever traded."""

    products: Mapping[str, Mapping[Product, int]] = {}
    """Ours by symbol and product; of flat symbols none."""

    orders_at_broker: tuple[OrderAtBroker, ...]
    positions_at_broker: tuple[PositionAtBroker, ...]
    unresolved: tuple[str, ...] = ()
    """Symbols of whose positions nothing can be said: the broker's side is not known, or ours was changing."""

    now_ns: int
    """Nanoseconds since 1970-01-01 UTC."""


class Differences:
    """The lasting differences, and those that were seen once."""

    def __init__(self) -> None:
        self.lasting: dict[Key, Difference] = {}
        """Told, and not gone."""

        self._seen: dict[Key, tuple[object, int]] = {}
        """What the look before showed, and since when it has."""

        self._found: tuple[Difference, ...] = ()
        """All differences of the newest look."""

        self.has_new_positions = False
        """Whether the newest look showed a position that differs otherwise than before."""

        self.has_new_by_others = False
        """Whether it was the first that showed a position which orders of others explain."""

        self._positions: dict[str, tuple[PositionMismatch, ...]] = {}
        """By symbol of a position that lasts, as it was compared last: all products together, and each that differs."""

        self.squared_off: tuple[SquaredOff, ...] = ()
        """What the broker has squared off, by the newest look and the one before, and our book has not taken over."""

    def look(self, books: Books) -> tuple[ReconciliationFact, ...]:
        """Compare the books; return the facts to tell now."""
        found, unsettled = differences(books)
        compared: dict[str, tuple[PositionMismatch, ...]] = {}
        for mismatch in position_mismatches(books):
            compared[mismatch.symbol] = (*compared.get(mismatch.symbol, ()), mismatch)
        self._found, self.has_new_by_others = tuple(found.values()), False
        known_before = {
            each.symbol: self._seen.get(key, ((), 0))[0] == _look_of(each)
            for key, each in found.items()
            if isinstance(each, PositionMismatch)
        }
        self.has_new_positions = not all(known_before.values())
        lasting_ones = {symbol for symbol, is_known in known_before.items() if is_known}
        sure = [each for symbol in lasting_ones for each in compared[symbol]]
        self.squared_off = squared_off(sure, tuple(orders_of_others(books)), books.now_ns)
        taken_over_soon = _taken_over_soon(books, self.squared_off)
        seen: dict[Key, tuple[object, int]] = {}
        told: list[ReconciliationFact] = []
        for key, difference in found.items():
            look = _look_of(difference)
            known, since_ns = self._seen.get(key, (None, books.now_ns))
            if known != look:
                since_ns = books.now_ns
            seen[key] = look, since_ns
            self.has_new_by_others |= known != look and _is_by_others(difference)
            lasting = self.lasting.get(key)
            is_certain = known == look or (isinstance(difference, OrderAdopted) and difference.is_of_another_natya)
            if key in taken_over_soon and books.now_ns < since_ns + TAKEN_OVER_NS:
                continue
            if is_certain and (lasting is None or _look_of(lasting) != look):
                self.lasting[key] = _since(difference, since_ns)
                told.append(self.lasting[key])
        for key in tuple(self.lasting):
            if key in found or key in unsettled:
                continue
            del self.lasting[key]
            kind, subject = key
            told.append(DifferenceEnded(kind=kind, subject=subject, occurred_ns=books.now_ns))  # type: ignore[arg-type]
        for key in unsettled & self._seen.keys():
            seen.setdefault(key, self._seen[key])
        self._seen = seen
        lasting_ones.update(each.symbol for each in self.lasting.values() if isinstance(each, PositionMismatch))
        self._positions = {
            symbol: compared[symbol]
            if (PositionMismatch.__name__, symbol) not in unsettled
            else self._positions[symbol]
            for symbol in lasting_ones
        }
        return tuple(told)

    def positions(self) -> tuple[PositionMismatch, ...]:
        """Return the positions that differ and last, as they were compared last, and each product of them that does."""
        return tuple(each for of_symbol in self._positions.values() for each in of_symbol)

    def orders(self) -> tuple[str, ...]:
        """Return the client order ids of the orders that the newest look showed otherwise at the broker.

        Also of what may be on its way: orders looks them up, which costs a read, and settles what somebody has changed.
        """
        return tuple(each.client_order_id for each in self._found if isinstance(each, OrderMismatch))

    def unexplained(self) -> str:
        """Name the lasting differences without an explanation: only closing orders may pass; empty: none."""
        return _summed_up(why_unexplained(each) for each in self.lasting.values())

    def in_doubt(self) -> str:
        """Say the same of all that the newest look showed, also of what may be on its way; empty: nothing."""
        return _summed_up(map(why_unexplained, self._found))


def differences(books: Books) -> tuple[dict[Key, Difference], set[Key]]:
    """Return what differs now; and of which positions nothing can be said, since fills of ours are on their way."""
    found: dict[Key, Difference] = {}
    shown: set[str] = set()
    moving: set[str] = set(books.unresolved)
    taken_over = _taken_over(books)
    for theirs, ours in _paired(books):
        if ours is None:
            if theirs.broker_order_id not in taken_over:
                found[OrderAdopted.__name__, theirs.broker_order_id] = _adopted(theirs, books.now_ns)
            continue
        shown.add(ours.client_order_id)
        if ours.filled != theirs.filled:
            moving.add(ours.symbol)
        wanted, has = _terms(ours, theirs)
        if wanted != has:
            found[OrderMismatch.__name__, ours.client_order_id] = OrderMismatch(
                client_order_id=ours.client_order_id,
                ours=wanted,
                theirs=has,
                since_ns=books.now_ns,
                occurred_ns=books.now_ns,
            )
    for ours in books.orders:
        # One that the broker was never known to have is in doubt: what became of it orders finds out.
        if ours.is_open and ours.broker_order_id and ours.client_order_id not in shown:
            found[OrderLost.__name__, ours.client_order_id] = OrderLost(
                client_order_id=ours.client_order_id, since_ns=books.now_ns, occurred_ns=books.now_ns
            )
    for mismatch in position_mismatches(books):
        if mismatch.symbol not in moving:
            found.setdefault((PositionMismatch.__name__, mismatch.symbol), mismatch)
    return found, {(PositionMismatch.__name__, symbol) for symbol in moving}


def why_unexplained(difference: Difference) -> str:
    """Say why nobody can explain a difference; empty: an order of somebody else, or what was never traded here."""
    match difference:
        case OrderLost():
            return f"{difference.client_order_id} is open here, and not listed there"
        case OrderMismatch():
            return f"{difference.client_order_id} is {difference.ours} here, and {difference.theirs} there"
        case PositionMismatch() if difference.is_ours:
            of = f" as {difference.product}" if difference.product else ""
            return f"{difference.ours} {difference.symbol} are held{of} here, and {difference.theirs} there"
        case _:
            return ""


# Helpers.


def _summed_up(found: Iterable[str]) -> str:
    reasons = [reason for reason in found if reason]
    more = f", and {len(reasons) - 1} more" if len(reasons) > 1 else ""
    return f"{reasons[0]}{more}" if reasons else ""


def _since(difference: Difference, since_ns: int) -> Difference:
    return (
        difference if isinstance(difference, OrderAdopted) else msgspec.structs.replace(difference, since_ns=since_ns)
    )


def _look_of(difference: Difference) -> object:
    """Return the key by which a difference is recognised at the next look."""
    match difference:
        case OrderMismatch():
            return difference.ours, difference.theirs
        case PositionMismatch():
            return difference.ours, difference.theirs, difference.product
        case _:
            return True  # it is there


def _paired(books: Books) -> Iterable[tuple[OrderAtBroker, OrderListed | None]]:
    """Return each order there with the one of ours that it is; None: with none."""
    by_id = {each.client_order_id: each for each in books.orders}
    by_number = {each.broker_order_id: each for each in by_id.values() if each.broker_order_id}
    for theirs in books.orders_at_broker:
        ours = by_number.get(theirs.broker_order_id) or by_id.get(theirs.client_order_id)
        yield theirs, None if ours is None or _is_only_called_so(ours, theirs) else ours


def _is_only_called_so(ours: OrderListed, theirs: OrderAtBroker) -> bool:
    """Say whether an order there has the id of one of ours, and is another: ours has another number, or never left."""
    if ours.broker_order_id:
        return ours.broker_order_id != theirs.broker_order_id
    return ours.state == "REFUSED"


def _adopted(theirs: OrderAtBroker, now_ns: int) -> OrderAdopted:
    return OrderAdopted(
        broker_order_id=theirs.broker_order_id,
        told_id=theirs.client_order_id,
        instrument=theirs.symbol or theirs.instrument,
        side=theirs.side,
        quantity=theirs.quantity,
        filled=theirs.filled,
        status=theirs.status,
        is_of_another_natya=is_formed_as_ours(theirs.client_order_id),
        occurred_ns=now_ns,
    )


def _terms(ours: OrderListed, theirs: OrderAtBroker) -> tuple[str, str]:
    """Return what is compared of an order, of each side; prices and quantity of one that may still trade."""
    wanted = [_state(is_open=ours.is_open), f"filled {ours.filled}"]
    has = [_state(is_open=theirs.is_open), f"filled {theirs.filled}"]
    if theirs.symbol and theirs.symbol != ours.symbol:
        wanted.append(ours.symbol)
        has.append(theirs.symbol)
    if theirs.side != ours.side:
        wanted.append(ours.side)
        has.append(theirs.side)
    if not (ours.is_open and theirs.is_open):
        return ", ".join(wanted), ", ".join(has)
    if theirs.quantity != ours.quantity:
        wanted.append(f"quantity {ours.quantity}")
        has.append(f"quantity {theirs.quantity}")
    prices = [("limit", ours.limit_price, theirs.limit_price)] if ours.order_type in {"LIMIT", "STOP_LIMIT"} else []
    if theirs.trigger_price:  # once it has met the price a broker may tell none
        prices.append(("trigger", ours.trigger_price, theirs.trigger_price))
    for name, price, told in prices:
        if abs((price or 0.0) - told) > PRICE_SLACK_RUPEES:
            wanted.append(f"{name} {price}")
            has.append(f"{name} {told}")
    return ", ".join(wanted), ", ".join(has)


def _is_by_others(difference: Difference) -> bool:
    return isinstance(difference, PositionMismatch) and difference.theirs - difference.ours == difference.others != 0


def _state(*, is_open: bool) -> str:
    return "open" if is_open else "ended"


def position_mismatches(books: Books) -> Iterable[PositionMismatch]:
    """Return the positions that differ: of a symbol first all products together, then each, where the broker tells it.

    What is in the depository may be ours, as CNC, or not. A contract that has expired is none where our book has closed
    it: the broker keeps it until the night.
    """
    there = {each.symbol: each for each in books.positions_at_broker if each.symbol}
    others = _traded_by_others(books)
    for symbol, ours in books.positions.items():
        if is_settling(symbol, ours, books.now_ns):
            continue
        theirs = there.get(symbol)
        low, more = (0, 0) if theirs is None else (theirs.quantity, theirs.delivered)
        for mismatch in _mismatch(symbol, ours, low, low + more, now_ns=books.now_ns):
            yield msgspec.structs.replace(mismatch, others=others[symbol])
        if theirs is None or not theirs.products:
            continue
        told = dict(theirs.products)
        held: dict[str, int] = dict(books.products.get(symbol, {}).items())
        for product in sorted({*told, *held}):
            low = told.get(product, 0)
            high = low + more * (product == DELIVERED)
            yield from _mismatch(symbol, held.get(product, 0), low, high, now_ns=books.now_ns, product=product)
    for each in books.positions_at_broker:
        if each.symbol not in books.positions and not has_expired(each.symbol, books.now_ns):
            name, there_now = each.symbol or each.instrument, each.quantity
            yield from _mismatch(name, 0, there_now, there_now, now_ns=books.now_ns, is_ours=False)


def orders_of_others(books: Books) -> Iterable[OrderAtBroker]:
    """Return the orders of the day that are none of ours."""
    return (theirs for theirs, ours in _paired(books) if ours is None)


def _taken_over(books: Books) -> set[str]:
    """Return the broker's numbers of orders of others whose trades our book has, as trades that no request has made.

    All of a symbol and a side together: in part nobody knows which.
    """
    booked: Counter[tuple[str, str]] = Counter()
    for ours in books.orders:
        if ours.filled and not ours.broker_order_id:
            booked[ours.symbol, ours.side] += ours.filled
    theirs: dict[tuple[str, str], list[OrderAtBroker]] = {}
    for each in orders_of_others(books) if booked else ():
        if each.filled and not each.is_open and not each.client_order_id:
            theirs.setdefault((each.symbol, each.side), []).append(each)
    return {
        each.broker_order_id
        for of, orders in theirs.items()
        for each in orders
        if sum(order.filled for order in orders) == booked[of]
    }


def _taken_over_soon(books: Books, squared: Iterable[SquaredOff]) -> set[Key]:
    """Return the differences that our book may be about to take over."""
    found = {(PositionMismatch.__name__, each.symbol) for each in squared}
    for each in orders_of_others(books):
        intraday = books.products.get(each.symbol, {}).get(SQUARED_OFF, 0)
        if not each.client_order_id and may_be_of_it(each, intraday, books.now_ns):
            found.add((OrderAdopted.__name__, each.broker_order_id))
    return found


def _traded_by_others(books: Books) -> Counter[str]:
    """Add up by symbol the signed shares that orders have traded which are none of ours."""
    traded: Counter[str] = Counter()
    for theirs in orders_of_others(books):
        traded[theirs.symbol] += theirs.filled if theirs.side == "BUY" else -theirs.filled
    return traded


def _mismatch(  # noqa: PLR0913  what is compared, and what is told of it
    symbol: str, ours: int, low: int, high: int, *, now_ns: int, product: str = "", is_ours: bool = True
) -> Iterable[PositionMismatch]:
    """Tell of a position that is none from `low` to `high`, with the nearest of these."""
    theirs = min(max(ours, low), high)
    if theirs != ours:
        yield PositionMismatch(
            symbol=symbol,
            ours=ours,
            theirs=theirs,
            is_ours=is_ours,
            since_ns=now_ns,
            occurred_ns=now_ns,
            product=product,
        )
