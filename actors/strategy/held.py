"""`HeldPosition`: what `self.position(symbol)` returns, a number of shares that knows its average and its profit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...messages.market import Tick


class HeldPosition(int):
    """Signed shares, above 0 long and below 0 short, as a number; with what was paid for them, and the profit.

    It stays as it was when the next fill comes; `pnl` and `unrealized` follow the last price.
    """

    symbol: str
    average: float | None
    """Rupees a share paid (long) or received (short) for what is open; None when flat, or not known."""

    realized: float | None
    """Rupees of profit from what was closed, in this account, before charges; None when not known."""

    _cost: float | None
    _newest: Mapping[str, Tick]

    @classmethod
    def of(  # noqa: PLR0913  each is one of its attributes
        cls,
        shares: int,
        *,
        symbol: str,
        average: float | None,
        realized: float | None,
        cost: float | None,
        newest: Mapping[str, Tick],
    ) -> HeldPosition:
        """Make one.

        Args:
            shares: signed.
            symbol: of what.
            average: rupees a share.
            realized: rupees.
            cost: signed rupees paid for what is open; None: not known.
            newest: the newest tick by symbol, as it goes on.
        """
        held = cls(shares)
        held.symbol, held.average, held.realized = symbol, average, realized
        held._cost, held._newest = cost, newest
        return held

    @property
    def shares(self) -> int:
        """The same as a plain number."""
        return int(self)

    @property
    def unrealized(self) -> float | None:
        """Rupees of profit at the last price of what is open, before charges; 0 when flat, None when not known."""
        if not self:
            return 0.0
        newest = self._newest.get(self.symbol)
        return None if newest is None or self._cost is None else newest.price * self.shares - self._cost

    @property
    def pnl(self) -> float | None:
        """Rupees of profit, realized and unrealized, before charges; None when one is not known."""
        unrealized = self.unrealized
        return None if unrealized is None or self.realized is None else self.realized + unrealized

    def __repr__(self) -> str:
        return f"<{int(self)} of {self.symbol}, average {self.average}, pnl {self.pnl}>"

    __str__ = int.__repr__
