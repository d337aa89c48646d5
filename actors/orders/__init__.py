"""Owner of the order book of record: the state machine, the risk gate, and reconciliation with the broker."""

from .actor import OrdersActor
from .errors import FactWithoutIntentError, JournalLostError, OrdersError
from .settings import OrdersActorSettings

__all__ = ["FactWithoutIntentError", "JournalLostError", "OrdersActor", "OrdersActorSettings", "OrdersError"]
