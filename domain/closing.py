"""Whether an order closes what is held, by everybody who says what that is (pure).

The problem: an order that closes is let pass where others are not, since it makes a position smaller. Where the broker
has another position than our book, one that closes by our book may open at the broker, which is where money is lost.
Nobody here can know who is right. So an order closes what it closes by both, and not one share more.

What the broker has is known from a comparison, some seconds old. By how much it differs from ours stays the same while
nobody but us trades: our own trades change both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from .time import second_text

if TYPE_CHECKING:
    from ..messages.orders import Side
    from ..messages.reconciliation import PositionMismatch


def closable(side: Side, *held: int) -> int:
    """Return how many shares an order of this side closes by every view of the position: the least of them.

    Args:
        side: of the order.
        held: signed shares, as each of them says; at least one.
    """
    if side == "SELL":
        return max(min(held), 0)
    return max(-max(held), 0)


def how(mismatch: PositionMismatch) -> str:
    """Say how many are held here and at the broker, and when that was compared."""
    of = f" as {mismatch.product}" if mismatch.product else ""
    when = second_text(mismatch.occurred_ns)
    return f"{mismatch.ours} held{of} here, {mismatch.theirs} at the broker, compared {when}"


class TheirBook:
    """By how much the broker's positions differ from ours."""

    def __init__(self, differing: Iterable[PositionMismatch] = ()) -> None:
        """Take all differences as told last."""
        self._of: Final = {(each.symbol, each.product): each for each in differing}
        self.symbols: Final = frozenset(symbol for symbol, _ in self._of)
        """Of the positions that differ, in all or in a product."""

    @property
    def differing(self) -> tuple[PositionMismatch, ...]:
        """The differences as they were told."""
        return tuple(self._of.values())

    def held(self, symbol: str, ours: int, product: str = "") -> tuple[int, ...]:
        """Return the position by both books, given ours: signed shares, one number where they agree.

        Args:
            symbol: of it.
            ours: what our book says now, or would say if orders filled.
            product: empty: all products together.
        """
        each = self._of.get((symbol, product))
        return (ours,) if each is None else (ours, ours + each.theirs - each.ours)

    def by_others(self, symbol: str) -> int:
        """Return by how many signed shares others have changed a position, for certain; 0: by none, or nobody knows.

        Orders that the broker lists, and that are none of ours, have traded as much as it has otherwise. What nothing
        explains may be a mistake of either side.
        """
        each = self._of.get((symbol, ""))
        return each.others if each is not None and each.theirs - each.ours == each.others else 0

    def now(self, mismatch: PositionMismatch, ours: int) -> PositionMismatch:
        """Return a difference with what we have traded since on both sides, given what we hold now."""
        return replace(mismatch, ours=ours, theirs=ours + mismatch.theirs - mismatch.ours)

    def bounded(self, symbol: str, product: str, shares: int, ours: int) -> int:
        """Return how many of a strategy's shares of a product both books have: signed.

        Args:
            symbol: of the product.
            product: in which they are held.
            shares: that the strategy holds, signed.
            ours: those of all, by our book.
        """
        views = self.held(symbol, ours, product)
        if len(views) == 1:
            return shares
        most = closable("SELL" if shares > 0 else "BUY", *views)
        return min(max(shares, -most), most)

    def told(self, symbol: str, product: str) -> str:
        """Say in what a position, or else that of all products, was compared to differ, and when; empty: in nothing."""
        each = self._of.get((symbol, product)) or self._of.get((symbol, ""))
        return "" if each is None else how(each)


AGREED: Final = TheirBook()
"""The broker has the positions that our book has, as far as anybody knows."""


def as_told(differing: tuple[PositionMismatch, ...]) -> TheirBook:
    """Return the broker's book by what differs; `AGREED` itself, if nothing does."""
    return TheirBook(differing) if differing else AGREED
