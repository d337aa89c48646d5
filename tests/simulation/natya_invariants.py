"""What holds after every run of the world, whatever went wrong in it."""

from natya.actors.journal.tools import verify
from natya.actors.orders.book import Book
from natya.messages.broker import OrderNotFound
from natya.messages.orders import OrderFact, OrderIntended

STATES = {
    "OPEN": "ACCEPTED",
    "PART_FILLED": "PART_FILLED",
    "FILLED": "FILLED",
    "CANCELLED": "CANCELLED",
    "REJECTED": "REJECTED",
}
"""How we call what the exchange says of an order."""


def violations(world, records) -> list[str]:
    """List every promise that the run broke; `records` are those of the journal."""
    book = Book()
    for record in records:
        if isinstance(record.fact, OrderFact):
            book.apply(record.fact)
    return [
        *_journal(world, records),
        *_deliveries(world, {record.sequence: record for record in records}),
        *_arrivals(world, book),
        *_agreement(world, book, [record.fact for record in records]),
    ]


def _journal(world, records):
    report = verify(world.journal_path, world.disk)
    if report.records != len(records):
        yield f"the journal verifies {report.records} records, and gives {len(records)}"
    if [record.sequence for record in records] != list(range(1, len(records) + 1)):
        yield "the journal's sequence has gaps"


def _deliveries(world, recorded):
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


def _arrivals(world, book):
    """At most one request left for each intent, and none without."""
    for client_order_id, arrivals in world.arrivals.items():
        if arrivals > 1:
            yield f"{client_order_id} came to the exchange {arrivals} times"
        if book.order(client_order_id) is None:
            yield f"{client_order_id} came to the exchange, and no intent is in the journal"


def _agreement(world, book, facts):
    """Both sides say the same of what became of each order."""
    for client_order_id in [fact.client_order_id for fact in facts if isinstance(fact, OrderIntended)]:
        order = book.order(client_order_id)
        found = world.matching.find(client_order_id)
        if isinstance(found, OrderNotFound):
            if order.is_open:
                yield f"{client_order_id} is {order.state}, and the exchange does not know it"
            continue
        filled = sum(report.quantity for report in found.reports)
        if order.state != STATES[found.state] or order.filled != filled:
            yield f"{client_order_id} is {order.state} ({order.filled}), and {found.state} ({filled}) at the exchange"
