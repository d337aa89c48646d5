"""`natya strategies reload`: a strategy's source, read anew."""

from __future__ import annotations

from ...changing import between, change
from ...options import DataDirOption, JsonOption, ProfileNameOption, StrategyArgument


def command(
    name: StrategyArgument,
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Read a strategy's file and the modules beside it anew, go on with the new class, and print which files changed.

    Exits with 1, and the strategy runs on as before, if they cannot be imported, or the new one cannot read the state
    or start.
    """
    change(
        "reload-strategy",
        lambda done: f"{done.name} goes on; changed: {', '.join(done.modules) or 'nothing'}{between(done)}",
        data_dir=data_dir,
        profile=profile,
        json=json,
        name=name,
    )
