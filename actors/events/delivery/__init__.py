"""Delivery of domain events: takes what is published, journals durable events, and sends each to its subscribers.

actor          sends events on, and passes everything else on; publishing: durable events, on their way to the journal
durable        durable subscriptions; subscription: one of them; reading: the journal, once for all of them;
               recalling: which events one had before; burying: those that are given up; keeping: where each is
replaying      events of the past handed over again
own_facts      what delivery has journaled itself
"""

from .actor import DeliveryActor
from .settings import DeliverySettings

__all__ = ["DeliveryActor", "DeliverySettings"]
