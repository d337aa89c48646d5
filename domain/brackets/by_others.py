"""What others close of a bracket than its exits: its strategy, a person, the broker (pure).

It is counted from the trades alone: as many shares as the strategy holds fewer than its brackets are for, of the oldest
bracket first. Exits are made smaller by it; where nothing is left, the entry is ended, and then its exits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .legs import entry_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...messages.orders import SubmitOrder
    from ..orders import Order


def sold_of(unclosed: Iterable[int], held: int) -> tuple[int, ...]:
    """Return how many shares of each of some brackets others have closed, if only so many are held.

    Args:
        unclosed: shares that each is for, of brackets of one side, oldest first.
        held: shares of that side that their strategy holds.
    """
    shares = [max(each, 0) for each in unclosed]
    excess, found = max(0, sum(shares) - held), []
    for each in shares:
        found.append(min(each, excess))
        excess -= found[-1]
    return tuple(found)


def gone_of(unclosed: Iterable[int], held: int, by_others: int) -> tuple[int, ...]:
    """Return how many shares of each of some brackets others have closed at the broker, where our book has them still.

    Args:
        unclosed: as for `sold_of`; of brackets of all strategies.
        held: shares of that side that the account holds by the broker's book.
        by_others: shares that others have closed.
    """
    shares = tuple(unclosed)
    return sold_of(shares, max(held, sum(max(each, 0) for each in shares) - by_others))


def is_sold_besides(entry: Order, others: Iterable[Order | SubmitOrder]) -> bool:
    """Say whether an order of its strategy closes at the market what a bracket holds: none of the bracket does then.

    Args:
        entry: of the bracket.
        others: orders that may trade, of whatever strategy.
    """
    return any(
        each.order_type == "MARKET"
        and (each.strategy, each.symbol) == (entry.strategy, entry.symbol)
        and each.side != entry.side
        and not entry_id(each.client_order_id)
        for each in others
    )
