"""The events room: who hears what."""

from .actor import EventsActor
from .routes import JOURNAL_TOPIC
from .settings import EventsSettings

__all__ = ["JOURNAL_TOPIC", "EventsActor", "EventsSettings"]
