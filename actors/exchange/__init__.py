"""The paper exchange: fills our orders at the recorded market's prices."""

from .actor import ExchangeActor

__all__ = ["ExchangeActor"]
