"""`natya order show`: the whole life of one order."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ...exit_codes import UNKNOWN
from ...journals import journal_of
from ...options import DataDirOption, JsonOption, ProfileNameOption
from ...session import faults, give_up, settings_of, tell_answer


def command(
    *,
    order_id: Annotated[str, typer.Argument(metavar="ID", help="Client order id.")],
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Show everything that happened to an order, and what that means: from the journal and the log, whoever runs."""
    from ....domain.brackets.legs import entry_id, purpose
    from ...views.order_life import is_of_bracket, life_json, life_text, log_lines

    settings = settings_of(data_dir, profile)
    with faults():
        journal = journal_of(settings)
        records = tuple(journal.find(key=order_id))
        entry = entry_id(order_id)
        is_exit = bool(entry) and is_of_bracket(tuple(journal.find(key=entry)))
        logged = log_lines(Path(settings.log.path), order_id)
    if not records:
        give_up(f"an order of that id wanted, found none in {settings.journal.path}: {order_id}", UNKNOWN)
    shown = life_text(records, logged, purpose(order_id) if is_exit else "")
    tell_answer(life_json(records, logged), shown, json=json)
