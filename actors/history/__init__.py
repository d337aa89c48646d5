"""History: candles of the broker's charts, for who asks for them, and for the gaps of the feed."""

from .actor import HistoryActor, HistorySettings

__all__ = ["HistoryActor", "HistorySettings"]
