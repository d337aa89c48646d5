"""`natya events dlq purge`: many dead letters at once."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from ....dead_letters import (
    ErrorOption,
    EventTypeOption,
    EveryLetterOption,
    LetterKeyOption,
    SubscriptionOption,
    all_letters,
    change,
)
from ....options import DataDirOption, JsonOption, ProfileNameOption, finite


def command(
    *,
    subscription: SubscriptionOption = "",
    event_type: EventTypeOption = "",
    error: ErrorOption = "",
    key: LetterKeyOption = "",
    older_days: Annotated[
        float,
        typer.Option(
            "--older-days",
            min=0,
            callback=finite,
            help="That failed for the last time so long ago.",
            show_default=False,
        ),
    ] = 0.0,
    everything: EveryLetterOption = False,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Remove all dead letters that fit, for good; they stay in the journal.

    natya events dlq purge --subscription billing --older-days 30
    """
    from .....domain.time import DAY_NS
    from .....messages.delivery import ListDeadLetters

    if not (everything or subscription or event_type or error or key or older_days):
        raise typer.BadParameter("which? --subscription, --type, --error, --key, --older-days or --all wanted")
    before_ns = time.time_ns() - round(older_days * DAY_NS)
    wanted = ListDeadLetters(subscription=subscription, event_type=event_type, error=error, key=key)
    letters = all_letters(data_dir, profile, wanted)
    chosen = [each.letter_id for each in letters if each.last_failed_ns < before_ns]
    change(data_dir, profile, chosen, requeues=False, json=json)
