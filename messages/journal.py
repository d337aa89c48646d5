"""The journal: facts go in and are acknowledged when they are durable; records come out in order."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from .orders import OrderFact
from .supervision import SupervisionFact
from .units import Bytes, Count, Cursor, Nanoseconds, Sequence

Fact: TypeAlias = OrderFact | SupervisionFact
"""Everything that may be journaled."""


class Append(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="Append"):
    """From any room to the journal: make these facts durable, all or none, in this order. Answered by `Appended`."""

    facts: tuple[Fact, ...]
    """At least one."""

    correlation_id: str = ""
    """Which request or order they belong to; for an order its client order id."""


class Appended(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Appended"):
    """Answer to `Append`, after `fdatasync`: the facts have these sequences, without gaps."""

    first_sequence: Sequence
    last_sequence: Sequence
    correlation_id: str = ""


class AppendRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="AppendRefused"):
    """Answer to `Append`: not written, nothing is durable (disk full, or the file failed)."""

    reason: str
    correlation_id: str = ""


class JournalRecord(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="JournalRecord"):
    """One durable fact."""

    sequence: Sequence
    """From 1, without gaps, for the life of the data directory."""

    recorded_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC, by the journal's clock; may step back, the sequence never does."""

    correlation_id: str
    fact: Fact


class Journaled(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="Journaled"):
    """From the journal to the events router after each group commit, before the writers are answered."""

    records: tuple[JournalRecord, ...]


class ReadJournal(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReadJournal"):
    """To the journal: records after this sequence, in order. Answered by `JournalPage`."""

    after_sequence: Cursor = 0
    records_max: Count = 10_000


class JournalPage(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="JournalPage"):
    """Answer to `ReadJournal`."""

    records: tuple[JournalRecord, ...]

    last_sequence: Cursor
    """The newest durable sequence of the whole journal: ask again until you have it."""


class JournalStatistics(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="JournalStatistics"):
    """What the journal counts."""

    records: Count
    """Durable records in the data directory."""

    appended: Count
    """Records appended since it started."""

    commits: Count
    """Group commits (`fdatasync` calls) since it started."""

    bytes_written: Bytes
    path: str
    """The journal's directory."""
