"""The closing auction of shares that derivatives are of: its times, what is taken when, its reference price. Pure.

Source: SEBI's circular of 16 January 2026 (HO/47/11/11(3)2025-MRD-POD2), in force from 3 August 2026. Continuous
trading of these shares ends at 15:15; the reference price is the average of 15:00 to 15:15 by volume; limit and market
orders are entered from 15:20, limit orders alone from 15:25, until an end at random between 15:28 and 15:30; all that
can trade trades at one price by 15:35, at most 3 % from the reference price. Limit orders that rest at 15:15 are
carried into it. Of the end at random the earliest time holds here: nobody can rely on a later one.
"""

from __future__ import annotations

import functools
import tomllib
from importlib import resources
from typing import TYPE_CHECKING, Final

import msgspec

from .volumes import DayVolume

if TYPE_CHECKING:
    from ..messages.market import Tick

BAND_PERCENT: Final = 3.0
"""Of the reference price: a limit further away is refused."""


class ClosingAuction(msgspec.Struct, frozen=True, kw_only=True):
    """The closing auction of one day; every time in nanoseconds since 1970-01-01 UTC."""

    reference_ns: int
    """From here to `starts_ns` trades count for the reference price."""

    starts_ns: int
    """End of continuous trading (exclusive)."""

    entry_ns: int
    """Orders are taken from here on."""

    limits_ns: int
    """From here on limit orders alone."""

    entry_ends_ns: int
    """Nothing is taken from here on: the earliest of the times at which entry may end."""

    ends_ns: int
    """By then all has traded that can."""

    def is_on(self, time_ns: int) -> bool:
        """Tell whether continuous trading is over and the auction is not."""
        return self.starts_ns <= time_ns < self.ends_ns

    def takes_orders(self, time_ns: int) -> bool:
        """Tell whether orders are taken."""
        return self.entry_ns <= time_ns < self.entry_ends_ns

    def fault(self, order_type: str, *, time_ns: int, validity: str = "DAY", is_iceberg: bool = False) -> str:
        """Say why an order is not taken, changed or withdrawn at a time of the auction; empty: it is.

        Args:
            order_type: of the order: MARKET, LIMIT; every other is a stop order.
            time_ns: nanoseconds since 1970-01-01 UTC.
            validity: DAY or IOC.
            is_iceberg: it shows a part of its quantity alone.
        """
        if not self.takes_orders(time_ns):
            return "the entry of the closing auction is wanted, 15:20 to 15:28, found it closed"
        if order_type not in {"MARKET", "LIMIT"} or validity != "DAY" or is_iceberg:
            found = "one with a disclosed quantity" if is_iceberg else order_type if validity == "DAY" else validity
            return f"a MARKET or LIMIT order for the day is wanted in the closing auction, found {found}"
        if time_ns >= self.limits_ns and order_type == "MARKET":
            return "a LIMIT order is wanted from 15:25 on in the closing auction, found MARKET"
        return ""

    def priced_ns(self, time_ns: int) -> int:
        """Return until when there can be a price: while the auction goes on, the end of continuous trading."""
        return self.starts_ns if self.is_on(time_ns) else time_ns


class ReferencePrice:
    """The average price of the minutes before the auction, by volume."""

    __slots__ = ("_rupees", "_shares", "_traded")

    def __init__(self) -> None:
        """Have seen no trade."""
        self._rupees = 0.0
        self._shares = 0
        self._traded = DayVolume()

    def add(self, tick: Tick) -> None:
        """Take a trade of these minutes."""
        shares = self._traded.add(tick.exchange_ns, tick.quantity, tick.volume)
        self._rupees += shares * tick.price
        self._shares += shares

    def price(self, last_price: float) -> float:
        """Return it: rupees; without a trade in these minutes, the last price."""
        return self._rupees / self._shares if self._shares else last_price


@functools.cache
def built_in_underlyings() -> frozenset[str]:
    """Return the shares that derivatives are of, as far as they are known without a list of instruments."""
    data = tomllib.loads(resources.files(__package__).joinpath("underlyings.toml").read_text(encoding="utf-8"))
    return frozenset(data["shares"])
