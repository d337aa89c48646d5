"""Orders and positions for people, from the book (pure): what a running system answers, and the journal alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from ....domain.closing import AGREED, TheirBook
from ....domain.flattening import NO_BANDS
from ....domain.order_check import NO_FREEZE_QUANTITIES
from ....domain.orders import Order
from ....domain.products import closable_at_once
from ....domain.time import day_of, day_start_ns
from ....messages.order_listing import (
    CancelOrders,
    LastPrice,
    OrderListed,
    OrdersRead,
    PositionsRead,
    ReadOrders,
    StrategyHolding,
)
from ....messages.orders import OrderFact, OrderRefused
from .ledger import Ledger
from .reading import ReadBack

if TYPE_CHECKING:
    from ....messages.journal import JournalRecord
    from ....messages.market import FeedStatistics
    from ....messages.orders import Product, SubmitOrder
    from ....messages.reconciliation import PositionMismatch
    from .book import Book


NO_BAND: Final = (0.0, 0.0)


def book_of(records: Iterable[JournalRecord]) -> Book:
    """Build the book of the newest account from the journal.

    Raises:
        FactWithoutIntentError: an order's fact came before its intent.
    """
    ledger, read = Ledger(), ReadBack()
    for record in records:
        read.take_in(record, ledger)
    return ledger.book


def listed(book: Book, request: ReadOrders, now_ns: int) -> OrdersRead:
    """List the orders that are asked for, newest first; the day is that of `now_ns`, since 1970-01-01 UTC."""
    since_ns = 0 if request.all_days else day_start_ns(day_of(now_ns))
    account = book.account if request.account is None else request.account
    accounts = book.accounts()
    found: list[OrderListed] = []
    chosen = _open_ones(book, account) if request.open_only else _newest_first(book, since_ns, account)
    for each in _beyond(request.beyond, chosen):
        if request.strategy not in {"", each.strategy} or request.symbol not in {"", each.symbol}:
            continue
        if len(found) == request.orders_max:
            return OrdersRead(orders=tuple(found), is_complete=False, account=account, accounts=accounts)
        found.append(each)
    known = {each.client_order_id for each in found} if request.besides else set()
    found += _named(book, (each for each in request.besides if each not in known))
    return OrdersRead(orders=tuple(found), is_complete=True, account=account, accounts=accounts)


def positions(  # noqa: PLR0913  each is one thing that is told
    book: Book,
    prices: Mapping[str, tuple[float, int]],
    default: Product = "INTRADAY",
    theirs: TheirBook = AGREED,
    *,
    bands: Mapping[str, tuple[float, float]] = NO_BANDS,
    freeze_quantities: Mapping[str, int] = NO_FREEZE_QUANTITIES,
) -> PositionsRead:
    """Return what the account holds, and each strategy of it; with the last prices of the market, by symbol.

    Args:
        book: of the account.
        prices: rupees and their times, by symbol.
        default: the product of orders that named none.
        theirs: in what the broker's positions differ.
        bands: lowest and highest price that the exchange takes, by symbol.
        freeze_quantities: shares of the greatest order that it takes, by symbol.
    """
    found = book.positions()
    held = tuple(
        StrategyHolding(
            strategy=strategy,
            symbol=symbol,
            quantity=quantity,
            closable_at_once=closable_at_once(book.strategy_products(strategy, symbol, default, theirs), quantity),
        )
        for (strategy, symbol), quantity in sorted(book.shares_by_strategy().items())
    )
    told = tuple(
        LastPrice(
            symbol=each.symbol,
            price=prices[each.symbol][0],
            priced_ns=prices[each.symbol][1],
            low=bands.get(each.symbol, NO_BAND)[0],
            high=bands.get(each.symbol, NO_BAND)[1],
        )
        for each in found
        if each.symbol in prices
    )
    products = {each.symbol: book.products(each.symbol, default) for each in found}
    return PositionsRead(
        positions=found,
        held=held,
        prices=told,
        products={symbol: some for symbol, of in products.items() if (some := {k: v for k, v in of.items() if v})},
        differing=differing_now(book, theirs, default),
        freeze_quantities={
            each.symbol: freeze_quantities[each.symbol] for each in found if each.symbol in freeze_quantities
        },
    )


def differing_now(book: Book, theirs: TheirBook, default: Product) -> tuple[PositionMismatch, ...]:
    """Return in what the broker's positions differ, both sides with all that was traded here since."""

    def ours(symbol: str, product: str) -> int:
        """Return the shares of a product; of none: all of them."""
        products = book.products(symbol, default).items()
        return sum(held for name, held in products if name == product) if product else book.position(symbol)

    return tuple(theirs.now(each, ours(each.symbol, each.product)) for each in theirs.differing)


def prices_of(feed: FeedStatistics) -> dict[str, tuple[float, int]]:
    """Return the newest price that a feed has sent, and its time, by symbol."""
    return {symbol: (price, feed.priced_ns.get(symbol, 0)) for symbol, price in feed.last_prices.items()}


def to_cancel(
    book: Book, intents: Mapping[str, SubmitOrder], request: CancelOrders
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the ids of the open orders that are asked for, and of those that are not open.

    Args:
        book: of the account.
        intents: orders on their way to the journal: they will be open.
        request: what a person wants cancelled.
    """
    open_: tuple[Order | SubmitOrder, ...] = (*book.open_orders(), *intents.values())
    chosen = {
        order.client_order_id: None
        for order in open_
        if (request.everything or request.strategy or request.symbol)
        and request.strategy in {"", order.strategy}
        and request.symbol in {"", order.symbol}
    }
    not_open = []
    for client_order_id in dict.fromkeys(request.client_order_ids):
        order = book.order(client_order_id)
        if client_order_id in intents or (order is not None and order.is_open):
            chosen[client_order_id] = None
        else:
            not_open.append(client_order_id)
    return tuple(chosen), tuple(not_open)


def _named(book: Book, client_order_ids: Iterable[str]) -> Iterator[OrderListed]:
    for client_order_id in client_order_ids:
        fact = book.newest_fact(client_order_id)
        order = fact if isinstance(fact, OrderRefused) else book.order(client_order_id)
        if order is not None:
            yield shown(order, fact)


def _beyond(client_order_id: str, orders: Iterator[OrderListed]) -> Iterator[OrderListed]:
    """Yield those behind the one of this id; all without an id."""
    if client_order_id:
        for each in orders:
            if each.client_order_id == client_order_id:
                break
    yield from orders


def _open_ones(book: Book, account: int) -> Iterator[OrderListed]:
    for order in reversed(book.open_orders(account)):
        yield shown(order, book.newest_fact(order.client_order_id))


def _newest_first(book: Book, since_ns: int, account: int) -> Iterator[OrderListed]:
    for client_order_id, fact in book.newest_facts(since_ns, account=account):
        order = fact if isinstance(fact, OrderRefused) else book.order(client_order_id)
        is_open = isinstance(order, Order) and order.is_open
        if order is not None and (is_open or fact.occurred_ns >= since_ns):
            yield shown(order, fact)


def shown(order: Order | OrderRefused, newest: OrderFact | None) -> OrderListed:
    """Return one order with what its newest fact says."""
    if isinstance(order, OrderRefused):
        return OrderListed(
            client_order_id=order.client_order_id,
            strategy=order.strategy,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            order_type=order.order_type,
            limit_price=order.limit_price,
            trigger_price=order.trigger_price,
            state="REFUSED",
            is_open=False,
            occurred_ns=order.occurred_ns,
            changed_ns=order.occurred_ns,
            reason=f"{order.rule}: {order.reason}",
        )
    return OrderListed(
        client_order_id=order.client_order_id,
        strategy=order.strategy,
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        order_type=order.order_type,
        state=order.state,
        is_open=order.is_open,
        filled=order.filled,
        limit_price=order.limit_price,
        trigger_price=order.trigger_price,
        validity=order.validity,
        product=order.product,
        broker_order_id=order.broker_order_id,
        occurred_ns=order.intended_ns,
        changed_ns=order.intended_ns if newest is None else newest.occurred_ns,
        reason=getattr(newest, "reason", ""),
        cancellation=order.cancellation,
        cancellation_by="" if order.cancelling is None else order.cancelling.asked_by,
    )
