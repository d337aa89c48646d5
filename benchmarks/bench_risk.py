"""What the risk gate costs an order: with every rule of live trading, and with those of paper and of a backtest.

    python benchmarks/bench_risk.py

The account has 100 open orders and 10 positions of 5 strategies in 10 symbols, and 1,000 orders of the day behind it,
900 of them filled in the last eight minutes; each of 200 orders is a LIMIT that every rule has to consider to the end.
The caps of live trading are raised so far that all pass. Counted is all that happens between the order's arrival and
the decision: the situation, and the rules that the limits turn on.
Floor: the questions of the paper rules, written out in one function without names, limits or reasons. Targets: 10 times
the floor with every rule of live, which is 20 us where the floor takes 2, because an order has a millisecond from the
tick to the wire; paper within 3 times the floor, as a backtest asks the gate millions of times.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from decimal import Decimal

from figures import Figure, in_turns, report
from msgspec.structs import replace

from natya.actors.orders.book import Book
from natya.actors.orders.rules import Band, Bands, Funds, MarketPrice, Situation, judge, rules_of
from natya.actors.orders.settings import OrdersActorSettings
from natya.config.loader import load_settings
from natya.domain.client_order_ids import is_client_order_id
from natya.domain.instruments import is_symbol
from natya.messages.orders import OrderAccepted, OrderFilled, OrderIntended, SubmitOrder

LIVE_TARGET = 10.0
PAPER_TARGET = 3.0
ROUNDS = 41
SECOND_NS = 1_000_000_000
NOON_NS = 1_791_181_800 * SECOND_NS
"""12:00 in India on Monday, 5 October 2026."""

SYMBOLS = [f"SHARE{number}" for number in range(10)]
PRICES: dict[str, MarketPrice] = {
    symbol: (100.0 + number, NOON_NS - SECOND_NS) for number, symbol in enumerate(SYMBOLS)
}
FUNDS = Funds(available_rupees=1e9, as_of_ns=NOON_NS - 30 * SECOND_NS, covered=dict.fromkeys(SYMBOLS, (10, 10)))
BANDS = Bands(of={symbol: Band(low=80.0, high=130.0, as_of_ns=NOON_NS - 30 * SECOND_NS) for symbol in SYMBOLS})
PAST, FILLED = 1_000, 900
ORDERS = [
    SubmitOrder(
        client_order_id=f"N-{number}",
        strategy=f"strategy{number % 5}",
        symbol=SYMBOLS[number % 10],
        side="BUY" if number % 2 else "SELL",
        quantity=50 + number % 7,
        order_type="LIMIT",
        limit_price=100.0 + number % 10,
        submitted_ns=NOON_NS,
        reference_price=100.0 + number % 10,
        reference_ns=NOON_NS - SECOND_NS,
    )
    for number in range(200)
]


def a_book() -> Book:
    """Return the book of the account."""
    book = Book()
    for number in range(PAST):
        name, quantity, symbol = f"P-{number}", 1 + number % 3, SYMBOLS[number % 10]
        strategy, is_limit = f"strategy{number % 5}", bool(number % 2)
        book.apply(
            OrderIntended(
                client_order_id=name,
                strategy=strategy,
                symbol=symbol,
                side="BUY" if number % 3 else "SELL",
                quantity=quantity,
                order_type="LIMIT" if is_limit else "MARKET",
                limit_price=100.0 if is_limit else None,
                occurred_ns=NOON_NS - (PAST - number) * SECOND_NS // 2,
            )
        )
        book.apply(OrderAccepted(client_order_id=name, broker_order_id=name, occurred_ns=NOON_NS))
        if number < FILLED:
            book.apply(
                OrderFilled(
                    client_order_id=name,
                    strategy=strategy,
                    symbol=symbol,
                    side="BUY" if number % 3 else "SELL",
                    trade_id=name,
                    quantity=quantity,
                    price=100.05,
                    cumulative_quantity=quantity,
                    occurred_ns=NOON_NS,
                )
            )
    return book


def limits_of(profile: str) -> OrdersActorSettings:
    """Return the limits of a profile, raised where the orders of the benchmark would pass them."""
    given = load_settings(profile=profile, overrides={"broker.client_id": "1"}).orders
    raised = dict.fromkeys(["quantity_max", "position_max"], 1_000_000) | {"value_max_rupees": 1e9, "symbols": ("*",)}
    for name in ("open_value_max_rupees", "gross_value_max_rupees", "day_loss_max_rupees"):
        if getattr(given, name):
            raised[name] = 1e9
    for name in ("orders_an_hour_max", "orders_a_day_max", "strategy_orders_a_day_max", "strategy_trades_a_day_max"):
        if getattr(given, name):
            raised[name] = 10_000
    return OrdersActorSettings.of(replace(given, **raised))


def asking(book: Book, limits: OrdersActorSettings) -> Callable[[], None]:
    """Return what asks the gate about every order, as the actor does."""
    rules = rules_of(limits)
    market = PRICES if limits.need_prices else None
    print(f"{len(rules)} rules", file=sys.stderr)

    def ask() -> None:
        for order in ORDERS:
            situation = Situation(
                risk_state="NORMAL",
                limits=limits,
                book=book,
                intents={},
                now_ns=NOON_NS,
                strategy_position_max=limits.strategy_position_max.get(order.strategy),
                strategy_orders_in_flight_max=limits.strategy_orders_in_flight_max.get(order.strategy),
                at_this_moment=1,
                market=market,
                funds=FUNDS,
                bands=BANDS,
            )
            refusal = judge(order, situation, rules)
            assert refusal is None, refusal

    return ask


def written_out(book: Book) -> Callable[[], None]:
    """Return the floor: the same questions about every order, as constants."""

    def ask() -> None:
        for order in ORDERS:
            name, symbol, quantity = order.client_order_id, order.symbol, order.quantity
            assert is_client_order_id(name)
            assert is_symbol(symbol)
            assert name not in book
            assert quantity <= 1_000_000  # noqa: PLR2004 - what a limit would say
            assert Decimal(repr(order.limit_price)) * quantity <= 1_000_000_000  # noqa: PLR2004
            held, leaves = book.position(symbol), book.leaves(symbol, order.side)
            assert abs(held) + leaves + quantity <= 1_000_000  # noqa: PLR2004
            assert book.unanswered < 100  # noqa: PLR2004

    return ask


def main() -> int:
    """Print the figures; return 1 when a target is missed."""
    book = a_book()
    works = written_out(book), asking(book, limits_of("paper")), asking(book, limits_of("live"))
    floor, paper, live = (taken / len(ORDERS) * 1e6 for taken in in_turns(*works, rounds=ROUNDS))
    return report(
        [
            Figure(
                name="risk gate, every rule of live",
                value=live,
                unit="us an order",
                floor=floor,
                floor_name="written out",
                target=LIVE_TARGET,
            ),
            Figure(
                name="risk gate, rules of paper",
                value=paper,
                unit="us an order",
                floor=floor,
                floor_name="written out",
                target=PAPER_TARGET,
            ),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
