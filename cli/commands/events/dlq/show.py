"""`natya events dlq show`: one dead letter."""

from __future__ import annotations

from ....dead_letters import LetterIdArgument, one_letter
from ....options import DataDirOption, JsonOption, ProfileNameOption
from ....session import running, tell_answer


def command(
    letter_id: LetterIdArgument,
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Show a dead letter: its fields, its error with the traceback, how often and when it failed."""
    from ....views.dead_letters import letter_json, letter_text

    with running(data_dir, profile) as system:
        letter, is_requeued = one_letter(system, letter_id)
    told, shown = letter_json(letter, is_requeued=is_requeued), letter_text(letter, is_requeued=is_requeued)
    tell_answer(told, shown, json=json)
