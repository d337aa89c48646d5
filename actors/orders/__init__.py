"""The book of record: every order, the risk gate, and reconciliation with the broker.

actor        the owner of all the others, and the only sender of orders to the broker session: which part takes what
parts/       what it is made of, each with its own state: starting, the gate, placing, changing, cancelling, hearing …
book/        the book of record, from durable facts, the facts on their way into it, and both for people
rules/       the risk gate (pure): a new rule is a function and a line in its table
updates      from the broker's answers and reports to facts (pure); modifications: changes of an order (pure)
reconciling/ which orders have to be looked up at the broker, and when
withdrawing/ cancellations that wait for their order
risk_state   what may pass now, and who may change it
checkpointing/ what a start need not read again, kept while the system runs
halting      what a halt by the kill switch asks for besides
limits_in_force  which limits are, what a person has changed of them, and whether a change lets more pass (pure)
hindsight    what the gate went by when it decided on an order
settings, errors
"""

from .actor import OrdersActor
from .book.listing import book_of, listed, positions
from .checkpointing.actor import CheckpointActor, CheckpointSettings
from .errors import FactWithoutIntentError, JournalLostError, OrdersError
from .settings import OrdersActorSettings, subscription

__all__ = [
    "CheckpointActor",
    "CheckpointSettings",
    "FactWithoutIntentError",
    "JournalLostError",
    "OrdersActor",
    "OrdersActorSettings",
    "OrdersError",
    "book_of",
    "listed",
    "positions",
    "subscription",
]
