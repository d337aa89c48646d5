"""What a user orders, in symbols, rupees and shares; the adapter translates it to the broker's words."""

from __future__ import annotations

import uuid
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ....config.secrets import Secret
from ....messages.units import INTEGER_MAX, RUPEES_MAX

Side: TypeAlias = Literal["BUY", "SELL"]
Product: TypeAlias = Literal["INTRADAY", "CNC", "MARGIN", "MTF"]
"""INTRADAY: closed by the broker at the end of the day; CNC: delivery; MARGIN: carried futures and options; MTF: shares
on margin."""

Shares: TypeAlias = Annotated[int, Meta(ge=1, le=INTEGER_MAX)]
Rupees: TypeAlias = Annotated[float, Meta(gt=0, le=RUPEES_MAX)]
Symbol: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
ClientOrderId: TypeAlias = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,25}\Z")]


def new_client_order_id() -> str:
    """Make one that no other order has."""
    return f"n{uuid.uuid4().hex[:24]}"


class BrokerCredentials(msgspec.Struct, frozen=True, kw_only=True):
    """Who the client is at the broker, and the proof of it, which nothing prints."""

    client_id: str
    access_token: Secret | str

    def __post_init__(self) -> None:
        """Wrap the token."""
        if isinstance(self.access_token, str):
            msgspec.structs.force_setattr(self, "access_token", Secret(self.access_token))

    @property
    def secret(self) -> Secret:
        """The token, wrapped."""
        assert isinstance(self.access_token, Secret)
        return self.access_token


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One order. Its client order id names it for ever: however often it is placed, it leaves at most once.

    To buy the same again is another order: make another request.
    """

    symbol: Symbol
    """Of the list of instruments: `RELIANCE`, `NIFTY-29Sep2026-29150-CE`, `NSE_EQ:2885`."""

    side: Side
    quantity: Shares
    """Shares or contract units, not lots."""

    order_type: Literal["MARKET", "LIMIT", "STOP_LOSS", "STOP_LOSS_MARKET"] = "MARKET"
    """A stop order without a limit price gets one, `limit_offset` behind its trigger; both stop types do."""

    limit_price: Rupees | None = None
    """Rupees; of LIMIT, and of STOP_LOSS where it is to be another than that."""

    trigger_price: Rupees | None = None
    """Rupees; of a stop order."""

    limit_offset: Annotated[float, Meta(gt=0, le=0.2)] = 0.005
    """Of a stop order without a limit price: how far behind the trigger it may trade, as a share of it."""

    product: Product = "INTRADAY"
    validity: Literal["DAY", "IOC"] = "DAY"
    disclosed_quantity: Annotated[int, Meta(ge=0, le=INTEGER_MAX)] = 0
    """Shares that the book shows; 0: all of them."""

    after_market: Literal["PRE_OPEN", "OPEN", "OPEN_30", "OPEN_60"] | None = None
    """When an after-market order leaves; None: the order is none."""

    reduces: bool = False
    """The order reduces a position: it goes before others where the broker limits requests."""

    client_order_id: ClientOrderId = msgspec.field(default_factory=new_client_order_id)


class SuperOrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An entry with a target and a stop, of which one may be missing."""

    symbol: Symbol
    side: Side
    quantity: Shares
    order_type: Literal["MARKET", "LIMIT"] = "MARKET"
    limit_price: Rupees | None = None
    target_price: Rupees | None = None
    stop_loss_price: Rupees | None = None
    trailing_jump: Annotated[float, Meta(ge=0, le=RUPEES_MAX)] = 0.0
    """Rupees by which the stop follows; 0: it stays."""

    product: Product = "INTRADAY"
    reduces: bool = False
    client_order_id: ClientOrderId = msgspec.field(default_factory=new_client_order_id)


class ForeverLeg(msgspec.Struct, frozen=True, kw_only=True):
    """What a forever order does at its trigger."""

    trigger_price: Rupees
    limit_price: Rupees | None = None
    """Rupees; None: at market. Placed are two legs with a limit or two without."""

    quantity: Annotated[int, Meta(ge=0, le=INTEGER_MAX)] = 0
    """Shares; 0: as many as the first leg."""


class ForeverOrderRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An order that waits for its trigger over days; with a second leg, the first that triggers cancels the other."""

    symbol: Symbol
    side: Side
    quantity: Shares
    first: ForeverLeg
    second: ForeverLeg | None = None
    product: Literal["CNC", "MTF", "MARGIN"] = "CNC"
    validity: Literal["DAY", "IOC"] = "DAY"
    reduces: bool = False
    client_order_id: ClientOrderId = msgspec.field(default_factory=new_client_order_id)


def type_fault(request: msgspec.Struct) -> str:
    """Say which field of a request is of a wrong type or out of its range; empty: none."""
    try:
        msgspec.convert(msgspec.to_builtins(request), type(request))
    except (msgspec.ValidationError, TypeError) as fault:
        return f"{type(request).__name__}: {fault}"
    return ""
