"""Domain events, as tests build them."""

from natya.messages.delivery import EventPublished


def a_published(**fields):
    """An event as it travels; each call one with the same id."""
    given = {"event_type": "Shipped", "aggregate_id": "order-1", "event_id": "e-1", "version": 1, "occurred_ns": 5}
    given |= fields
    return EventPublished(**{"topic": f"events.{given['event_type']}.{given['aggregate_id']}", **given})
