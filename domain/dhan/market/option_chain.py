"""The options of one underlying and expiry, by strike; and which expiries there are. Requests have PascalCase keys."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from ....messages.units import RUPEES_MAX
from ..moments import Day
from ..words import Number, PriceRupees, Segment, Text, Units
from .charts import DayText


class ExpiriesRequest(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    """`POST /optionchain/expirylist`."""

    underlying_scrip: Annotated[int, Meta(ge=0, le=(1 << 31) - 1)]
    underlying_seg: Segment


class OptionChainRequest(ExpiriesRequest, frozen=True, kw_only=True, rename="pascal"):
    """`POST /optionchain`: one of the same underlying and expiry in 3 seconds."""

    expiry: DayText


class Greeks(msgspec.Struct, frozen=True, kw_only=True):
    """How the price of one option answers to the market, as the broker calculates it."""

    delta: Number = 0.0
    theta: Number = 0.0
    gamma: Number = 0.0
    vega: Number = 0.0


class OptionQuote(msgspec.Struct, frozen=True, kw_only=True):
    """A call or a put of one strike."""

    last_price: PriceRupees
    greeks: Greeks = Greeks()
    implied_volatility: Number = 0.0
    oi: Number = 0.0
    previous_close_price: PriceRupees = 0.0
    previous_oi: Number = 0.0
    previous_volume: Units = 0
    top_ask_price: PriceRupees = 0.0
    top_ask_quantity: Units = 0
    top_bid_price: PriceRupees = 0.0
    top_bid_quantity: Units = 0
    volume: Units = 0
    average_price: PriceRupees = 0.0
    security_id: Text = ""
    """A number on the wire, where it is given."""


class StrikeQuotes(msgspec.Struct, frozen=True, kw_only=True):
    """Both options of a strike."""

    ce: OptionQuote | None = None
    pe: OptionQuote | None = None


class OptionChainData(msgspec.Struct, frozen=True, kw_only=True):
    """The price of the underlying, and its options by strike, a text with six decimals: `24850.000000`."""

    last_price: PriceRupees
    oc: dict[str, StrikeQuotes]


class OptionChain(msgspec.Struct, frozen=True, kw_only=True):
    """All options of one underlying and expiry, by strike."""

    data: OptionChainData
    status: Text = "success"

    def by_strike(self) -> dict[float, StrikeQuotes]:
        """Return the options by strike, in rupees, the lowest first.

        Raises:
            ValueError: a strike is no number above 0.
        """
        strikes = {_strike(key): each for key, each in self.data.oc.items()}
        return {strike: strikes[strike] for strike in sorted(strikes)}


def _strike(text: str) -> float:
    try:
        strike = float(text)
    except ValueError:
        strike = 0.0
    if not 0 < strike <= RUPEES_MAX:  # false for NaN as well
        raise ValueError(f"a strike wanted, found {text!r}")
    return strike


class Expiries(msgspec.Struct, frozen=True, kw_only=True):
    """Days on which options of an underlying expire, the nearest first."""

    data: tuple[Day, ...]
    status: Text = "success"
