"""Owner of the market data source: recordings and a synthetic market, released in step with the house."""

from .actor import FeedActor
from .bodies.replay import Recording
from .errors import FeedError, RecordingError
from .opening import Outlook, look_ahead
from .source import MarketMessage, MarketSource, Surroundings
from .sources import SOURCES, SourceBody, source_of

__all__ = [
    "SOURCES",
    "FeedActor",
    "FeedError",
    "MarketMessage",
    "MarketSource",
    "Outlook",
    "Recording",
    "RecordingError",
    "SourceBody",
    "Surroundings",
    "look_ahead",
    "source_of",
]
