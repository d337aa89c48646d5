"""Operations and their outcomes, as a table for people and JSON for programs. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from rich.text import Text

from ...domain.time import second_text
from ...messages.control import OperationAnswered, OperationAsked
from ..terminal import plain
from .columns import lined

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.table import Table

    from ...messages.journal import JournalRecord

SCHEMA: Final = 1
"""Version of the JSON objects; it changes when a field is renamed or removed."""

FACTS: Final = (OperationAsked.__name__, OperationAnswered.__name__)


class Audited(msgspec.Struct, frozen=True, kw_only=True):
    """One operation."""

    sequence: int
    """Of the record in the journal that says who asked."""

    asked: OperationAsked
    answer: str
    """Type of the answer, or of the error; empty: it is not known."""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A journal in which every record is as it was written."""

    schema: int = SCHEMA
    asked: int
    answered: int
    records: int
    """Of all types."""

    last_sequence: int
    last_hash: str
    """Covers all records, by the hash chain."""

    sealed_days: int
    sealed_day: str
    """The last one, as `2026-11-27`; empty: none is."""

    sealed_sequence: int
    """The record that it ended with."""

    hmacs: int
    """How many of the seals have one."""

    hmacs_checked: bool
    """Whether there was a key to check them with."""


def operations(records: Iterable[JournalRecord]) -> list[Audited]:
    """Return the operations that were asked for in these records, with their outcomes, in the order of asking."""
    asked: dict[str, tuple[int, OperationAsked]] = {}
    answers: dict[str, str] = {}
    for record in records:
        if isinstance(record.fact, OperationAsked):
            asked[record.fact.request] = record.sequence, record.fact
        elif isinstance(record.fact, OperationAnswered):
            answers[record.fact.request] = record.fact.answer
    return [
        Audited(sequence=sequence, asked=fact, answer=answers.get(request, ""))
        for request, (sequence, fact) in asked.items()
    ]


def as_json(found: list[Audited]) -> dict[str, Any]:
    """Return all of it."""
    rows = [
        {
            "sequence": each.sequence,
            **msgspec.structs.asdict(each.asked),
            "arguments": msgspec.json.decode(each.asked.arguments),
            "answer": each.answer,
        }
        for each in found
    ]
    return {"schema": SCHEMA, "operations": rows}


def as_table(found: list[Audited]) -> Table:
    """Return a line an operation, oldest first."""
    table = lined("time", "who", "operation", "outcome", "arguments")
    for each in found:
        when = second_text(each.asked.occurred_ns)
        outcome = plain(each.answer) if each.answer else Text("not known", "yellow")
        table.add_row(when, plain(each.asked.who), plain(each.asked.operation), outcome, plain(each.asked.arguments))
    return table
