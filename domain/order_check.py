"""Checks of an order before it leaves: the instrument is known and trades, whole lots, prices on the grid.

The problem: a quantity that is no whole number of lots, a price between two ticks, or an option of last Tuesday is
refused by the exchange only after the order has left, in words that name no field. The idea: the list of instruments
says all of it beforehand, so it is checked here, by whoever sends an order and by the paper exchange that receives it.
The trap: a price that is off the grid only by the noise of arithmetic (1499.4 - 0.05) is on it; `Instrument.grid.snap`
gives the price to send.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import msgspec

from .instruments import Instrument

NO_FREEZE_QUANTITIES: Final[Mapping[str, int]] = MappingProxyType({})
"""By symbol the shares of the greatest order that the exchange takes: none is known."""

OrderField: TypeAlias = Literal["symbol", "expiry", "quantity", "limit_price", "trigger_price"]


class OrderFault(msgspec.Struct, frozen=True, kw_only=True):
    """Why an order may not leave."""

    field: OrderField
    wanted: str
    found: str

    def __str__(self) -> str:
        return f"{self.field}: {self.wanted} wanted, found {self.found}"


def order_fault(  # noqa: PLR0913  each is a field of an order
    instrument: Instrument | None,
    *,
    symbol: str,
    quantity: int,
    day: date,
    limit_price: float | None = None,
    trigger_price: float | None = None,
    is_sliced: bool = False,
) -> OrderFault | None:
    """Say why an order may not leave; None if it may.

    Args:
        instrument: what the order is for; None if it is not known.
        symbol: as the order names it.
        quantity: shares or contract units.
        day: the day in India on which it will trade.
        limit_price: rupees, of an order that has one.
        trigger_price: rupees, of a stop.
        is_sliced: the broker divides it into orders below the freeze quantity.
    """
    if instrument is None:
        return OrderFault(field="symbol", wanted="an instrument of the list", found=ascii(symbol))
    if not instrument.is_tradable:
        return OrderFault(field="symbol", wanted="an instrument that is traded", found=f"the index {instrument.symbol}")
    if instrument.expiry is not None and instrument.expiry < day:
        found = f"{instrument.symbol}, which expired on {instrument.expiry}"
        return OrderFault(field="expiry", wanted=f"a contract that trades on {day}", found=found)
    return _quantity_fault(instrument, quantity, is_sliced=is_sliced) or (
        _price_fault(instrument, "limit_price", limit_price) or _price_fault(instrument, "trigger_price", trigger_price)
    )


def slices(instrument: Instrument, quantity: int) -> tuple[int, ...]:
    """Divide a quantity into orders that the exchange takes, as few as possible, in whole lots.

    Raises:
        ValueError: it is no whole number of lots.
    """
    if fault := _quantity_fault(instrument, quantity, is_sliced=True):
        raise ValueError(str(fault))
    return instrument.divided(quantity)


def _quantity_fault(instrument: Instrument, quantity: int, *, is_sliced: bool) -> OrderFault | None:
    wanted = instrument.quantity_wanted(quantity, is_sliced=is_sliced)
    return OrderFault(field="quantity", wanted=wanted, found=str(quantity)) if wanted else None


def _price_fault(
    instrument: Instrument, field: Literal["limit_price", "trigger_price"], price: float | None
) -> OrderFault | None:
    if price is None or instrument.grid.snap(price) is not None:
        return None
    return OrderFault(
        field=field, wanted=f"a multiple of the tick of {instrument.tick_size_rupees:g}", found=str(price)
    )
