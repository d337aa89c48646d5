"""Domain events and their delivery as text and tables for people, and JSON for programs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ...domain.events.catalog import event_of
from ...domain.time import second_text
from ...domain.wording import counted
from .columns import lined

if TYPE_CHECKING:
    from rich.table import Table

    from ...messages.delivery import DeliveryStatistics, EventPublished, ReplayStatus
    from ...messages.journal import JournalRecord


def fields_of(event: EventPublished) -> Any:
    """Return the fields of an event; those of a fact by its message; its bytes, as digits, where they are no map."""
    try:
        return msgspec.msgpack.decode(event.payload, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return event.payload.hex()


def event_json(record: JournalRecord) -> dict[str, Any]:
    """Return a journaled event, or a fact as if it were one."""
    event, fact = event_of(record), record.fact
    envelope = {name: getattr(event, name) for name in event.__struct_fields__ if name != "payload"}
    if event.kind == "fact":
        fields: Any = {name: getattr(fact, name) for name in fact.__struct_fields__}
    else:
        fields = fields_of(event)
    return {"sequence": record.sequence, **envelope, "fields": fields}


def event_line(record: JournalRecord) -> str:
    """Return it as a line of text."""
    told = event_json(record)
    fields = told["fields"]
    shown = " ".join(f"{name}={value}" for name, value in fields.items()) if isinstance(fields, dict) else fields
    return (
        f"{told['sequence']:>8} {second_text(told['occurred_ns'])} {told['event_type']} {told['aggregate_id']} {shown}"
    )


def counts_json(counts: DeliveryStatistics) -> dict[str, Any]:
    """Return what delivery counts, by name."""
    asdict = msgspec.structs.asdict
    subscriptions, replays = [asdict(each) for each in counts.subscriptions], [asdict(each) for each in counts.replays]
    return {**asdict(counts), "subscriptions": subscriptions, "replays": replays}


def subscriptions_table(counts: DeliveryStatistics) -> Table:
    """Return a line for each durable subscription."""
    numbers = "behind", "pending", "handled", "retries", "dead letters"
    drawn = lined("subscription", "subscriber", *numbers, "breaker", "error", numbers=numbers)
    for each in counts.subscriptions:
        counts_of = each.behind, each.pending, each.handled, each.retries, each.dead_letters
        who = each.subscriber or "(nobody)"
        drawn.add_row(each.subscription, who, *(f"{number:,}" for number in counts_of), each.breaker, each.last_error)
    return drawn


def counts_text(counts: DeliveryStatistics) -> str:
    """Return what delivery counts, a line each."""
    oldest = f", the oldest of {second_text(counts.oldest_dead_letter_ns)}" if counts.oldest_dead_letter_ns else ""
    lines = [
        f"published     {counts.published:,}, {counts.refused:,} of them refused by the journal",
        f"sent          {counts.sent:,}, once for each subscriber",
        f"subscribers   {counts.subscribers:,}, and {counted(len(counts.subscriptions), 'durable one')}",
        f"dead letters  {counts.dead_letters:,}{oldest}",
        *(replay_text(each) for each in counts.replays),
    ]
    return "\n".join(lines)


def replay_text(status: ReplayStatus) -> str:
    """Return how far a replay is."""
    state = "over" if status.is_over else f"at sequence {status.sequence:,}"
    failed = f", {status.failed:,} failed" if status.failed else ""
    error = f": {status.error}" if status.error else ""
    handed = counted(status.handled, "event")
    return f"{status.replay_id} to {status.subscription} {state}: {handed} handled{failed}{error}"
