"""Where a journal begins: with sequence 1, or later, if old segments were removed and a fact in the journal says so."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ...messages.journal import JournalShortened
from .errors import JournalCutError
from .view import JournalView

SHORTENED_KEY: Final = "journal.shortened"
"""Correlation id of `JournalShortened`, by which the key files find it."""


def expect_beginning(directory: Path, view: JournalView) -> None:
    """Check that nothing is missing at the beginning.

    Raises:
        JournalCutError: records are missing: an earlier version removed orders, too, or files were deleted.
    """
    oldest = view.oldest_sequence
    if oldest == 1:
        return
    facts = (record.fact for record in view.find(types={JournalShortened.__name__}, key=SHORTENED_KEY))
    if not any(isinstance(fact, JournalShortened) and fact.oldest_sequence >= oldest for fact in facts):
        raise JournalCutError(directory, oldest_sequence=oldest)
