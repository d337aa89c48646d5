"""A bracket as it stands: its orders, what is held of it, and how much of that nothing has closed yet (pure).

What came in may be closed by others: the strategy itself, or a person who has its shares closed. An exit would then
open a position. So none is placed or made greater beyond what the strategy holds beside what the exits of its other
brackets are for, nor beyond what the account holds by the broker's book, where that is another (`Bracket.closable`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import msgspec

from ..closing import closable
from ..orders import Order
from .exits import AnyLeg, filled, leaves
from .legs import AT_MARKET, RETURNS, days_of, leg_id

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ...messages.orders import Side
    from .legs import Leg


class Bracket(msgspec.Struct, frozen=True, kw_only=True):
    """An entry, and its exits as far as there are any."""

    entry: Order
    target: AnyLeg | None = None
    stop: AnyLeg | None = None
    exit: AnyLeg | None = None
    """The newest one at the market."""

    earlier: tuple[AnyLeg, ...] = ()
    """Those before."""

    held: int | None = None
    """Shares that the strategy holds of the symbol, as the entry bought or sold them; None: all that it has brought."""

    late: int = 0
    """Shares that came in when the entry had ended, and its exits too, less those that its orders at the market have
    closed; they count as far as they are held (`exposed`)."""

    sold: int = 0
    """Shares of the entry that others have closed than its exits."""

    free: int | None = None
    """Shares of the symbol that exits of this bracket may close at most: what the account holds by both books, ours and
    the broker's, and the strategy beside what exits of its other brackets are for; None: as many as are held."""

    returns: tuple[AnyLeg, ...] = ()
    """Orders that reverse what its exits have traded beyond the position, those still needed included."""

    surplus: int = 0
    """Shares that its exits have traded too much, and that are held as these have traded them."""

    returnable: int | None = None
    """Shares that may be given back at most: what is held of the other side than the entry's, counted as `free`; None:
    all of the surplus."""

    past: tuple[AnyLeg, ...] = ()
    """Stops and targets of days that are over."""

    day: int = 0
    """Number of the newest day that has a stop or a target: 0 is the first."""

    order_max: int | None = None
    """Shares of the greatest order that the exchange takes; None: any, or it is not known."""

    is_carried: bool = False
    """Whether what is held in the evening is held in the morning: the broker does not close it before."""

    day_began_ns: int = 0
    """Exits of before may be placed again now, those that were made before this time: nanoseconds since 1970-01-01 UTC;
    0: not now."""

    @property
    def exposed(self) -> int:
        """Shares of the entry that nothing has closed."""
        return 0 if self.held == 0 and not self.entry.is_open else self.unclosed

    @property
    def unclosed(self) -> int:
        """The same, also where nothing is held any more, so that a trade beside the bracket has closed them."""
        return max(0, self._balance)

    @property
    def excess(self) -> int:
        """Shares that were closed beyond the entry's and not reversed yet."""
        return max(0, -self._balance)

    @property
    def _balance(self) -> int:
        """Shares of the entry, and given back, less those closed: by its exits, of which both may trade, and others."""
        exits = (self.target, self.stop, self.exit, *self.earlier, *self.past)
        return self.entry.filled + sum(map(filled, self.returns)) - sum(map(filled, exits)) - self.sold

    @property
    def closable(self) -> int:
        """Those of them that an exit may close: the strategy holds as many, and they are free."""
        return min((self.exposed, *(each for each in (self.held, self.free) if each is not None)))

    def in_one_order(self, shares: int) -> int:
        """Return how many of these shares one order may be for; the next one at the market is for the rest."""
        return shares if self.order_max is None else min(shares, self.order_max)


def as_it_stands(  # noqa: PLR0913  each is one thing that is looked at
    entry: Order,
    find: Callable[[str], AnyLeg | None],
    beside: Iterable[Order],
    *,
    shares: int,
    late: int,
    sold: int,
    surplus: int,
    agreed: tuple[int, ...] = (),
    order_max: int | None = None,
    is_carried: bool = False,
    day_began_ns: int = 0,
) -> Bracket:
    """Put a bracket together.

    Args:
        entry: of it.
        find: returns an exit, given its id.
        beside: entries of the brackets of the account, this one may be among them.
        shares: that its strategy holds of the symbol: signed.
        late: shares that came in when nothing was left to guard them.
        sold: shares of it that others have closed.
        surplus: shares that its exits have traded too much, and that are held.
        agreed: what the account holds, as our book and the broker's say it; empty: these agree.
        order_max: as in `Bracket`, and so the other two.
        is_carried: as there.
        day_began_ns: as there.
    """
    at_market, returns = (_in_turn(find, entry.client_order_id, names) for names in (AT_MARKET, RETURNS))
    days = days_of(find, entry.client_order_id)
    targets = [target for target, _ in days if target is not None]
    stops = [stop for _, stop in days if stop is not None]
    held = held_as(entry, shares)
    side: Side = "SELL" if entry.side == "BUY" else "BUY"
    claimed: Counter[Side] = Counter()
    for each in beside:
        is_beside = each.client_order_id != entry.client_order_id
        if is_beside and (each.strategy, each.symbol) == (entry.strategy, entry.symbol):
            claimed[each.side] += _claimed(find, each.client_order_id)

    def closable_by(closing: Side, held: int, opened_by: Side) -> int:
        ours = max(0, held - claimed[opened_by])
        return min(ours, closable(closing, *agreed)) if agreed else ours

    return Bracket(
        entry=entry,
        target=targets[-1] if targets else None,
        stop=stops[-1] if stops else None,
        exit=at_market[-1] if at_market else None,
        earlier=tuple(at_market[:-1]),
        late=late,
        sold=sold,
        held=held,
        free=closable_by(side, held, entry.side),
        returns=tuple(returns),
        surplus=surplus,
        returnable=closable_by(entry.side, turned_as(entry, shares), side),
        past=(*targets[:-1], *stops[:-1]),
        day=len(days) - 1,
        order_max=order_max,
        is_carried=is_carried,
        day_began_ns=day_began_ns,
    )


def held_as(entry: Order, shares: int) -> int:
    """Return how many of the signed shares held are as its entry bought or sold them."""
    return max(shares if entry.side == "BUY" else -shares, 0)


def turned_as(entry: Order, shares: int) -> int:
    """Return how many of the signed shares held are as the exits of an entry sold or bought them."""
    return held_as(entry, -shares)


def _claimed(find: Callable[[str], AnyLeg | None], entry: str) -> int:
    """Return how many shares the exits of a bracket may close: one of them cancels the others."""
    days = days_of(find, entry)
    resting = [each for day in days for each in day if each is not None]
    return max((leaves(each) for each in (*resting, *_in_turn(find, entry, AT_MARKET))), default=0)


def leaving(find: Callable[[str], AnyLeg | None], entry: str) -> int:
    """Return how many shares orders at the market may still close of a bracket.

    Args:
        find: returns an exit, given its id.
        entry: the client order id of the entry.
    """
    return sum(map(leaves, _in_turn(find, entry, AT_MARKET)))


def _in_turn(find: Callable[[str], AnyLeg | None], entry: str, names: Iterable[Leg]) -> list[AnyLeg]:
    """Return the orders that there are of some that follow each other."""
    found = []
    for name in names:
        if (each := find(leg_id(entry, name))) is None:
            break
        found.append(each)
    return found
