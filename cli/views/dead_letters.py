"""Dead letters as text and tables for people, and JSON for programs. Pure."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import msgspec
from rich.text import Text

from ...domain.time import second_text
from .columns import lined
from .events import fields_of

if TYPE_CHECKING:
    from rich.table import Table

    from ...messages.delivery import DeadLettersListed, EventDeadLettered


def letter_json(letter: EventDeadLettered, *, is_requeued: bool) -> bytes:
    """Return all that is known of one."""
    return msgspec.json.encode(_named(letter, is_requeued=is_requeued), enc_hook=str)


def _named(letter: EventDeadLettered, *, is_requeued: bool) -> dict[str, Any]:
    event = {name: getattr(letter.event, name) for name in letter.event.__struct_fields__ if name != "payload"}
    rest = {name: getattr(letter, name) for name in letter.__struct_fields__ if name != "event"}
    return {**rest, "is_requeued": is_requeued, "event": {**event, "fields": fields_of(letter.event)}}


def listed_json(listed: DeadLettersListed) -> bytes:
    """Return a page of them."""
    letters = [_named(each, is_requeued=each.letter_id in listed.requeued) for each in listed.letters]
    return msgspec.json.encode({"found": listed.found, "letters": letters}, enc_hook=str)


def table(listed: DeadLettersListed) -> Table:
    """Return a table of them, a line each, and how the others are listed."""
    shown, last = len(listed.letters), listed.letters[-1].letter_id if listed.letters else ""
    rest = f"{shown:,} of {listed.found:,}; those behind them: --after {shlex.quote(last)}" if shown else ""
    drawn = lined("id", "event", "aggregate", "attempts", "last failed", "error", numbers=("attempts",))
    if shown < listed.found:
        drawn.caption, drawn.caption_justify = Text(rest), "left"
    for each in listed.letters:
        state = " (requeued)" if each.letter_id in listed.requeued else ""
        drawn.add_row(
            each.letter_id + state,
            each.event.event_type,
            each.event.aggregate_id,
            str(each.attempts),
            second_text(each.last_failed_ns),
            f"{each.error}: {each.reason}",
        )
    return drawn


def letter_text(letter: EventDeadLettered, *, is_requeued: bool) -> str:
    """Return one, a line for each thing that is known of it, and the traceback; its fields as `edit` takes them."""
    first, last = second_text(letter.first_failed_ns), second_text(letter.last_failed_ns)
    event, state = letter.event, " (requeued)" if is_requeued else ""
    lines = (
        f"{letter.letter_id}{state}: {event.event_type} of {event.aggregate_id}, sequence {letter.sequence}",
        f"event id     {event.event_id}",
        f"fields       {msgspec.json.encode(fields_of(event), enc_hook=str).decode()}",
        f"attempts     {letter.attempts}, from {first} to {last}",
        f"error        {letter.error}: {letter.reason}",
        letter.traceback,
    )
    return "\n".join(lines).rstrip()
