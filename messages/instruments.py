"""Questions about instruments: what one is, which there are, and a new list of them.

The owner of the list answers; a strategy may ask. A *name* is whatever a person calls an instrument: our symbol, the
exchange's or the broker's name of it, or its number (`NSE_EQ:2885`).
"""

from datetime import date
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from .units import Count, Price, Seconds, SomeShares

Segment: TypeAlias = Literal[
    "IDX_I", "NSE_EQ", "NSE_FNO", "NSE_CURRENCY", "NSE_COMM", "BSE_EQ", "BSE_FNO", "BSE_CURRENCY", "MCX_COMM"
]
"""An exchange and what is traded there; a security id is unique only in its segment."""

OptionType: TypeAlias = Literal["CE", "PE"]

InstrumentName: TypeAlias = Annotated[str, Meta(max_length=200)]


class InstrumentDefinition(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="InstrumentDefinition"
):
    """The reference data of one instrument; `domain.instruments.Instrument` is what one works with."""

    symbol: str
    segment: Segment
    tick_size_rupees: Annotated[float, Meta(gt=0, le=1000)]
    lot_size: SomeShares = 1
    """Shares: every quantity is a multiple of it."""

    freeze_quantity: SomeShares | None = None
    """Shares: the exchange refuses an order of more; None where there is no such limit."""

    expiry: date | None = None
    """The last trading day, in India; None for instruments that do not expire."""

    security_id: str = ""
    """The exchange's number of it, by which the broker knows it: unique in its segment only. Empty where not known."""

    instrument_type: str = "EQUITY"
    """EQUITY, INDEX, FUTIDX, FUTSTK, FUTCOM, FUTCUR, OPTIDX, OPTSTK, OPTFUT, OPTCUR."""

    trading_symbol: str = ""
    """The exchange's name of it: that of a share is another's, too, and of an option, that of several expiries."""

    display_name: str = ""
    series: str = ""
    isin: str = ""
    underlying: str = ""
    """The trading symbol of what a contract is on."""

    strike_rupees: Price | None = None
    option_type: OptionType | None = None
    is_underlying: bool | None = None
    """Whether derivatives are of this share, by the list that it is from; None: that does not say."""


class InstrumentList(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="InstrumentList"):
    """Which list of instruments an answer is from."""

    source: str
    """Where it came from: an address or a file; `built-in` for the small list that is part of natya."""

    day: date | None = None
    """The day in India on which it was read; None for the built-in list."""

    instruments: Count = 0
    left_out: Count = 0
    """Rows that could not be read."""


class ShowInstrument(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ShowInstrument"):
    """To instruments: what is this one? Answered by `InstrumentShown` or `InstrumentUnknown`."""

    name: InstrumentName


class InstrumentShown(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="InstrumentShown"):
    """Answer to `ShowInstrument`."""

    name: str
    """As it was asked for."""

    instrument: InstrumentDefinition
    of: InstrumentList


class InstrumentUnknown(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="InstrumentUnknown"):
    """Answer to `ShowInstrument`: there is none of this name, or it is the name of several."""

    name: str
    reason: str
    symbols: tuple[str, ...] = ()
    """Of those that it may mean, some of them."""


class FindInstrument(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="FindInstrument"):
    """To instruments: which ones are there of this kind? Answered by `InstrumentsFound`."""

    text: InstrumentName = ""
    """Words that all stand in its names, in any case."""

    segment: Segment | None = None
    underlying: InstrumentName = ""
    instrument_type: InstrumentName = ""
    expiry: date | None = None
    option_type: OptionType | None = None
    is_expired: bool = False
    """Those that have expired as well."""

    rows_max: Annotated[int, Meta(ge=1, le=10_000)] = 20
    skipped: Count = 0
    """So many of the first ones are left out, which were asked for before: their order is that of the list."""


class InstrumentsFound(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="InstrumentsFound"):
    """Answer to `FindInstrument`."""

    instruments: tuple[InstrumentDefinition, ...]
    """The first ones: what is called so before what only begins so, near expiries before far ones."""

    total: Count
    of: InstrumentList


class RefreshInstruments(
    msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="RefreshInstruments"
):
    """To instruments: fetch a new list and use it. Answered by `InstrumentsRefreshed` or `InstrumentsKept`."""

    if_older: bool = False
    """Only if the list in use is not of today."""

    may_shrink: bool = False
    """Accept a list that is far smaller than the one in use, or by whose numbers others are meant."""


class ReopenInstruments(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReopenInstruments"):
    """To instruments, from who has put a list into its folder: use it. Answered by `InstrumentsRefreshed`."""


class InstrumentsRefreshed(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="InstrumentsRefreshed"):
    """Answer to `RefreshInstruments` and `ReopenInstruments`: this list is in use."""

    of: InstrumentList
    took_s: Seconds = 0.0
    faults: tuple[str, ...] = ()
    """Why rows were left out, some of the reasons."""


class InstrumentsKept(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="InstrumentsKept"):
    """Answer to `RefreshInstruments`: the new list was refused, and the one before is in use."""

    reason: str
    of: InstrumentList


class InstrumentsStatistics(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag="InstrumentsStatistics"):
    """What the owner of the list counts."""

    of: InstrumentList
    asked: Count = 0
    unknown: Count = 0
    refreshed: Count = 0
    refused: Count = 0
    """Lists that were not accepted."""
