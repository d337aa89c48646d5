"""Which facts may be removed from the journal: none that the book of record is built from."""

from __future__ import annotations

from typing import Final, get_args

from ..messages.journal import JournalShortened
from ..messages.supervision import SupervisionFact

FORGETTABLE: Final = frozenset({each.__name__ for each in (*get_args(SupervisionFact), JournalShortened)})
"""Names of the fact types that no later start reads. Every other type is kept for ever.

Facts of orders are never among them, however old: the realised profit is computed from all trades, and a client order
id must never be used again. Of `JournalShortened` only the newest counts.
"""


def is_forgettable(type_name: str) -> bool:
    """Say whether facts of this type may be removed when they are old enough."""
    return type_name in FORGETTABLE
