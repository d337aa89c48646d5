"""Which journal it is, and how far it was durable: what an append, and a later life, hold on to."""

from __future__ import annotations

from pathlib import Path

import msgspec

from .errors import JournalMovedError
from .recovery import Recovered


class Ticket(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An append that was buffered; it is durable when the journal's `last_sequence` has reached its own."""

    first_sequence: int
    last_sequence: int


class Place(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The identity of a journal, and how far it was durable: a later life must find both again."""

    journal_id: bytes
    sequence: int
    last_hash: bytes
    """Of the record `sequence`."""


def expect_same(directory: Path, after: Place | None, recovered: Recovered) -> None:
    """Check that what was recovered is the journal of `after`, with everything that it had; None: any will do.

    Raises:
        JournalMovedError: it is not.
    """
    if after is None:
        return
    found = recovered.position
    if found is None:
        raise JournalMovedError(f"there is no journal in {directory} any more, it had {after.sequence} records")
    if recovered.segments[-1].header.journal_id != after.journal_id:
        raise JournalMovedError(f"another journal was put into {directory}")
    if found.sequence < after.sequence or (found.sequence == after.sequence and found.last_hash != after.last_hash):
        raise JournalMovedError(
            f"the journal in {directory} ends with sequence {found.sequence}: it is not what was left there, "
            f"{after.sequence} records"
        )
