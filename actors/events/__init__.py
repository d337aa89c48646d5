"""Events: the router of market data and facts, and delivery of domain events.

actor, routes, candles, sequence   the router: ticks, candles and journaled facts to actors by name;
                                   held: what is kept for one that is being replaced;
                                   simulated: where the market waits for all of them
speaking                           who may subscribe under which name
delivery/                          domain events: published, journaled, sent to subscribers
transports/                        integration events to other systems and in from them, by Redis Streams
bus/                               publisher and subscriber, as a program holds them
"""

from .actor import EventsActor
from .bus import EventPublisher, EventSubscriber, Listening, PublishFailedError, PublishInDoubtError, Publishing
from .delivery import DeliveryActor, DeliverySettings
from .routes import JOURNAL_TOPIC
from .settings import EventsSettings
from .simulated import SimulatedEventsActor

__all__ = [
    "JOURNAL_TOPIC",
    "DeliveryActor",
    "DeliverySettings",
    "EventPublisher",
    "EventSubscriber",
    "EventsActor",
    "EventsSettings",
    "Listening",
    "PublishFailedError",
    "PublishInDoubtError",
    "Publishing",
    "SimulatedEventsActor",
]
