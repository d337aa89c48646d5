"""Publishing events, and listening to them, from a program that holds a system: `EventPublisher`, `EventSubscriber`."""

from .publisher import EventPublisher, PublishFailedError, PublishInDoubtError, Publishing
from .subscriber import EventSubscriber, Listening

__all__ = [
    "EventPublisher",
    "EventSubscriber",
    "Listening",
    "PublishFailedError",
    "PublishInDoubtError",
    "Publishing",
]
