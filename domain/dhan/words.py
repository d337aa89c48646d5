"""The words and ranges that Dhan's requests and answers share.

A `Literal` is for what we write, and for what must be known to be acted on; in answers, words that may be new one day
are texts with a note of those that are known, so that they come in one case.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ...messages.units import INTEGER_MAX, RUPEES_MAX


class Words(msgspec.Struct, frozen=True):
    """A note on a text: these words are known, in whatever case they come; any other is taken as it is."""

    known: tuple[str, ...]


Segment: TypeAlias = Literal[
    "IDX_I", "NSE_EQ", "NSE_FNO", "NSE_CURRENCY", "BSE_EQ", "MCX_COMM", "BSE_CURRENCY", "BSE_FNO", "NSE_COMM"
]
TransactionType: TypeAlias = Literal["BUY", "SELL"]
ProductType: TypeAlias = Literal["CNC", "INTRADAY", "MARGIN", "MTF", "CO", "BO"]
OrderType: TypeAlias = Literal["LIMIT", "MARKET", "STOP_LOSS", "STOP_LOSS_MARKET"]
Validity: TypeAlias = Literal["DAY", "IOC"]
LegName: TypeAlias = Literal["ENTRY_LEG", "TARGET_LEG", "STOP_LOSS_LEG", "NA"]
AmoTime: TypeAlias = Literal["PRE_OPEN", "OPEN", "OPEN_30", "OPEN_60"]
PositionType: TypeAlias = Literal["LONG", "SHORT", "CLOSED"]
InstrumentType: TypeAlias = Literal[
    "INDEX", "FUTIDX", "OPTIDX", "EQUITY", "FUTSTK", "OPTSTK", "FUTCOM", "OPTFUT", "FUTCUR", "OPTCUR"
]
OptionType: TypeAlias = Literal["CALL", "PUT"]

STATUSES: Final = (
    *("TRANSIT", "PENDING", "PART_TRADED", "TRADED", "REJECTED", "CANCELLED", "EXPIRED"),
    *("TRIGGERED", "CLOSED", "CONFIRM", "MODIFIED", "INACTIVE"),
)
OPEN_STATUSES: Final = frozenset({"TRANSIT", "PENDING", "PART_TRADED", "CONFIRM", "MODIFIED"})
"""Statuses of an order that may still trade; an unknown status counts as one, too."""

ENDED_STATUSES: Final = frozenset({"TRADED", "REJECTED", "CANCELLED", "EXPIRED", "CLOSED"})

Status: TypeAlias = Annotated[str, Words(STATUSES)]
"""One of `STATUSES`, or a word that is not known yet."""

TEXT_MAX: Final = 4_096
"""Characters of any text of an answer."""

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
"""Of an order, an instrument, an alert: opaque."""

Text: TypeAlias = Annotated[str, Meta(max_length=TEXT_MAX)]
Units: TypeAlias = Annotated[int, Meta(ge=0, le=INTEGER_MAX)]
SomeUnits: TypeAlias = Annotated[int, Meta(ge=1, le=INTEGER_MAX)]
SignedUnits: TypeAlias = Annotated[int, Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)]
PriceRupees: TypeAlias = Annotated[float, Meta(ge=0, le=RUPEES_MAX)]
SomeRupees: TypeAlias = Annotated[float, Meta(gt=0, le=RUPEES_MAX)]
SignedRupees: TypeAlias = Annotated[float, Meta(ge=-RUPEES_MAX, le=RUPEES_MAX)]
Number: TypeAlias = Annotated[float, Meta(ge=-1e15, le=1e15)]
"""A measure without a unit of its own: a Greek, a volatility, an open interest."""

CorrelationId: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9 _-]{0,25}\Z")]
"""Documented with 30 characters; 25 were accepted, and 26 refused."""

ClientId: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,32}\Z")]
SecurityId: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9]{1,20}\Z")]
OrderId: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,40}\Z")]
"""What we write of an order's id: it becomes part of a path."""
