"""`natya strategies swap`: replace a running strategy by another class."""

from __future__ import annotations

from ...changing import between, change
from ...options import DataDirOption, JsonOption, ProfileNameOption, StrategyArgument, StrategyPathArgument


def command(
    name: StrategyArgument,
    strategy: StrategyPathArgument,
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Replace a running strategy by another class, which goes on with its name, state, position and open orders.

    Exits with 1, and the strategy runs on as before, if the class cannot be loaded, read the state, or start.
    """
    change(
        "swap-strategy",
        lambda done: f"{done.name} goes on as {done.strategy}{between(done)}",
        data_dir=data_dir,
        profile=profile,
        json=json,
        name=name,
        strategy=strategy,
    )
