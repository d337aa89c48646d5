"""The trader's controls, and who the client is."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import msgspec

from .....domain.dhan.account.edis import EdisBulkFormRequest, EdisForm, EdisFormRequest, EdisStatus
from .....domain.dhan.account.profile import IpAck, IpAddresses, IpRequest, TokenAnswer
from .....domain.dhan.moments import moment_of
from .....domain.dhan.trading.control import KillSwitchRow, PnlExitAck, PnlExitRequest, PnlExitRow
from .....domain.dhan.writing import written
from ...account import PnlExit
from ..answers import Answer, found, invalid, token_refusal
from ..reading import converted, object_of, read

if TYPE_CHECKING:
    from .....messages.exchange import SwitchesSet
    from ..request import Exchange, Request

TOKEN_HOURS: Final = 24
HERE: Final = "127.0.0.1"
_ISIN: Final = re.compile(r"[A-Z0-9]{12}|ALL", re.ASCII)
_DIGITS: Final = re.compile(r"\d{6}", re.ASCII)


async def set_kill_switch(exchange: Exchange, request: Request) -> Answer:
    """`POST /killswitch?killSwitchStatus=…`: answered by a sentence."""
    wanted = request.query.get("killSwitchStatus", "")
    if wanted not in {"ACTIVATE", "DEACTIVATE"}:
        raise invalid("killSwitchStatus: one of ACTIVATE, DEACTIVATE is wanted, found something else")
    await exchange.account("set_kill_switch", wanted == "ACTIVATE")
    told = f"Kill Switch has been successfully {wanted.lower()}d"
    return found(KillSwitchRow(dhan_client_id=exchange.client_id, kill_switch_status=told))


async def kill_switch(exchange: Exchange, _request: Request) -> Answer:
    """`GET /killswitch`."""
    switches: SwitchesSet = await exchange.account("switches")
    status = "ACTIVATE" if switches.kill_switch else "DEACTIVATE"
    return found(KillSwitchRow(dhan_client_id=exchange.client_id, kill_switch_status=status))


async def set_pnl_exit(exchange: Exchange, request: Request) -> Answer:
    """`POST /pnlExit`."""
    given = object_of(request.body)
    wanted = converted(PnlExitRequest, given | {"lossValue": _unsigned(given.get("lossValue"))})
    await exchange.account(
        "set_pnl_exit",
        PnlExit(
            profit_rupees=wanted.profit_value,
            loss_rupees=wanted.loss_value,
            products=wanted.product_type,
            kills=wanted.enable_kill_switch,
        ),
    )
    return found(PnlExitAck(pnl_exit_status="ACTIVE", message="P&L based exit configured successfully"))


def _unsigned(loss: Any) -> Any:
    """Return a loss without the sign that some clients write before it."""
    if isinstance(loss, str):
        return loss.removeprefix("-")
    return -loss if isinstance(loss, int | float) and loss < 0 else loss


async def pnl_exit(exchange: Exchange, _request: Request) -> Answer:
    """`GET /pnlExit`."""
    switches: SwitchesSet = await exchange.account("switches")
    return found(
        PnlExitRow(
            pnl_exit_status="ACTIVE" if switches.exit_is_active else "INACTIVE",
            profit=switches.exit_profit_rupees,
            loss=switches.exit_loss_rupees,
            product_type=switches.exit_products,
            enable_kill_switch=switches.exit_kills,
        )
    )


async def stop_pnl_exit(exchange: Exchange, _request: Request) -> Answer:
    """`DELETE /pnlExit`."""
    await exchange.account("cancel_pnl_exit")
    return found(PnlExitAck(pnl_exit_status="DISABLED", message="P&L based exit stopped successfully"))


async def profile(exchange: Exchange, _request: Request) -> Answer:
    """`GET /profile`."""
    until = moment_of(exchange.now_ns()) + timedelta(hours=TOKEN_HOURS)
    told = {
        "dhanClientId": exchange.client_id,
        "tokenValidity": f"{until:%d/%m/%Y %H:%M}",
        "activeSegment": "Equity, Derivative, Currency, Commodity",
        "ddpi": "Active",
        "mtf": "Active",
        "dataPlan": "Active",
        "dataValidity": f"{until + timedelta(days=30):%Y-%m-%d 00:00:00.0}",
    }
    return Answer(200, msgspec.json.encode(told))


async def renew_token(exchange: Exchange, _request: Request) -> Answer:
    """`GET /RenewToken`: the token that asked is dead from here on. The new one has the name of the wire, too."""
    answer = new_token(exchange)
    created = moment_of(exchange.now_ns())
    return found({**written(answer), "token": answer.access_token, "createTime": created})


async def refuse_renewal(_exchange: Exchange, _request: Request) -> Answer:
    """`POST /RenewToken`: refused there, too; the token lives on."""
    raise invalid()


async def generate_token(exchange: Exchange, request: Request) -> Answer:
    """`POST /app/generateAccessToken`, of another host: by client id, PIN and TOTP. Any six digits will do."""
    given = request.query
    if given.get("dhanClientId") != exchange.client_id or not _DIGITS.fullmatch(given.get("pin", "")):
        return token_refusal("Invalid Pin")
    if not _DIGITS.fullmatch(given.get("totp", "")):
        return token_refusal("Invalid TOTP")
    return found(new_token(exchange))


def new_token(exchange: Exchange) -> TokenAnswer:
    """Make a new token; the former is dead."""
    return TokenAnswer(
        dhan_client_id=exchange.client_id,
        dhan_client_name="PAPER TRADER",
        dhan_client_ucc="PAPER00001",
        access_token=exchange.renew_token(),
        expiry_time=moment_of(exchange.now_ns()) + timedelta(hours=TOKEN_HOURS),
    )


async def set_address(exchange: Exchange, request: Request) -> Answer:
    """`POST /ip/setIP`, `PUT /ip/modifyIP`: believed, and not kept: here orders may come from this machine alone."""
    read(IpRequest, request.body)
    return found(IpAck(status="SUCCESS", message=f"IP saved successfully for {exchange.client_id}"))


async def addresses(_exchange: Exchange, _request: Request) -> Answer:
    """`GET /ip/getIP`."""
    return found(IpAddresses(primary_ip=HERE, detected_ip=HERE, ip_match_status="MATCH", orders_allowed=True))


async def edis_pin(_exchange: Exchange, _request: Request) -> Answer:
    """`GET /edis/tpin`: 202, and nothing."""
    return Answer(202)


async def edis_form(exchange: Exchange, request: Request) -> Answer:
    """`POST /edis/form`."""
    wanted = read(EdisFormRequest, request.body)
    return _form(exchange, (wanted.isin,))


async def edis_bulk_form(exchange: Exchange, request: Request) -> Answer:
    """`POST /edis/bulkform`."""
    return _form(exchange, read(EdisBulkFormRequest, request.body).isin)


def _form(exchange: Exchange, isins: tuple[str, ...]) -> Answer:
    shown = html.escape(", ".join(isins))
    page = f"<html><body><form name='frmDIS'><p>Paper exchange: {shown} may be sold.</p></form></body></html>"
    return found(EdisForm(dhan_client_id=exchange.client_id, edis_form_html=page))


async def edis_status(exchange: Exchange, request: Request) -> Answer:
    """`GET /edis/inquire/{isin}`: whatever is held may be sold."""
    isin = request.parameters["isin"]
    if not _ISIN.fullmatch(isin):
        raise invalid("isin: twelve capital letters and digits, or ALL, are wanted, found something else")
    held = 0
    for holding in await exchange.account("holdings"):
        listing = exchange.listed.listings.find(holding.instrument)
        held += holding.quantity if isin == "ALL" or (listing is not None and listing.isin == isin) else 0
    return found(
        EdisStatus(
            client_id=exchange.client_id,
            isin=isin,
            total_qty=held,
            aprvd_qty=held,
            status="SUCCESS",
            remarks="eDIS transaction done successfully",
        )
    )
