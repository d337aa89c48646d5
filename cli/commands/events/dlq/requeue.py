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
from ....exit_codes import FAILED
from ....options import DataDirOption, JsonOption, ProfileNameOption
from ....session import give_up


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
        give_up("which dead letters? their ids; or --subscription, --type, --error, --key, --all", FAILED)
    if has_filter:
        wanted = ListDeadLetters(subscription=subscription, event_type=event_type, error=error, key=key)
        letter_ids = [each.letter_id for each in all_letters(data_dir, profile, wanted)]
    change(data_dir, profile, letter_ids or [], requeues=True, json=json)
