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
    """Read a strategy's file and the modules beside it anew, let it go on as that is now, and tell which have changed.

    Exits with 1, and the one of before runs on, if they cannot be imported, or it cannot read the state or begin.
    """
    change(
        "reload-strategy",
        lambda done: f"{done.name} goes on; changed: {', '.join(done.modules) or 'nothing'}{between(done)}",
        data_dir=data_dir,
        profile=profile,
        json=json,
        name=name,
    )
