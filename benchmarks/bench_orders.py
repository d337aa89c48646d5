"""What an order costs in the orders room: from `SubmitOrder` until it is filled, without journal, broker and runtime.

    python benchmarks/bench_orders.py [--orders 1000] [--rounds 9]

The real actor, called by its table of handlers. What it sends is answered at once, as the journal and the broker would:
the intent is durable, placed, accepted, and filled by one trade, each of these durable. Seven messages in, five out.
Floor, in turn with it: the same order through the gate, the facts and the ledger, called one after the other. Target:
2.5 times the floor, since handlers only connect these, and a backtest calls them for each of its orders.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from statistics import median
from types import SimpleNamespace
from typing import Any

from figures import Figure, report
from msgspec.structs import replace

from natya.actors.orders import OrdersActor, OrdersActorSettings
from natya.actors.orders.book.ledger import Ledger
from natya.actors.orders.rules import Situation, judge, rules_of
from natya.config.loader import load_settings
from natya.domain.orders import intent_of
from natya.messages.addresses import BROKER, JOURNAL
from natya.messages.broker import ExecutionReport, OrderPlaced, PlaceOrder
from natya.messages.journal import Append, Appended, JournalPage, ReadJournal, appended
from natya.messages.orders import OrderAccepted, OrderFilled, SubmitOrder

OF_FLOOR_TARGET = 2.5
NOON_NS = 1_791_181_800 * 1_000_000_000
"""12:00 in India on Monday, 5 October 2026."""


def an_order(number: int) -> SubmitOrder:
    """Make one that passes the gate."""
    return SubmitOrder(
        client_order_id=f"bench-{number}",
        strategy="bench",
        symbol="RELIANCE",
        side="BUY" if number % 2 else "SELL",
        quantity=1,
        order_type="LIMIT",
        limit_price=2_843.55,
        submitted_ns=NOON_NS,
        reference_price=2_843.55,
        reference_ns=NOON_NS,
    )


def limits() -> OrdersActorSettings:
    """Return those of paper, raised where the orders of the benchmark would pass them."""
    given = load_settings(profile="paper").orders
    return OrdersActorSettings.of(
        replace(given, value_max_rupees=1e9, orders_a_moment_max=1_000_000, checkpoint_facts=0), account="session"
    )


def accepted(name: str) -> OrderAccepted:
    """Return the fact that the broker has it."""
    return OrderAccepted(client_order_id=name, broker_order_id=f"B-{name}", occurred_ns=NOON_NS)


class Host:
    """What the actor asks of the runtime: its sends are kept, its timers never fire."""

    def __init__(self) -> None:
        """Begin in a market that waits."""
        self.trace = 0
        self.market = SimpleNamespace(rules=True)
        self.sent: deque[tuple[str, Any]] = deque()
        self.asked: deque[tuple[Any, Any]] = deque()

    def send_elsewhere(self, target: str, message: Any) -> None:
        """Keep it."""
        self.sent.append((target, message))

    def ask(self, _target: str, message: Any, _timeout_s: float, then: Any) -> None:
        """Keep it."""
        self.asked.append((message, then))

    def after(self, _seconds: float, _message: Any) -> Any:
        """Return a timer that can be cancelled."""
        return SimpleNamespace(cancel=lambda: None)

    def join_trace(self, _correlation_id: str) -> None:
        """Do nothing."""

    def tell_started(self) -> None:
        """Do nothing."""

    def may_log(self) -> bool:
        """Allow it."""
        return True


class Room:
    """The actor, with a journal and a broker that answer at once."""

    def __init__(self) -> None:
        """Start it over an empty journal."""
        self.host, self.sequence = Host(), 0
        actor = self.actor = OrdersActor()
        actor.name, actor.settings, actor.host = "orders", limits(), self.host
        actor._myRef = SimpleNamespace(address=None)  # noqa: SLF001  what a base of Thespian gives it
        actor.clock = SimpleNamespace(now_ns=lambda: NOON_NS, monotonic_ns=lambda: NOON_NS, elapsed_ns=lambda: NOON_NS)
        actor.random = SimpleNamespace(getrandbits=lambda _: 1)
        actor.on_start()
        while self.host.asked:
            message, then = self.host.asked.popleft()
            answer = (
                JournalPage(records=(), last_sequence=0) if isinstance(message, ReadJournal) else self.append(message)
            )
            then(SimpleNamespace(value=answer, error=None))
        self.host.sent.clear()

    def append(self, request: Append) -> Appended:
        """Make facts durable."""
        first = self.sequence + 1
        self.sequence += len(request.facts)
        return appended(request, first)

    def tell(self, message: Any) -> None:
        """Have it handled, and answer what it sends."""
        table, actor, sent = OrdersActor.handler_table, self.actor, self.host.sent
        table[type(message)](actor, message, None)
        while sent:
            target, said = sent.popleft()
            answers: tuple[Any, ...] = ()
            if target == JOURNAL:
                answers = (self.append(said),)
            elif target == BROKER and isinstance(said, PlaceOrder):
                answers = (placed(said), traded(said))
            for answer in answers:
                table[type(answer)](actor, answer, None)


def placed(order: PlaceOrder) -> OrderPlaced:
    """Return the broker's answer."""
    return OrderPlaced(client_order_id=order.client_order_id, broker_order_id=f"B-{order.client_order_id}")


def traded(order: PlaceOrder) -> ExecutionReport:
    """Return the trade that fills it."""
    return ExecutionReport(
        client_order_id=order.client_order_id,
        broker_order_id=f"B-{order.client_order_id}",
        execution_id=f"T-{order.client_order_id}",
        execution_type="TRADE",
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        price=2_843.55,
        cumulative_quantity=order.quantity,
        occurred_ns=NOON_NS,
    )


def bare(orders: list[SubmitOrder]) -> None:
    """Do what the room does with each order, without its handlers and messages."""
    ledger, given = Ledger("bench"), limits()
    rules = rules_of(given)
    sequence = 0
    for order in orders:
        situation = Situation(
            risk_state="NORMAL", limits=given, book=ledger.book, intents=ledger.intents, now_ns=NOON_NS, market=None
        )
        assert judge(order, situation, rules) is None
        name = order.client_order_id
        fill = OrderFilled(
            client_order_id=name,
            trade_id=f"T-{name}",
            strategy=order.strategy,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            price=2_843.55,
            cumulative_quantity=order.quantity,
            occurred_ns=NOON_NS,
        )
        for fact, of in ((intent_of(order, NOON_NS), order), (accepted(name), None), (fill, None)):
            append = ledger.write((fact,), of)
            sequence += 1
            assert ledger.confirm(appended(append, sequence)) is not None


def main(arguments: list[str] | None = None) -> int:
    """Measure both; 0 when the target is met."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=1_000, help="how many, each round")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args(arguments)
    orders = [an_order(number) for number in range(options.orders)]
    ours_us, bare_us = [], []
    for _ in range(options.rounds):
        room = Room()
        began_ns = time.thread_time_ns()
        for order in orders:
            room.tell(order)
        ours_us.append((time.thread_time_ns() - began_ns) / len(orders) / 1_000)
        counts = room.actor.statistics()
        assert (counts.fills, counts.open_orders) == (len(orders), 0), counts
        began_ns = time.thread_time_ns()
        bare(orders)
        bare_us.append((time.thread_time_ns() - began_ns) / len(orders) / 1_000)
    return report(
        [
            Figure(
                name="an order's life in the orders room",
                value=median(ours_us),
                unit="us",
                floor=median(bare_us),
                floor_name="by gate, facts and ledger alone",
                target=OF_FLOOR_TARGET,
            )
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
