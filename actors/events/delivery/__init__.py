"""Delivery of domain events: published by anybody, journaled where they must not be lost, sent to who wants them."""

from .actor import DeliveryActor
from .settings import DeliverySettings

__all__ = ["DeliveryActor", "DeliverySettings"]
