"""`natya strategies stop`: a strategy ends while all else runs."""

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
    """Stop a strategy of the running system until it is started again, or the system is.

    Its position stays; its open orders too, unless its class says `cancel_on_stop`. Exits with 1 if none of that name
    runs.
    """
    change(
        "stop-strategy",
        lambda done: f"{done.name} is stopped",
        data_dir=data_dir,
        profile=profile,
        json=json,
        name=name,
    )
