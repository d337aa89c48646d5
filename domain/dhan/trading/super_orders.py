"""Super orders: an entry with a target and a stop, which may trail."""

from __future__ import annotations

from typing import ClassVar, Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from ..words import (
    ClientId,
    CorrelationId,
    OrderId,
    PriceRupees,
    SecurityId,
    Segment,
    SomeUnits,
    Status,
    Text,
    TransactionType,
    Units,
)
from .orders import OrderRow

SuperLeg: TypeAlias = Literal["ENTRY_LEG", "TARGET_LEG", "STOP_LOSS_LEG"]
SuperProduct: TypeAlias = Literal["CNC", "INTRADAY", "MARGIN", "MTF"]
SuperOrderType: TypeAlias = Literal["LIMIT", "MARKET"]


class PlaceSuperOrderRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`POST /super/orders`: at least one of target and stop; a price of 0 for MARKET, else it is refused."""

    dhan_client_id: ClientId
    transaction_type: TransactionType
    exchange_segment: Segment
    product_type: SuperProduct
    order_type: SuperOrderType
    security_id: SecurityId
    quantity: SomeUnits
    correlation_id: CorrelationId = ""
    price: PriceRupees = 0.0
    target_price: PriceRupees = 0.0
    stop_loss_price: PriceRupees = 0.0
    trailing_jump: PriceRupees = 0.0
    """Rupees by which the stop follows; 0: it stays."""


class ModifySuperOrderRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`PUT /super/orders/{order-id}`: what is written depends on the leg; see the functions below.

    An entry or stop that is modified without a `trailing_jump` ends the trailing, so it is written of both.
    """

    dhan_client_id: ClientId
    order_id: OrderId
    leg_name: SuperLeg
    order_type: SuperOrderType | UnsetType = UNSET
    quantity: SomeUnits | UnsetType = UNSET
    price: PriceRupees | UnsetType = UNSET
    target_price: PriceRupees | UnsetType = UNSET
    stop_loss_price: PriceRupees | UnsetType = UNSET
    trailing_jump: PriceRupees | UnsetType = UNSET


class SuperLegRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A target or a stop of a super order."""

    leg_name: SuperLeg
    order_status: Status
    order_id: Text = ""
    transaction_type: Text = ""
    total_quantity: Units = msgspec.field(default=0, name="totalQuatity")
    """Spelt so on the wire."""

    remaining_quantity: Units = 0
    triggered_quantity: Units = 0
    price: PriceRupees = 0.0
    trailing_jump: PriceRupees = 0.0

    ALSO: ClassVar[dict[str, tuple[str, ...]]] = {"total_quantity": ("totalQuantity",)}


class SuperOrderRow(OrderRow, frozen=True, kw_only=True, rename="camel"):
    """A super order, its entry first: `GET /super/orders`. `CLOSED`: the entry and one leg have traded."""

    leg_details: tuple[SuperLegRow, ...] = ()
    ltp: PriceRupees = 0.0

    UNSAID: ClassVar[dict[str, str]] = {**OrderRow.UNSAID, "leg_name": "ENTRY_LEG"}


def modified_entry(  # noqa: PLR0913  all of it is restated
    dhan_client_id: str,
    order_id: str,
    *,
    order_type: SuperOrderType,
    quantity: int,
    price: float,
    target_price: float,
    stop_loss_price: float,
    trailing_jump: float,
) -> ModifySuperOrderRequest:
    """Restate the whole order, while its entry is PENDING or PART_TRADED."""
    return ModifySuperOrderRequest(
        dhan_client_id=dhan_client_id,
        order_id=order_id,
        leg_name="ENTRY_LEG",
        order_type=order_type,
        quantity=quantity,
        price=price,
        target_price=target_price,
        stop_loss_price=stop_loss_price,
        trailing_jump=trailing_jump,
    )


def modified_target(dhan_client_id: str, order_id: str, *, target_price: float) -> ModifySuperOrderRequest:
    """Move the target."""
    return ModifySuperOrderRequest(
        dhan_client_id=dhan_client_id, order_id=order_id, leg_name="TARGET_LEG", target_price=target_price
    )


def modified_stop(
    dhan_client_id: str, order_id: str, *, stop_loss_price: float, trailing_jump: float
) -> ModifySuperOrderRequest:
    """Move the stop; with a jump of 0.0 it does not trail any more."""
    return ModifySuperOrderRequest(
        dhan_client_id=dhan_client_id,
        order_id=order_id,
        leg_name="STOP_LOSS_LEG",
        stop_loss_price=stop_loss_price,
        trailing_jump=trailing_jump,
    )
