"""Money: what is there, and what an order would need."""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

import msgspec
from msgspec import Meta

from ..words import (
    ClientId,
    PriceRupees,
    ProductType,
    SecurityId,
    Segment,
    SignedRupees,
    SomeUnits,
    Text,
    TransactionType,
)

LEGS_MAX: Final = 50
"""Of one question about margins."""


class Funds(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Money: `GET /fundlimit`."""

    available_balance: SignedRupees = msgspec.field(name="availabelBalance")
    """Spelt so on the wire; pledged collateral is in it."""

    sod_limit: SignedRupees = 0.0
    collateral_amount: SignedRupees = 0.0
    receivable_amount: SignedRupees = msgspec.field(default=0.0, name="receiveableAmount")
    utilized_amount: SignedRupees = 0.0
    blocked_payout_amount: SignedRupees = 0.0
    withdrawable_balance: SignedRupees = 0.0
    dhan_client_id: Text = ""

    ALSO: ClassVar[dict[str, tuple[str, ...]]] = {
        "available_balance": ("availableBalance",),
        "receivable_amount": ("receivableAmount",),
    }

    @property
    def cash(self) -> float:
        """What is there without collateral: rupees."""
        return self.available_balance - self.collateral_amount


class Margin(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What one order would need: rupees."""

    total_margin: SignedRupees
    span_margin: SignedRupees = 0.0
    exposure_margin: SignedRupees = 0.0
    available_balance: SignedRupees = 0.0
    variable_margin: SignedRupees = 0.0
    insufficient_balance: SignedRupees = 0.0
    """What is missing; 0 where nothing is."""

    brokerage: SignedRupees = 0.0
    leverage: Text = ""
    """Such as `5X`."""


class MarginLeg(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One order that is asked about, alone or with others."""

    exchange_segment: Segment
    transaction_type: TransactionType
    quantity: SomeUnits
    product_type: ProductType
    security_id: SecurityId
    price: PriceRupees = 0.0
    trigger_price: PriceRupees = 0.0


class MarginRequest(MarginLeg, frozen=True, kw_only=True, rename="camel"):
    """`POST /margincalculator`."""

    dhan_client_id: ClientId


class MultiMarginRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`POST /margincalculator/multi`."""

    dhan_client_id: ClientId
    scrip_list: Annotated[tuple[MarginLeg, ...], Meta(min_length=1, max_length=LEGS_MAX)]
    include_position: bool = False
    include_order: bool = False

    ALSO: ClassVar[dict[str, tuple[str, ...]]] = {"scrip_list": ("scripts",), "include_order": ("includeOrders",)}


class MultiMargin(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What several orders together would need: rupees. One document has other names, and texts for numbers."""

    total_margin: SignedRupees
    span_margin: SignedRupees = 0.0
    exposure: SignedRupees = 0.0
    equity_margin: SignedRupees = 0.0
    fo_margin: SignedRupees = 0.0
    commodity: SignedRupees = 0.0
    currency: SignedRupees = 0.0
    hedge_benefit: SignedRupees = 0.0
    client_id: Text = ""

    ALSO: ClassVar[dict[str, tuple[str, ...]]] = {
        "exposure": ("exposureMargin",),
        "commodity": ("commodityMargin",),
        "client_id": ("dhanClientId",),
    }
