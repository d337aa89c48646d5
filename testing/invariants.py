"""What holds after every simulation, whatever went wrong in it."""

from __future__ import annotations

from collections import Counter
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, Protocol

from ..actors.journal.tools import verify
from ..actors.orders.book import Book
from ..domain.brackets.bracket import Bracket, as_it_stands
from ..domain.brackets.by_others import is_sold_besides
from ..domain.brackets.legs import EXITS, leg_id
from ..domain.brackets.next_steps import next_steps
from ..domain.brackets.resting import SALES_MAX
from ..domain.brackets.steps import closes_at_market
from ..messages.broker import OrderNotFound
from ..messages.orders import ModificationIntended, OrderFact, OrderFilled, OrderIntended
from ..messages.risk_state import RiskStateChanged
from .checkpoints import checkpoint_on, unlike_the_journal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ..actors.journal import SimulatedDisk
    from ..domain.orders import Order
    from ..messages.broker import OrderFound
    from ..messages.journal import JournalRecord
    from ..messages.orders import Side
    from .database import DatabaseFiles, ReadModel

STATES: Final = {
    "OPEN": "ACCEPTED",
    "PART_FILLED": "PART_FILLED",
    "FILLED": "FILLED",
    "CANCELLED": "CANCELLED",
    "REJECTED": "REJECTED",
    "EXPIRED": "EXPIRED",
}
"""How we call what the exchange says of an order."""


class Lived(Protocol):
    """What is looked at of a world that was played to its end (`world.World`)."""

    disk: SimulatedDisk
    files: DatabaseFiles | None
    matching: Any
    witnessed: list[list[JournalRecord]]
    """What a subscriber of all facts was told, in each life."""

    injected: Counter[str]
    arrivals: Counter[str]
    """Requests that came to the exchange, by client order id."""

    changes: Counter[str]
    """The same of changes of orders."""

    statistics: dict[str, Any]

    @property
    def journal_path(self) -> Path:
        """Where the journal is."""


def violations(world: Lived, records: Sequence[JournalRecord]) -> list[str]:
    """List every promise that the run broke; `records` are those of the journal."""
    read_model = world.files.read_model if world.files is not None else None
    assert read_model is not None, "the world was played to its end"
    book = Book()
    for record in records:
        if isinstance(record.fact, OrderFact):
            book.apply(record.fact)
    return [
        *_journal(world, records),
        *unlike_the_journal(checkpoint_on(world.disk, world.journal_path), records),
        *_deliveries(world, {record.sequence: record for record in records}),
        *_arrivals(world, book),
        *_agreement(world, book, [record.fact for record in records]),
        *_halts(records),
        *_brackets(book, records),
        *_contradictions(world),
        *_projection(read_model, book, records),
        *_recording(read_model),
    ]


def _journal(world: Lived, records: Sequence[JournalRecord]) -> Iterator[str]:
    report = verify(world.journal_path, world.disk)
    if report.records != len(records):
        yield f"the journal verifies {report.records} records, and gives {len(records)}"
    if [record.sequence for record in records] != list(range(1, len(records) + 1)):
        yield "the journal's sequence has gaps"


def _deliveries(world: Lived, recorded: Mapping[int, JournalRecord]) -> Iterator[str]:
    """Each record was delivered, in sequence, and none that a power cut could take back.

    Once; only a router that crashed while it delivered does so again.
    """
    for life, heard in enumerate(world.witnessed, start=1):
        newest = heard[0].sequence - 1 if heard else 0
        for record in heard:
            again = record.sequence <= newest and world.injected["crash_inside"]
            if record.sequence != newest + 1 and not again:
                yield f"life {life}: {record.sequence} was delivered after {newest}"
            newest = max(newest, record.sequence)
        for record in heard:
            if recorded.get(record.sequence) != record:
                yield f"life {life}: {record.sequence} was delivered, and is not in the journal"
    newest = max(recorded, default=0)
    if world.witnessed[-1] and world.witnessed[-1][-1].sequence != newest:
        yield f"delivered up to {world.witnessed[-1][-1].sequence} of {newest}"


def _arrivals(world: Lived, book: Book) -> Iterator[str]:
    """At most one request left for each intent, and none without."""
    for client_order_id, arrivals in world.arrivals.items():
        if arrivals > 1:
            yield f"{client_order_id} came to the exchange {arrivals} times"
        if book.order(client_order_id) is None:
            yield f"{client_order_id} came to the exchange, and no intent is in the journal"
    for client_order_id, changes in world.changes.items():
        order = book.order(client_order_id)
        intended = 0 if order is None else order.modifications
        if changes > intended:
            yield f"{changes} changes of {client_order_id} came, of {intended} intended"


def _agreement(world: Lived, book: Book, facts: Sequence[Any]) -> Iterator[str]:
    """Both sides say the same of what became of each order."""
    for client_order_id in [fact.client_order_id for fact in facts if isinstance(fact, OrderIntended)]:
        order = book.order(client_order_id)
        assert order is not None, "it was intended"
        found = world.matching.find(client_order_id)
        if isinstance(found, OrderNotFound):
            if order.is_open:
                yield f"{client_order_id} is {order.state}, and the exchange does not know it"
            continue
        filled = sum(report.quantity for report in found.reports)
        if order.state != STATES[found.state] or order.filled != filled:
            yield f"{client_order_id} is {order.state} ({order.filled}), and {found.state} ({filled}) at the exchange"
        if order.is_open and order.pending is not None:
            yield f"change {order.pending.number} of {client_order_id} was never settled"
        if order.cancelling is not None:
            yield f"cancellation {order.cancelling.number} of {client_order_id} was never answered"
        if order.is_open and not _is_same(order, found):
            yield f"{client_order_id} is {order}, and {found} at the exchange"


def _contradictions(world: Lived) -> Iterator[str]:
    """The exchange keeps its word, so nothing that it said was refused, whatever way it took."""
    orders = world.statistics.get("orders")
    refused = getattr(orders, "illegal_transitions", 0)
    if refused:
        yield f"{refused} things that the exchange said were taken for impossible"


def _halts(records: Sequence[JournalRecord]) -> Iterator[str]:
    """Nothing passes the gate from the moment at which a halt is durable until a person has resumed."""
    halted = False
    for record in records:
        if isinstance(record.fact, RiskStateChanged):
            halted = record.fact.state == "HALTED"
        elif halted and isinstance(record.fact, OrderIntended | ModificationIntended):
            yield f"{record.fact.client_order_id} passed in a halt: {record.fact}"


def _brackets(book: Book, records: Sequence[JournalRecord]) -> Iterator[str]:
    """What is held by a bracket has the exits that it should have, unless a halt keeps them away."""
    states = [record.fact.state for record in records if isinstance(record.fact, RiskStateChanged)]
    if states and states[-1] == "HALTED":
        return
    for bracket in brackets_of(book):
        is_sold = is_sold_besides(bracket.entry, book.open_orders())
        if steps := tuple(step for step in next_steps(bracket) if not (is_sold and closes_at_market(step))):
            yield f"{steps} were not done for {bracket}"
    yield from _exits(book)


def brackets_of(book: Book) -> Iterator[Bracket]:
    """Yield each bracket that is not over, as the book has it."""
    for entry in book.brackets:
        yield as_it_stands(
            entry,
            book.order,
            book.brackets,
            shares=book.strategy_shares(entry.strategy, entry.symbol),
            late=book.late(entry.client_order_id),
            sold=book.sold(entry.client_order_id),
            surplus=book.surplus(entry.client_order_id),
        )


def _exits(book: Book) -> Iterator[str]:
    """The exits of the brackets of a strategy in a symbol close no more than it holds, all together."""
    claims: Counter[tuple[str, str, Side]] = Counter()
    others = set()
    for entry in book.brackets:
        whose = entry.strategy, entry.symbol, entry.side
        found = [book.order(leg_id(entry.client_order_id, leg)) for leg in EXITS]
        legs = [each for each in found if each is not None and each.is_open]
        claims[whose] += max((each.leaves for each in legs), default=0)
        if entry.is_open or any(each.modifications >= SALES_MAX for each in legs):
            others.add(whose)
    for (strategy, symbol, side), claimed in claims.items():
        shares = book.strategy_shares(strategy, symbol)
        if (strategy, symbol, side) not in others and claimed > max(0, shares if side == "BUY" else -shares):
            yield f"exits of {strategy} in {symbol} may close {claimed} shares of {side}, and {shares} are held"


def _is_same(order: Order, found: OrderFound) -> bool:
    """Say whether quantity and prices are the same.

    A stop that must have a limit has one at the broker alone; a trigger that was met is changed no more.
    """
    limit_price = order.limit_price or (found.limit_price if order.order_type == "STOP" else 0.0)
    trigger_price = found.trigger_price if order.is_triggered else order.trigger_price or 0.0
    told = (found.quantity, found.limit_price, found.trigger_price)
    return told == (order.quantity, limit_price, trigger_price)


def _projection(read_model: ReadModel, book: Book, records: Sequence[JournalRecord]) -> Iterator[str]:
    """The database says what the journal says."""
    if read_model.sequence != len(records):
        yield f"the database is projected up to {read_model.sequence} of {len(records)}"
    heads = tuple((each.sequence, each.recorded_ns, each.correlation_id, type(each.fact).__name__) for each in records)
    if read_model.facts != heads:
        wrong = next(pair for pair in zip_longest(read_model.facts, heads) if pair[0] != pair[1])
        yield "the database has the fact {}, and the journal {}".format(*wrong)
    intents = [record.fact.client_order_id for record in records if isinstance(record.fact, OrderIntended)]
    orders = {name: (order.state, order.filled) for name in intents if (order := book.order(name)) is not None}
    for name in orders.keys() | read_model.orders.keys():
        if read_model.orders.get(name) != orders.get(name):
            yield f"{name} is {read_model.orders.get(name)} in the database, and {orders.get(name)} in the journal"
    trades: dict[tuple[str, str], tuple[Any, ...]] = {}
    for record in records:
        if isinstance(fact := record.fact, OrderFilled):  # one that is told twice counts once
            trade = (fact.client_order_id, fact.trade_id, fact.quantity, fact.price, record.sequence)
            trades.setdefault(trade[:2], trade)
    if set(read_model.fills) != set(trades.values()) or len(read_model.fills) != len(trades):
        yield f"the database has {len(read_model.fills)} fills, and the journal {len(trades)}, or others"


def _recording(read_model: ReadModel) -> Iterator[str]:
    """Each tick is recorded once at most, and none beyond what is told of it."""
    if len(set(read_model.ticks)) != len(read_model.ticks):
        yield "a tick is recorded twice"
    newest: dict[str, int] = {}
    for source, sequence in read_model.ticks:
        newest[source] = max(newest.get(source, 0), sequence)
    if newest != read_model.recorded:
        yield f"recorded up to {newest}, and told {read_model.recorded}"
