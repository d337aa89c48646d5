"""What is held: positions of the day and holdings in the depository; converting positions, and leaving all of them."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from ..moments import Day
from ..words import (
    ClientId,
    Id,
    PositionType,
    PriceRupees,
    ProductType,
    SecurityId,
    SignedRupees,
    SignedUnits,
    SomeUnits,
    Text,
    Units,
)

ConvertedSegment: TypeAlias = Literal["NSE_EQ", "NSE_FNO", "BSE_EQ", "BSE_FNO", "MCX_COMM"]


class PositionRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, gc=False):
    """A position of the day, carried ones and those that were closed today among them: `GET /positions`."""

    security_id: Id
    exchange_segment: Text
    product_type: Text
    net_qty: SignedUnits
    """Bought less sold."""

    trading_symbol: Text = ""
    position_type: Text = ""
    buy_qty: Units = 0
    sell_qty: Units = 0
    buy_avg: PriceRupees = 0.0
    sell_avg: PriceRupees = 0.0
    cost_price: PriceRupees = 0.0
    realized_profit: SignedRupees = 0.0
    unrealized_profit: SignedRupees = 0.0
    multiplier: Units = 1
    carry_forward_buy_qty: Units = 0
    carry_forward_sell_qty: Units = 0
    day_buy_qty: Units = 0
    day_sell_qty: Units = 0
    carry_forward_buy_value: PriceRupees = 0.0
    carry_forward_sell_value: PriceRupees = 0.0
    day_buy_value: PriceRupees = 0.0
    day_sell_value: PriceRupees = 0.0
    rbi_reference_rate: PriceRupees = 0.0
    drv_expiry_date: Day = None
    drv_option_type: Text | None = None
    drv_strike_price: PriceRupees = 0.0
    cross_currency: bool = False
    dhan_client_id: Text = ""


class HoldingRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, gc=False):
    """Shares in the depository: `GET /holdings`."""

    security_id: Id
    trading_symbol: Text
    total_qty: Units = 0
    """Delivered, and bought yesterday."""

    available_qty: Units = 0
    """Without those that are pledged."""

    exchange: Text = ""
    isin: Text = ""
    dp_qty: Units = 0
    t1_qty: Units = msgspec.field(default=0, name="t1Qty")
    mtf_t1_qty: Units = msgspec.field(default=0, name="mtf_t1_qty")
    mtf_qty: Units = msgspec.field(default=0, name="mtf_qty")
    collateral_qty: Units = 0
    avg_cost_price: PriceRupees = 0.0
    last_traded_price: PriceRupees = 0.0


class ConvertPositionRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`POST /positions/convert`: answered by 202 and nothing."""

    dhan_client_id: ClientId
    from_product_type: ProductType
    to_product_type: ProductType
    exchange_segment: ConvertedSegment
    position_type: PositionType
    security_id: SecurityId
    convert_qty: SomeUnits


class ExitAllAck(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`DELETE /positions`: every position is closed at market, and every open order cancelled."""

    status: Text = ""
    message: Text = ""
