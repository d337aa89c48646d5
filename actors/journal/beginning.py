"""Where a journal begins: with sequence 1, or later, if old segments were removed and a fact in the journal says so."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...messages.journal import Fact, JournalShortened
from .errors import JournalCutError

if TYPE_CHECKING:
    from .view import JournalView

SHORTENED_KEY: Final = "journal.shortened"
"""Correlation id of `JournalShortened`, by which the key files find it."""


def expect_beginning(directory: Path, view: JournalView) -> None:
    """Check that nothing is missing at the beginning.

    Raises:
        JournalCutError: records are missing: an earlier version removed orders, too, or files were deleted.
    """
    oldest = view.oldest_sequence
    if oldest > 1:
        records = view.find(types={JournalShortened.__name__}, key=SHORTENED_KEY)
        expect_shortened(directory, oldest, (record.fact for record in records))


def expect_shortened(directory: Path, oldest_sequence: int, facts: Iterable[Fact]) -> None:
    """Check that one of these facts says that what was before this sequence was removed.

    Raises:
        JournalCutError: none does.
    """
    if not any(isinstance(fact, JournalShortened) and fact.oldest_sequence >= oldest_sequence for fact in facts):
        raise JournalCutError(directory, oldest_sequence=oldest_sequence)
