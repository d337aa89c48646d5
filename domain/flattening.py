"""How positions are closed by limit orders that follow the market (pure).

The problem: everything that is held is to be sold or bought back, now, by nobody's strategy. A market order would trade
at any price, and a limit order may be left behind. The idea: no plan is kept. Each step looks at what is held, what is
open and the last price, and says what to do next: cancel what else is open, place a limit order a little beyond the
price, cancel it when the market has left it behind, or when others have closed what it was to close. What cannot be
closed now, without a price for example, keeps its stops meanwhile. The trap: two strategies may hold against each
other. What is closed is never more than what the account itself holds, or closing would open.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Hashable, Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from ..messages.orders import Side
from .closing import TheirBook, how
from .closing import closable as closable_by_all
from .freshness import age_fault
from .instruments import price_grid
from .order_check import NO_FREEZE_QUANTITIES
from .protection import RestingStop, that_stay
from .venues import aged_at_ns

if TYPE_CHECKING:
    from ..messages.order_listing import OrderListed, StrategyHolding
    from ..messages.reconciliation import PositionMismatch

BEYOND: Final = 0.005
"""Part of the price that the limit is beyond it."""

STOPS: Final = frozenset({"STOP", "STOP_LIMIT"})

NO_BANDS: Final[Mapping[str, tuple[float, float]]] = MappingProxyType({})

GRIDS: Final = ((1_000.0, 0.05), (20_000.0, 1.0), (math.inf, 5.0))
"""Below which price which steps are whole ticks of every instrument: NSE's ticks grow with the price, to 5 rupees."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What one order may be, and how old a price."""

    quantity_max: int
    value_max_rupees: float
    price_age_max_s: float
    """0: any age."""


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """An order to place."""

    strategy: str
    symbol: str
    side: Side
    quantity: int
    limit_price: float
    last_price: float
    priced_ns: int


class Moves(msgspec.Struct, frozen=True, kw_only=True):
    """What to do now."""

    cancel: tuple[str, ...] = ()
    place: tuple[Closing, ...] = ()
    waiting: tuple[str, ...] = ()
    """Why something that is held cannot be closed now."""

    is_done: bool = False
    """Nothing is held any more that closing would make smaller, as far as anybody knows."""


def next_moves(  # noqa: PLR0913  each is one thing that is looked at
    held: Iterable[StrategyHolding],
    opened: Iterable[OrderListed],
    prices: Mapping[str, tuple[float, int]],
    *,
    strategy: str,
    symbol: str,
    is_own: Callable[[str], bool],
    limits: Limits,
    now_ns: int,
    differing: Iterable[PositionMismatch] = (),
    bands: Mapping[str, tuple[float, float]] = NO_BANDS,
    freeze_quantities: Mapping[str, int] = NO_FREEZE_QUANTITIES,
    refused: Container[tuple[str, str]] = (),
) -> Moves:
    """Say what to do next to close what a strategy holds of a symbol; empty: of every one.

    Args:
        held: by each strategy of the account, in every symbol.
        opened: the open orders of the account.
        prices: last price and its time (nanoseconds since 1970-01-01 UTC), by symbol.
        strategy: whose.
        symbol: of what.
        is_own: whether an order of this client order id is one that closes.
        limits: of one order.
        now_ns: nanoseconds since 1970-01-01 UTC.
        differing: positions that the broker has otherwise: of them is closed what closes by both books.
        bands: lowest and highest price that the exchange takes, by symbol.
        freeze_quantities: shares of the greatest order that it takes, in whole lots, by symbol.
        refused: strategies and symbols whose newest order that closes was refused: the next has the last price itself
            as its limit, which the exchange has taken, whatever its band.
    """
    held, opened, differing = tuple(held), tuple(opened), tuple(differing)
    place: list[Closing] = []
    waiting: list[str] = []
    net, theirs = _net(held), TheirBook(differing)
    beyond = () if strategy else tuple(_beyond(differing, net, symbol))
    waiting += beyond
    scope = [each for each in opened if strategy in {"", each.strategy} and symbol in {"", each.symbol}]
    own = {(each.strategy, each.symbol): each for each in scope if is_own(each.client_order_id)}
    closing_well: set[str] = set()
    """Of those: what closes what is held now, no more of it, and where the market is."""

    bare: set[tuple[str, str, Side]] = set()
    """Of what cannot be closed now: strategy, symbol, and the side that would close it."""

    is_done = not scope and not beyond
    for each in held:
        if strategy not in {"", each.strategy} or symbol not in {"", each.symbol}:
            continue
        ours = _closable(each.quantity, net[each.symbol])
        if not ours:
            continue  # none, or what another strategy holds against it: the account is flat
        is_done = False
        closable = _closable(each.quantity, *theirs.held(each.symbol, net[each.symbol]))
        if each.closable_at_once is not None:
            closable = min(closable, each.closable_at_once)
        if closable < ours and (differs := _how(differing, each.symbol)):
            waiting.append(f"{each.symbol}: {ours - closable} of {each.strategy} are left: {differs}")
        net[each.symbol] -= closable if each.quantity > 0 else -closable
        order, price = own.get((each.strategy, each.symbol)), prices.get(each.symbol)
        side = _closing_side(each)
        if order is not None:
            is_left_behind = price is not None and _is_left_behind(order, price[0])
            if order.side == side and order.quantity - order.filled <= closable and not is_left_behind:
                closing_well.add(order.client_order_id)
            continue
        is_refused = (each.strategy, each.symbol) in refused
        most = freeze_quantities.get(each.symbol, limits.quantity_max)
        its_limits = replace(limits, quantity_max=min(limits.quantity_max, most))
        closing = _closing(
            each, closable or ours, price, its_limits, now_ns, bands.get(each.symbol), is_refused=is_refused
        )
        if isinstance(closing, str):
            bare.add((each.strategy, each.symbol, side))
            waiting.append(closing)
        elif closable:
            place.append(closing)
    staying = _stops_that_stay((each for each in scope if not is_own(each.client_order_id)), bare, held, theirs)
    others = [each for each in scope if not is_own(each.client_order_id) and each.client_order_id not in staying]
    badly = [each for each in scope if is_own(each.client_order_id) and each.client_order_id not in closing_well]
    cancel = tuple(each.client_order_id for each in (*others, *badly))
    return Moves(cancel=cancel, place=tuple(place), waiting=tuple(waiting), is_done=is_done)


def _stops_that_stay(
    others: Iterable[OrderListed],
    bare: Container[tuple[str, str, Side]],
    held: Iterable[StrategyHolding],
    theirs: TheirBook,
) -> frozenset[str]:
    """Return the stops of what cannot be closed now: without them that would have neither; no more than is held."""
    net, stops = _net(held), []
    drawn_on: dict[Hashable, int] = {(each.strategy, each.symbol): each.quantity for each in held}
    for each in others:
        if each.order_type not in STOPS or (each.strategy, each.symbol, each.side) not in bare:
            continue
        account: dict[Hashable, int] = {
            (book, each.symbol): shares for book, shares in enumerate(theirs.held(each.symbol, net[each.symbol]))
        }
        drawn_on |= account
        stop = RestingStop(
            order_id=each.client_order_id,
            side=each.side,
            shares=each.quantity - each.filled,
            draws_on=((each.strategy, each.symbol), *account),
        )
        stops.append(stop)
    return that_stay(stops, drawn_on)


def limit_beyond(price: float, side: Side) -> float:
    """Return a limit a little beyond the price, on steps that are whole ticks of every instrument."""
    step = next(step for below, step in GRIDS if price < below)
    if side == "BUY":
        return price_grid(step).round(price * (1 + BEYOND), "up")
    return price_grid(step).round(max(price * (1 - BEYOND), step), "down")


def _beyond(differing: Iterable[PositionMismatch], net: Mapping[str, int], symbol: str) -> Iterator[str]:
    """Say of which symbols the broker holds shares that are nobody's here: they are not ours to close."""
    for each in differing:
        is_asked_for = each.is_ours and not each.product and symbol in {"", each.symbol}
        if is_asked_for and each.theirs and not net.get(each.symbol):
            yield f"{each.symbol}: what the broker has is left, since nobody here holds it: {how(each)}"


def _how(differing: Iterable[PositionMismatch], symbol: str) -> str:
    return "; ".join(how(each) for each in differing if each.symbol == symbol)


def _net(held: Iterable[StrategyHolding]) -> dict[str, int]:
    net: dict[str, int] = {}
    for each in held:
        net[each.symbol] = net.get(each.symbol, 0) + each.quantity
    return net


def _closable(quantity: int, *net: int) -> int:
    """Return how many shares of a holding may be closed where the account holds `net`, by every book."""
    return min(abs(quantity), closable_by_all("SELL" if quantity > 0 else "BUY", *net))


def _closing_side(holding: StrategyHolding) -> Side:
    return "SELL" if holding.quantity > 0 else "BUY"


def _is_left_behind(order: OrderListed, price: float) -> bool:
    limit = order.limit_price
    return limit is not None and (limit > price if order.side == "SELL" else limit < price)


def _closing(  # noqa: PLR0913, PLR0917  each is one thing that is looked at
    holding: StrategyHolding,
    closable: int,
    price: tuple[float, int] | None,
    limits: Limits,
    now_ns: int,
    band: tuple[float, float] | None,
    *,
    is_refused: bool,
) -> Closing | str:
    if price is None or price[0] <= 0:
        return f"{holding.symbol}: a price wanted, found none"
    aged_ns = aged_at_ns(holding.symbol, price[1], now_ns)
    fault = age_fault("a price", price[1], aged_ns, age_max_s=limits.price_age_max_s) if limits.price_age_max_s else ""
    if fault:
        return f"{holding.symbol}: {fault}"
    side = _closing_side(holding)
    limit = price[0] if is_refused else limit_beyond(price[0], side)
    if band is not None and band[0] <= price[0] <= band[1]:
        limit = min(max(limit, band[0]), band[1])  # the exchange takes no order beyond it
    judged_rupees = max(limit, price[0])
    quantity = min(closable, limits.quantity_max, int(limits.value_max_rupees // judged_rupees))
    if quantity < 1:
        most_rupees = limits.value_max_rupees
        return f"{holding.symbol}: one share of at most {most_rupees:.2f} rupees wanted, found {judged_rupees:.2f}"
    return Closing(
        strategy=holding.strategy,
        symbol=holding.symbol,
        side=side,
        quantity=quantity,
        limit_price=limit,
        last_price=price[0],
        priced_ns=price[1],
    )
