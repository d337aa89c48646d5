"""`natya tree`: the supervision tree of the running system."""

from __future__ import annotations

from ..options import DataDirOption, JsonOption, ProfileNameOption
from ..session import running, tell_answer


def command(*, data_dir: DataDirOption = None, profile: ProfileNameOption = "paper", json: JsonOption = False) -> None:
    """Show every actor of the running system: its state, where it runs, its restarts and its last error."""
    from ..views.tables import show
    from ..views.tree import tree_json, tree_table

    with running(data_dir, profile) as system:
        found = system.tree()
    tell_answer(tree_json(found), lambda: show(tree_table(found)), json=json)
