"""Reconciliation: the broker's books against ours, in what they differ, and what follows."""

from .actor import ReconciliationActor
from .settings import ReconciliationSettings

__all__ = ["ReconciliationActor", "ReconciliationSettings"]
