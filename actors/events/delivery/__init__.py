"""Delivery of domain events: takes what is published, journals durable events, and sends each to its subscribers."""

from .actor import DeliveryActor
from .settings import DeliverySettings

__all__ = ["DeliveryActor", "DeliverySettings"]
