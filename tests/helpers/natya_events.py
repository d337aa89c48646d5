"""Domain events, as tests build them, and a system that delivers them."""

from natya_processes import WAIT_S

import natya
from natya.actors.events import DeliveryActor, DeliverySettings, EventsActor, EventsSettings
from natya.actors.events.bus import EventPublisher, EventSubscriber
from natya.actors.journal import JournalActor
from natya.actors.runtime import InProcessSystem, InProcessSystemBase
from natya.composition import DELIVERED
from natya.config.sections.journal import JournalSettings
from natya.messages.delivery import EventPublished, ListDeadLetters
from natya.messages.journal import ReadJournal
from natya.messages.system import Ping


def a_published(**fields):
    """An event as it travels; each call one with the same id."""
    given = {"event_type": "Shipped", "aggregate_id": "order-1", "event_id": "e-1", "version": 1, "occurred_ns": 5}
    given |= fields
    return EventPublished(**{"topic": f"events.{given['event_type']}.{given['aggregate_id']}", **given})


class Invoiced(natya.DomainEvent, frozen=True, kw_only=True):
    number: int


class Over(InProcessSystem):
    """Journal, router and delivery on one journal."""

    def __init__(self, path, **settings):
        super().__init__(InProcessSystemBase())
        self.start("events", EventsActor, EventsSettings(subscriptions=(DELIVERED,)))
        self.start("journal", JournalActor, JournalSettings.default(path=str(path)))
        self.start("delivery", DeliveryActor, DeliverySettings(keep_s=0.0, retry_s=0.01, **settings))
        self.publisher, self.subscriber = EventPublisher(self), EventSubscriber(self)

    def publish(self, *numbers, key="customer-1"):
        events = [Invoiced(aggregate_id=key, number=number) for number in numbers]
        return self.publisher.publish_many(events).result()

    def letters(self, **wanted):
        return self.request("delivery", ListDeadLetters(**wanted))

    def status(self, name="billing"):
        found = self.request("delivery", Ping()).statistics.subscriptions
        return next(each for each in found if each.subscription == name)

    def records(self, *types):
        return self.request("journal", ReadJournal(types=types)).records

    def end(self):
        """In order: delivery tells the journal where its subscriptions are."""
        for name in ("delivery", "events", "journal"):
            self.stop(name)


def numbers_of(heard, count):
    return [heard.get(timeout=WAIT_S).number for _ in range(count)]
