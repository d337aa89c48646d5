"""The paper exchange: fills orders at the prices of the recorded or synthetic market."""

from .actor import ExchangeActor
from .settings import ExchangeActorSettings

__all__ = ["ExchangeActor", "ExchangeActorSettings"]
