"""`natya secrets list`: which secrets there are."""

from __future__ import annotations

from ...keeping import folder_of
from ...options import ConfigOption, DataDirOption, JsonOption, ProfileNameOption
from ...session import tell_answer
from ...terminal import note


def command(
    *,
    config: ConfigOption = None,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """List every secret of the settings: whether it is set, where it comes from, since when it is kept.

    No value is printed, nor how long it is. One that cannot be used is listed with the reason.
    """
    from ...views.secrets import as_json, as_table, problems, rows
    from ...views.tables import show

    found = rows(folder_of(data_dir, profile, config=config), profile, config=config)
    tell_answer(as_json(found), lambda: show(as_table(found)), json=json)
    for problem in problems(found):
        note(problem)
