"""Errors of strategies."""


class StrategyError(Exception):
    """Base of the errors of strategies."""


class StrategyNotFoundError(StrategyError):
    """There is no strategy class of this name. Correct the name; the text says which part of it."""


class StrategyBrokenError(StrategyError):
    """The strategy's file cannot be imported, or its class has faults, such as misspelt hooks. Correct that line."""


class HoldingsUnknownError(StrategyError):
    """Orders did not answer what the strategy holds, so it must not trade; it is restarted."""


class OrdersWithoutMarketError(StrategyError):
    """The strategy submits orders without end at one market time. Let it wait for the next tick."""


class ReplayedError(StrategyError):
    """The strategy orders because an event of the past is handled again. Let its handler only count and store."""


class ForeignThreadError(StrategyError):
    """A thread of the user's ordered, or set a timer. Let `offload` run it, and its `then` order."""


class TooManyTimersError(StrategyError):
    """The strategy sets timers without end. Cancel those that are not needed, or use `every` once, in `on_begin`."""


class StrategyParametersError(StrategyError):
    """The strategy cannot work with these parameters. Correct the settings."""

    restart_helps = False


class StateTooLargeError(StrategyError):
    """The strategy's state has become too large. Keep in it what cannot be found out otherwise."""


class StateUnreadableError(StrategyError):
    """The saved state does not fit the strategy's `State`. Give it fields for all that is there, of the same types.

    It may be that of a class that was swapped in before a crash: the strategy is parked, and all others start.
    """

    restart_helps = False
    fails_start = False


class StateUnknownError(StrategyError):
    """It was not answered what the strategy's state is, so it must not trade; it is restarted."""


class StateOutdatedError(StrategyError):
    """Another life of the strategy has saved a newer state; it is restarted with that."""


class StrategyChangeRefusedError(StrategyError):
    """A strategy was not started, stopped or swapped: what ran before runs on. The text says why."""
