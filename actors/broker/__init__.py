"""The broker session: places each order at most once, and reports an order in doubt as such."""

from .actor import BrokerActor
from .adapter import BrokerAdapter, BrokerEvent, BrokerSession
from .bodies import BROKERS, broker_of
from .errors import BrokerError

__all__ = [
    "BROKERS",
    "BrokerActor",
    "BrokerAdapter",
    "BrokerError",
    "BrokerEvent",
    "BrokerSession",
    "broker_of",
]
