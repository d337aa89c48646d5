"""Dead letters as text and tables for people, and JSON for programs. Pure."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import msgspec
from rich.table import Table

from ...domain.time import IST, SECOND_NS

if TYPE_CHECKING:
    from ...messages.delivery import DeadLettersListed, EventDeadLettered


def fields_of(letter: EventDeadLettered) -> Any:
    """Return the fields of the event; its bytes, as hexadecimal digits, where they are no map."""
    try:
        return msgspec.msgpack.decode(letter.event.payload, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return letter.event.payload.hex()


def letter_json(letter: EventDeadLettered, *, is_requeued: bool = False) -> dict[str, Any]:
    """Return all that is known of one."""
    event = {name: getattr(letter.event, name) for name in letter.event.__struct_fields__ if name != "payload"}
    rest = {name: getattr(letter, name) for name in letter.__struct_fields__ if name != "event"}
    return {**rest, "is_requeued": is_requeued, "event": {**event, "fields": fields_of(letter)}}


def listed_json(listed: DeadLettersListed) -> bytes:
    """Return a page of them."""
    letters = [letter_json(each, is_requeued=each.letter_id in listed.requeued) for each in listed.letters]
    return msgspec.json.encode({"found": listed.found, "letters": letters}, enc_hook=str)


def table(listed: DeadLettersListed) -> Table:
    """Return a table of them, a line each."""
    drawn = Table(*("id", "event", "aggregate", "attempts", "last failed", "error"), box=None)
    for each in listed.letters:
        state = " (requeued)" if each.letter_id in listed.requeued else ""
        drawn.add_row(
            each.letter_id + state,
            each.event.event_type,
            each.event.aggregate_id,
            str(each.attempts),
            _time(each.last_failed_ns),
            f"{each.error}: {each.reason}",
        )
    return drawn


def letter_text(letter: EventDeadLettered) -> str:
    """Return one, a line for each thing that is known of it, and the traceback."""
    lines = (
        f"{letter.letter_id}: {letter.event.event_type} of {letter.event.aggregate_id}, sequence {letter.sequence}",
        f"event id     {letter.event.event_id}",
        f"fields       {fields_of(letter)}",
        f"attempts     {letter.attempts}, from {_time(letter.first_failed_ns)} to {_time(letter.last_failed_ns)}",
        f"error        {letter.error}: {letter.reason}",
        letter.traceback,
    )
    return "\n".join(lines).rstrip()


def _time(time_ns: int) -> str:
    return dt.datetime.fromtimestamp(time_ns / SECOND_NS, IST).isoformat(sep=" ", timespec="seconds")
