"""`natya events dlq requeue`."""

from __future__ import annotations

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
from ....options import DataDirOption, JsonOption, ProfileNameOption


def command(
    letter_ids: Annotated[
        list[str] | None, typer.Argument(help="As they are listed: billing-17.", show_default=False)
    ] = None,
    *,
    subscription: SubscriptionOption = "",
    event_type: EventTypeOption = "",
    error: ErrorOption = "",
    key: LetterKeyOption = "",
    everything: EveryLetterOption = False,
    data_dir: DataDirOption = None,
    profile: ProfileNameOption = "paper",
    json: JsonOption = False,
) -> None:
    """Hand dead letters over to their subscription again, those of one aggregate in their order.

    natya events dlq requeue --subscription billing --error TimeoutError
    """
    from .....messages.delivery import ListDeadLetters

    has_filter = everything or bool(subscription or event_type or error or key)
    if bool(letter_ids) == has_filter:
        raise typer.BadParameter("which? their ids wanted, or some of --subscription, --type, --error, --key and --all")
    if has_filter:
        wanted = ListDeadLetters(subscription=subscription, event_type=event_type, error=error, key=key)
        letter_ids = [each.letter_id for each in all_letters(data_dir, profile, wanted)]
    change(data_dir, profile, letter_ids or [], requeues=True, json=json)
