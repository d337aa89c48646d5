"""`natya events dlq drop`."""

from __future__ import annotations

from ....dead_letters import LetterIdsArgument, change
from ....options import DataDirOption, JsonOption, ProfileNameOption


def command(
    letter_ids: LetterIdsArgument,
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Remove dead letters for good; they stay in the journal."""
    change(data_dir, profile, letter_ids, requeues=False, json=json)
