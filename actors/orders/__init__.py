"""The book of record: every order, the risk gate, and reconciliation with the broker.

actor        the owner of all the others, and the only sender of orders to the broker session
book         orders and positions, from durable facts (pure); ledger: the book and the facts on their way into it
updates      from the broker's answers and reports to facts (pure)
rules/       the risk gate (pure): a new rule is a function and a line in its table; day: the counts of a day
hindsight    what the gate went by when it decided on an order, from the journal
reading      how far the journal is read back
lookups      which orders have to be looked up; rounds: when
withdrawals  cancellations that wait for their order
risk_state   what may pass now, and who may change it
halting      what a halt by the kill switch asks for besides
listing      orders and positions for people
settings, errors
"""

from .actor import OrdersActor
from .errors import FactWithoutIntentError, JournalLostError, OrdersError
from .listing import book_of, listed, positions
from .settings import OrdersActorSettings

__all__ = [
    "FactWithoutIntentError",
    "JournalLostError",
    "OrdersActor",
    "OrdersActorSettings",
    "OrdersError",
    "book_of",
    "listed",
    "positions",
]
