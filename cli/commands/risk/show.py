"""`natya risk show`: how much of each limit is used now."""

from __future__ import annotations

from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import running, tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Show the risk state of the running system, how much of each limit is used, and how each number was formed."""
    from ...views.risk import risk_json, risk_table
    from ...views.tables import show

    with running(data_dir, profile) as system:
        risk = system.call("risk")
    tell_answer(risk_json(risk), lambda: show(risk_table(risk), whole=True), json=json)
