"""Which facts may be removed from the journal: none that the book of record is built from."""

from __future__ import annotations

from typing import Final, get_args

from ..messages.delivery import SubscriptionMoved
from ..messages.journal import JournalShortened
from ..messages.supervision import SupervisionFact

FORGETTABLE: Final = frozenset(
    {each.__name__ for each in (*get_args(SupervisionFact), JournalShortened, SubscriptionMoved)}
)
"""Names of the fact types that no later start needs. Every other type is kept for ever. Where a subscription is, is
written again at each start, and whenever it has moved.

Facts of orders are never among them, however old: the realised profit is computed from all trades, and a client order
id must never be used again. Of `JournalShortened` only the newest counts.
"""


def is_forgettable(type_name: str) -> bool:
    """Say whether facts of this type may be removed when they are old enough."""
    return type_name in FORGETTABLE
