"""The paper exchange: fills our orders at the recorded market's prices."""

from .actor import ExchangeActor
from .settings import ExchangeActorSettings

__all__ = ["ExchangeActor", "ExchangeActorSettings"]
