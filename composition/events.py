"""Events: who hears what from the first message on, delivery, and the way to other systems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..actors.events import JOURNAL_TOPIC, DeliveryActor, DeliverySettings, EventsActor, EventsSettings
from ..actors.feed import is_live
from ..actors.journal import JournalActor
from ..actors.orders import subscription
from ..actors.supervision import ChildSpec
from ..messages.addresses import DATABASE, DELIVERY, EVENTS, EXCHANGE, HISTORY, JOURNAL, TRANSPORT, WIRE
from ..messages.events import Subscribe
from .choices import has_exchange
from .nodes import heard_elsewhere

if TYPE_CHECKING:
    from ..config.settings import Settings

GAPS: Final = ("FeedGapped", "GapFilled")
"""Facts that tell which times of the feed are not recorded."""

DELIVERED: Final = Subscribe(subscriber=DELIVERY, topics=(JOURNAL_TOPIC,))
"""What delivery hears from the first message on."""


def subscriptions(settings: Settings) -> tuple[Subscribe, ...]:
    """Return the subscriptions that hold from the first message on; the exchange gets each tick before any strategy."""
    return (
        *([Subscribe(subscriber=EXCHANGE, topics=("Tick",))] if has_exchange(settings) else []),
        *([Subscribe(subscriber=WIRE, topics=("Tick",))] if settings.broker.wire else []),
        *([Subscribe(subscriber=HISTORY, topics=GAPS)] if is_live(settings.feed) else []),
        subscription(settings.orders),
        *heard_elsewhere(settings),
        Subscribe(subscriber=DATABASE, topics=("Tick", "Ticks", "Candle", JOURNAL_TOPIC)),
        DELIVERED,
    )


def events_children(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return the actors of events by themselves, in the order of starting; they stop in reverse."""
    return (
        ChildSpec(JOURNAL, JournalActor, settings.journal),
        ChildSpec(EVENTS, EventsActor, EventsSettings(subscriptions=(DELIVERED,))),
        ChildSpec(DELIVERY, DeliveryActor, DeliverySettings()),
        *transport(settings),
    )


def transport(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return who exchanges events with other systems, where `redis.node` is set; parked at the worst."""
    if not settings.redis.node:
        return ()
    from ..actors.events.transports import BridgeSettings, RedisBridge  # noqa: PLC0415  loaded where it is used

    return (ChildSpec(TRANSPORT, RedisBridge, BridgeSettings(server=settings.redis), when_exhausted="park"),)
