"""`natya strategies start`: a strategy that was stopped or parked begins again."""

from __future__ import annotations

from ...changing import change
from ...options import DataDirOption, JsonOption, ProfileNameOption, StrategyArgument


def command(
    name: StrategyArgument,
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Start a strategy of the running system that was stopped or parked. Exits with 1 if it cannot begin."""
    change(
        "start-strategy",
        lambda done: f"{done.name} runs: {done.strategy}",
        data_dir=data_dir,
        profile=profile,
        json=json,
        name=name,
    )
