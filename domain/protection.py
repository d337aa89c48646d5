"""Which orders stay where all are cancelled: stops that do no more than make smaller what is held (pure).

The problem: whoever cancels every order in an emergency, the kill switch or the dead-man's switch, takes the stop of a
position that is held with them. What is left is a loss without a bound, and nobody at work. But a stop that stays where
nothing is held any more opens a position. So one stays only as far as everybody who says what is held says that it is:
all shares that it may still trade, together with those of the stops that stay beside it. An order of which it is not
certain that it is one of these is cancelled, and so is every target: with nobody to cancel the other, both might trade.

Holds for one look. What is held changes by what still trades, so it is asked again as long as all is to be cancelled.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping

import msgspec

from ..messages.orders import Side
from .closing import closable


class RestingStop(msgspec.Struct, frozen=True, kw_only=True):
    """A stop that is known to rest at the broker, and that nobody has wanted to be cancelled."""

    order_id: str
    side: Side

    shares: int
    """That it may still trade."""

    draws_on: tuple[Hashable, ...]
    """The positions that it would make smaller: what its strategy holds, and the account, by each book."""


def that_stay(stops: Iterable[RestingStop], held: Mapping[Hashable, int]) -> frozenset[str]:
    """Return the ids of those that stay.

    Args:
        stops: those first that go before others, where not all of them fit.
        held: signed shares of each position that a stop may draw on; one that is missing has none.
    """
    taken: Counter[tuple[Hashable, Side]] = Counter()
    staying = set()
    for stop in stops:
        free = (closable(stop.side, held.get(each, 0)) - taken[each, stop.side] for each in stop.draws_on)
        if 0 < stop.shares <= min(free, default=0):
            staying.add(stop.order_id)
            taken.update({(each, stop.side): stop.shares for each in stop.draws_on})
    return frozenset(staying)
