"""Owner of the broker session: places each order once, and says when it does not know."""

from .actor import BrokerActor
from .adapter import BrokerAdapter, Line, News
from .bodies import BROKERS
from .errors import BrokerError, UnknownBrokerError

__all__ = ["BROKERS", "BrokerActor", "BrokerAdapter", "BrokerError", "Line", "News", "UnknownBrokerError"]
