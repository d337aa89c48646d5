"""`natya events dlq list`: the dead letters of durable subscriptions."""

from __future__ import annotations

from typing import Annotated

import typer

from ....dead_letters import ErrorOption, EventTypeOption, LetterKeyOption, SubscriptionOption, ask_letters
from ....options import DataDirOption, JsonOption, ProfileNameOption
from ....session import running, tell_answer


def command(
    *,
    subscription: SubscriptionOption = "",
    event_type: EventTypeOption = "",
    error: ErrorOption = "",
    key: LetterKeyOption = "",
    after: Annotated[str, typer.Option(help="Those after this one: the next page.", show_default=False)] = "",
    rows: Annotated[int, typer.Option("--rows", "-n", min=1, max=1_000, help="How many.")] = 50,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """List events that a durable subscription of the running system has given up, the oldest first."""
    from .....messages.delivery import ListDeadLetters
    from ....views.dead_letters import listed_json, table
    from ....views.tables import show

    wanted = ListDeadLetters(
        subscription=subscription, event_type=event_type, error=error, key=key, after=after, rows_max=rows
    )
    with running(data_dir, profile) as system:
        listed = ask_letters(system, wanted)
    shown = (lambda: show(table(listed))) if listed.letters else "no dead letters"
    tell_answer(listed_json(listed), shown, json=json)
