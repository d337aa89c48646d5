"""`natya strategies list`: the strategies of the running system."""

from __future__ import annotations

from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import running, tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """List the strategies of the running system, those that are stopped too."""
    from ...views.strategies import strategies_json, strategies_table
    from ...views.tables import show

    with running(data_dir, profile) as system:
        listed = system.call("list-strategies").strategies
    tell_answer(strategies_json(listed), lambda: show(strategies_table(listed), whole=True), json=json)
