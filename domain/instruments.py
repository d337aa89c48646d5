"""Instruments: valid symbols, the price grid, what one instrument is, and which orders it takes.

A *symbol* is natya's own name of an instrument, and the only one that strategies, orders and market data use. A broker
knows it by another: by a number that is unique in one segment only.
"""

from __future__ import annotations

import functools
import math
import re
from datetime import date, datetime
from typing import Final, Literal, Self, TypeAlias

import msgspec

from ..messages.instruments import InstrumentDefinition, Segment
from ..messages.units import RUPEES_MAX
from .money import as_float, exact

Rounding: TypeAlias = Literal["down", "up", "nearest"]

SYMBOL_LENGTH_MAX: Final = 64
_SYMBOL: Final = re.compile(rf"[!-~](?:[ -~]{{0,{SYMBOL_LENGTH_MAX - 2}}}[!-~])?", re.ASCII)

_OPTIONS: Final = ("-CE", "-PE", " CE", " PE")
_STRIKE: Final = re.compile(r"[- ]([0-9]+(?:\.[0-9]+)?)[- ][CP]E$", re.ASCII)
_EXPIRY: Final = re.compile(r"[- ]([0-9]{2}[A-Za-z]{3}[0-9]{4})[- ]", re.ASCII)
_CONTRACTS: Final = (*_OPTIONS, "-FUT", " FUT")
_INDICES: Final = frozenset(
    {
        "NIFTY", "NIFTY50", "BANKNIFTY", "NIFTYBANK", "FINNIFTY", "NIFTYFINSERVICE", "MIDCPNIFTY", "NIFTYMIDSELECT",
        "NIFTYNXT50", "NIFTYNEXT50", "INDIAVIX", "SENSEX", "BANKEX",
    }
)  # fmt: skip

FINEST_TICK_RUPEES: Final = 0.0025
"""Tick size of currency futures. The tick sizes of all other instruments are multiples of it."""

NOISE_TICKS: Final = 1e-6
"""A price this near to one on the grid, in ticks, is that price: 1499.3500000000001 is 1499.35, 1499.3501 is not."""

NOISE_ULPS: Final = 4
"""The same tolerance in units of float spacing, for prices above ten million rupees, where that is the coarser."""

SHARE_SERIES: Final = ("EQ", "BE", "BZ", "SM", "ST", "SZ", "RR", "IV")
"""Series of NSE in which a company's share or a trust's unit trades, by preference; all others are something else.

An exchange moves a share from one of them to another, and it is the same share: `IDEA` has traded in EQ and in BE."""


def series_suffix(series: str) -> str:
    """Return what a series of NSE adds to the symbol; nothing for shares: `IDEA`, but the bond `IDEA-N1`."""
    return f"-{series}" if series and series not in SHARE_SERIES else ""


_EXCHANGE_BEHIND: Final = {".NS": "", ".NSE": "", "-EQ": "", ".BO": "BSE:", ".BSE": "BSE:"}
"""What ends a symbol of Yahoo's, AmiBroker's or a broker's, and how one of that exchange begins here."""


def symbol_without_exchange(written: str) -> str:
    """Return our symbol of a share that others write with its exchange, of NSE alone without: `INFY` of `INFY.NS`.

    One of BSE has it in front: `BSE:INFY` of `INFY.BO`. All others are as they are written.
    """
    bare = written.removeprefix("NSE:")
    for ending, exchange in _EXCHANGE_BEHIND.items():
        if bare.endswith(ending):
            bare = exchange + bare.removesuffix(ending)
            break
    return bare if is_symbol(bare) and not bare.endswith(":") else written


def is_symbol(text: str) -> bool:
    """Say whether a text may be a symbol: 1 to 64 printable ASCII characters, no space at the ends.

    The symbols of the Indian exchanges are of this form: `M&M`, `NIFTY 26000 CE`.
    """
    return _SYMBOL.fullmatch(text) is not None


@functools.lru_cache(maxsize=10_000)
def is_option(symbol: str) -> bool:
    """Whether a symbol names an option: `NIFTY-29Sep2026-29150-CE`."""
    return symbol.endswith(_OPTIONS)


@functools.lru_cache(maxsize=10_000)
def strike_of(symbol: str) -> float | None:
    """Return the strike of an option in rupees, 0 where its symbol tells none; None: it is no option."""
    if not is_option(symbol):
        return None
    found = _STRIKE.search(symbol)
    return float(found[1]) if found else 0.0


@functools.lru_cache(maxsize=10_000)
def expiry_of(symbol: str) -> date | None:
    """Return the last day of a contract, where its symbol tells it: 29 September 2026 of `NIFTY-29Sep2026-29150-CE`."""
    found = _EXPIRY.search(symbol) if is_contract(symbol) else None
    try:
        return datetime.strptime(found[1], "%d%b%Y").date() if found else None  # noqa: DTZ007  a day has no zone
    except ValueError:
        return None


def underlying_symbol(symbol: str) -> str:
    """Return the symbol of what a contract is of: `BSE:SENSEX` of `BSE:SENSEX-24Sep2026-80000-CE`; empty: not told."""
    found = _EXPIRY.search(symbol) if is_contract(symbol) else None
    return symbol[: found.start()] if found else ""


def is_contract(symbol: str) -> bool:
    """Whether a symbol names an option or a future: `NIFTY-29Sep2026-FUT`."""
    return symbol.endswith(_CONTRACTS)


def is_index(symbol: str) -> bool:
    """Whether a symbol names one of the well-known indices, however it is spaced: `NIFTY`, `Nifty 50`, `BSE:SENSEX`."""
    return symbol.rpartition(":")[2].upper().replace(" ", "") in _INDICES


class PriceGrid:
    """The multiples of a tick size, in rupees."""

    __slots__ = ("_denominator", "_numerator", "tick_size_rupees")

    def __init__(self, tick_size_rupees: float) -> None:
        """Take the tick size.

        Raises:
            ValueError: it is not a finite number above 0.
        """
        tick_size_rupees = as_float(tick_size_rupees)
        if not 0 < tick_size_rupees <= RUPEES_MAX:  # true for NaN as well
            raise ValueError(f"a tick size above 0 rupees is wanted, found {tick_size_rupees}")
        self.tick_size_rupees = tick_size_rupees
        self._numerator, self._denominator = exact(tick_size_rupees).as_integer_ratio()

    def nearest(self, price: float) -> float:
        """Round to the grid: the float nearest to the decimal number, 25974.9 for the wire's 25974.900390625."""
        return round(price / self.tick_size_rupees) * self._numerator / self._denominator

    def count(self, price: float) -> int:
        """Tell how many ticks a price is, the nearest one on the grid."""
        return round(price / self.tick_size_rupees)

    def snap(self, price: float) -> float | None:
        """Remove floating-point noise from a price: 1499.35 for 1499.4 - 0.05. None if it is not on the grid."""
        price = as_float(price)
        if not 0 < price <= RUPEES_MAX:
            return None
        nearest = self.nearest(price)
        if nearest == price:
            return price
        noise = max(self.tick_size_rupees * NOISE_TICKS, math.ulp(price) * NOISE_ULPS)
        return nearest if nearest > 0 and abs(price - nearest) <= noise else None

    def round(self, price: float, to: Rounding = "nearest") -> float:
        """Round a price to the grid; a price that is off it only by floating-point noise is not moved up or down.

        Raises:
            ValueError: the price is out of range, or rounds to 0.
        """
        price = as_float(price)
        if not 0 < price <= RUPEES_MAX:
            raise ValueError(f"a price above 0 and at most {RUPEES_MAX:.0f} rupees is wanted, found {price}")
        found = self.snap(price)
        if found is None:
            numerator, denominator = exact(price).as_integer_ratio()
            ticks, rest = divmod(numerator * self._denominator, denominator * self._numerator)
            ticks += to == "up" or (to == "nearest" and 2 * rest >= denominator * self._numerator)
            found = ticks * self._numerator / self._denominator
        if found <= 0:
            raise ValueError(f"a price of at least one tick, {self.tick_size_rupees}, is wanted, found {price}")
        return found


class Instrument(InstrumentDefinition, frozen=True, kw_only=True, gc=False):
    """The reference data of one instrument, as the exchange publishes it, and what follows from it.

    Raises:
        ValueError: on construction: no valid symbol, lot, freeze quantity or tick size.
    """

    @classmethod
    def of(cls, definition: InstrumentDefinition) -> Self:
        """Build it from the message that defines it."""
        return cls(**msgspec.structs.asdict(definition))

    def definition(self) -> InstrumentDefinition:
        """Return the message that defines it."""
        return InstrumentDefinition(**msgspec.structs.asdict(self))

    def __post_init__(self) -> None:
        if not is_symbol(self.symbol):
            raise ValueError(f"a symbol of 1 to {SYMBOL_LENGTH_MAX} printable characters wanted, found {self.symbol!r}")
        if self.lot_size < 1 or (self.freeze_quantity is not None and self.freeze_quantity < self.lot_size):
            raise ValueError(
                f"a lot of at least 1 share and a freeze quantity of at least a lot wanted, "
                f"found {self.lot_size} and {self.freeze_quantity}"
            )
        price_grid(self.tick_size_rupees)

    @property
    def is_tradable(self) -> bool:
        """Whether there can be an order for it: an index is only computed."""
        segment: Segment = self.segment
        return segment != "IDX_I"

    @property
    def grid(self) -> PriceGrid:
        """The prices at which it may trade."""
        return price_grid(self.tick_size_rupees)

    def round(self, price: float, to: Rounding = "nearest") -> float:
        """Round a price to the grid, as `PriceGrid.round`."""
        return self.grid.round(price, to)

    def quantity_wanted(self, quantity: int, *, is_sliced: bool = False) -> str:
        """Say what an order's quantity must be, if it must not be this one; empty if it may.

        Args:
            quantity: shares or contract units.
            is_sliced: the order is divided into some below the freeze quantity.
        """
        if quantity < 1 or quantity % self.lot_size:
            return f"a multiple of the lot of {self.lot_size}"
        if self.freeze_quantity is not None and quantity > self.freeze_quantity and not is_sliced:
            return f"at most the freeze quantity of {self.freeze_quantity}"
        return ""

    def quantity_fault(self, quantity: int) -> str:
        """Say why an order must not have this quantity; empty if it may."""
        wanted = self.quantity_wanted(quantity)
        return f"{wanted} shares wanted, found {quantity}" if wanted else ""

    @property
    def slice_quantity_max(self) -> int | None:
        """Shares of the largest order, in whole lots, that the freeze quantity lets through; None: any."""
        return None if self.freeze_quantity is None else self.freeze_quantity // self.lot_size * self.lot_size

    def divided(self, quantity: int) -> tuple[int, ...]:
        """Divide a quantity into orders that the exchange takes, as few as possible, all but the last in whole lots."""
        most = self.slice_quantity_max
        if most is None:
            return (quantity,)
        whole, rest = divmod(quantity, most)
        return (*[most] * whole, *([rest] if rest else []))


@functools.lru_cache(maxsize=1_024)
def price_away(grid: PriceGrid, price: float, percent: float) -> float:
    """Return the price on the grid that is at most so many percent above another, or below it (`percent` below 0).

    It is at least one tick, and at most the highest price there is: rupees.
    """
    tick_size = grid.tick_size_rupees
    away = min(max(price * (1 + percent / 100), tick_size), RUPEES_MAX)
    return grid.round(away, "down" if percent > 0 else "up")


def without_noise(price: float) -> float:
    """Remove floating-point noise from a price of any instrument: 1499.35 for 1499.4 - 0.05.

    A price that is on no exchange's grid is returned as it is, for the exchange to refuse.
    """
    found = price_grid(FINEST_TICK_RUPEES).snap(price)
    return price if found is None else found


@functools.lru_cache(maxsize=256)
def price_grid(tick_size_rupees: float) -> PriceGrid:
    """Return the grid of a tick size; all instruments share it."""
    return PriceGrid(tick_size_rupees)
