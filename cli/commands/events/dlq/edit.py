"""`natya events dlq edit`: requeue a dead letter with other fields."""

from __future__ import annotations

from typing import Annotated

import typer

from ....dead_letters import LetterIdArgument, change, one_letter
from ....options import DataDirOption, JsonOption, ProfileNameOption
from ....session import running


def command(
    letter_id: LetterIdArgument,
    fields: Annotated[str, typer.Argument(help='As JSON, the others stay: {"weight": 3}.', show_default=False)],
    *,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Change fields of a dead letter, and hand it over to its subscription again."""
    import msgspec

    from ....views.events import fields_of

    try:
        changed = msgspec.json.decode(fields, type=dict[str, object])
    except msgspec.DecodeError as fault:
        raise typer.BadParameter(f"fields as one JSON object wanted: {fault}") from fault
    with running(data_dir, profile) as system:
        letter, _ = one_letter(system, letter_id)
    before = fields_of(letter.event)
    whole = {**before, **changed} if isinstance(before, dict) else changed
    try:
        payload = msgspec.msgpack.encode(whole)
    except (OverflowError, UnicodeEncodeError) as fault:
        raise typer.BadParameter(f"fields that an event can have wanted: {fault}") from fault
    change(data_dir, profile, [letter_id], requeues=True, json=json, fields=payload)
