"""`natya events dlq requeue`."""

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
    """Hand dead letters over to their subscription again, those of one aggregate in their order."""
    change(data_dir, profile, letter_ids, requeues=True, json=json)
