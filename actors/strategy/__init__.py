"""`StrategyActor`, the base that users subclass, and how a strategy is found by name."""

from .actor import StrategyActor
from .errors import StrategyBrokenError, StrategyError, StrategyNotFoundError, StrategyParametersError
from .loading import load_strategy

__all__ = [
    "StrategyActor",
    "StrategyBrokenError",
    "StrategyError",
    "StrategyNotFoundError",
    "StrategyParametersError",
    "load_strategy",
]
