"""What a journal may forget: nothing that the book of record is built from."""

from __future__ import annotations

from typing import Final, get_args

from ..messages.journal import JournalShortened
from ..messages.supervision import SupervisionFact

FORGETTABLE: Final = frozenset({each.__name__ for each in (*get_args(SupervisionFact), JournalShortened)})
"""Names of the types of facts that no later start reads. A type that is not here is kept for ever.

An order is never among them, also not one that ended years ago: its trades are in the profit to the paisa, and its
client order id must not be given out again. Of `JournalShortened` only the newest counts.
"""


def is_forgettable(type_name: str) -> bool:
    """Say whether facts of this type may be removed when they are old enough."""
    return type_name in FORGETTABLE
