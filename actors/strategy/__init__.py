"""`StrategyActor`, the base class of users' strategies, and loading a strategy by name.

actor        the base class; given: attributes that only the runtime sets; arguments: checks of a user's arguments
trading      its part about orders and positions
remembering  its part about the time before: history (plain)
keeping      its part about what outlives a restart; state: `self.state` as bytes and back (pure)
parameters   typed parameters (pure)
timing       its part about time: schedule (pure), alarms: its timers, exchange_clock: `self.clock` (plain)
holdings     the strategy's position (plain); held: what it returns; closing: squaring off (plain)
order_handle its orders (plain); latency: a sample of durations
supervisor   starts, stops and swaps them while all else runs; replacing: one ends, and another begins in its place
changes      what is looked at before that; reloading: their sources, read anew
deputy       says here what one says that runs on another node
loading      from `module:Class` to the class; inspection: faults of a class found before it runs
bodies/      strategies that come with natya
errors
"""

from .actor import StrategyActor
from .changes import checked
from .errors import (
    StrategyBrokenError,
    StrategyChangeRefusedError,
    StrategyError,
    StrategyNotFoundError,
    StrategyParametersError,
)
from .loading import load_strategy, path_of
from .parameters import parameters_of
from .reloading import forget, is_of_user, project_of
from .supervisor import StrategySupervisor

__all__ = [
    "StrategyActor",
    "StrategyBrokenError",
    "StrategyChangeRefusedError",
    "StrategyError",
    "StrategyNotFoundError",
    "StrategyParametersError",
    "StrategySupervisor",
    "checked",
    "forget",
    "is_of_user",
    "load_strategy",
    "parameters_of",
    "path_of",
    "project_of",
]
