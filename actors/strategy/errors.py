"""What can go wrong with a strategy before it runs."""


class StrategyError(Exception):
    """Any fault of the room."""


class StrategyNotFoundError(StrategyError):
    """The name leads to no strategy class. Correct the name; the reason says which part of it."""


class StrategyBrokenError(StrategyError):
    """The strategy's own file cannot be imported, or its class could not do what it seems to. Mend the line named."""


class HoldingsUnknownError(StrategyError):
    """Orders did not say what the strategy holds, so it must not trade. Start again."""


class OrderIdsExhaustedError(StrategyError):
    """No id is left that was never used. A restart of the strategy has new ones."""


class OrdersWithoutMarketError(StrategyError):
    """The strategy orders on and on while the market stands still. Have it wait for the next tick."""


class StrategyParametersError(StrategyError):
    """The strategy cannot work with these parameters. Correct the settings."""

    restart_helps = False
