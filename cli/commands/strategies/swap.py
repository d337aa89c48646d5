"""`natya strategies swap`: another class goes on in the place of a strategy."""

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
    """Let another class go on under the name of a strategy that runs, with its state, position and open orders.

    Exits with 1, and the one of before runs on, if it cannot be loaded, read the state, or begin.
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
