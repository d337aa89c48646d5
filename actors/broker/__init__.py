"""The broker session: places each order at most once, and reports an order in doubt as such."""

from .access_token import AccessToken, TokenDeadError
from .actor import BrokerActor
from .bodies import BROKERS, broker_of
from .body import BrokerBody, BrokerEvent, BrokerSession
from .errors import BrokerError

__all__ = [
    "BROKERS",
    "AccessToken",
    "BrokerActor",
    "BrokerBody",
    "BrokerError",
    "BrokerEvent",
    "BrokerSession",
    "TokenDeadError",
    "broker_of",
]
