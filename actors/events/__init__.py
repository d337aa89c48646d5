"""The events router: delivers ticks, candles and journaled facts to their subscribers."""

from .actor import EventsActor
from .routes import JOURNAL_TOPIC
from .settings import EventsSettings

__all__ = ["JOURNAL_TOPIC", "EventsActor", "EventsSettings"]
