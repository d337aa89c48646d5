"""What stops trading: the kill switch, and leaving at a profit or a loss of the day."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ..words import ClientId, PriceRupees, SignedRupees, Text, Words

KillSwitch: TypeAlias = Literal["ACTIVATE", "DEACTIVATE"]
"""In the query of `POST /killswitch?killSwitchStatus=…`, which has no body."""

ExitProduct: TypeAlias = Literal["INTRADAY", "DELIVERY"]


class KillSwitchRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`GET /killswitch`: one of the two words; of setting it: a sentence."""

    kill_switch_status: Annotated[str, Words(("ACTIVATE", "DEACTIVATE"))]
    dhan_client_id: Text = ""


class PnlExitRequest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`POST /pnlExit`, for the day; a threshold that is passed already leaves at once."""

    dhan_client_id: ClientId
    profit_value: PriceRupees
    loss_value: PriceRupees
    product_type: Annotated[tuple[ExitProduct, ...], Meta(min_length=1, max_length=2)]
    enable_kill_switch: bool = False


class PnlExitAck(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What setting it and ending it is answered with."""

    pnl_exit_status: Annotated[str, Words(("ACTIVE", "INACTIVE", "DISABLED"))] = ""
    message: Text = ""

    ALSO: ClassVar[dict[str, tuple[str, ...]]] = {"pnl_exit_status": ("status",)}


class PnlExitRow(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`GET /pnlExit`."""

    pnl_exit_status: Annotated[str, Words(("ACTIVE", "INACTIVE", "DISABLED"))]
    profit: PriceRupees = 0.0
    loss: SignedRupees = 0.0
    """With or without a sign: some clients set it with one."""

    product_type: tuple[Text, ...] = ()
    enable_kill_switch: bool = False
