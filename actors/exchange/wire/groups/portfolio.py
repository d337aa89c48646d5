"""What is held, money, margins, and statements of past days."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import msgspec

from .....domain.dhan.account.funds import MarginLeg, MarginRequest, MultiMargin, MultiMarginRequest
from .....domain.dhan.account.portfolio import ConvertPositionRequest, ExitAllAck
from .....domain.dhan.account.statements import LedgerRow
from .....domain.dhan.writing import written
from .....domain.time import day_of_number, day_start_ns, number_of_day
from ...account import Conversion, MarginTicket, MarginTogether
from ..answers import Answer, found, invalid, trading_error
from ..reading import converted, object_of, read
from .orders import product_of
from .rows import funds_row, holding_row, ledger_row, margin_row, past_trade_row, position_row

if TYPE_CHECKING:
    from ...account import Margin
    from ..request import Exchange, Request

PAGE_TRADES: Final = 20
"""Trades on a page of the history."""


async def holdings(exchange: Exchange, _request: Request) -> Answer:
    """`GET /holdings`: an error where nothing is held."""
    rows = [holding_row(each, exchange.listed.listings) for each in await exchange.account("holdings")]
    return found(rows) if rows else trading_error(500, "DH-1111", "No holdings available")


async def positions(exchange: Exchange, _request: Request) -> Answer:
    """`GET /positions`."""
    rows = await exchange.account("positions")
    return found([position_row(each, exchange.client_id, exchange.listed.listings) for each in rows])


async def exit_all(exchange: Exchange, _request: Request) -> Answer:
    """`DELETE /positions`."""
    await exchange.account("exit_all")
    return found(ExitAllAck(status="SUCCESS", message="All orders and positions exited successfully"))


async def convert(exchange: Exchange, request: Request) -> Answer:
    """`POST /positions/convert`: 202, and nothing."""
    change = read(ConvertPositionRequest, request.body)
    conversion = Conversion(
        instrument=(change.exchange_segment, change.security_id),
        source=product_of(change.from_product_type),
        target=product_of(change.to_product_type),
        is_long=change.position_type == "LONG",
        quantity=change.convert_qty,
    )
    await exchange.account("convert_position", conversion)
    return Answer(202)


async def funds(exchange: Exchange, _request: Request) -> Answer:
    """`GET /fundlimit`."""
    return found(funds_row(await exchange.account("funds"), exchange.client_id))


async def margin(exchange: Exchange, request: Request) -> Answer:
    """`POST /margincalculator`."""
    (needed,) = await exchange.account("margin_of", _margin_ticket(read(MarginRequest, request.body)))
    return found(margin_row(needed))


async def margins(exchange: Exchange, request: Request) -> Answer:
    """`POST /margincalculator/multi`; one document names two of the fields otherwise."""
    values = object_of(request.body)
    values = {"scripList": values.get("scripts"), "includeOrder": values.get("includeOrders")} | values
    wanted = converted(MultiMarginRequest, values)
    asked = MarginTogether(
        tickets=tuple(map(_margin_ticket, wanted.scrip_list)),
        with_positions=wanted.include_position,
        with_orders=wanted.include_order,
    )
    needed: Margin = await exchange.account("margin_together", asked)
    cash = all(map(_is_cash, wanted.scrip_list))
    total = float(needed.total_rupees)
    return found(
        MultiMargin(
            client_id=exchange.client_id,
            total_margin=total,
            span_margin=float(needed.span_rupees),
            exposure=float(needed.exposure_rupees),
            equity_margin=total if cash else 0.0,
            fo_margin=0.0 if cash else total,
        )
    )


async def ledger(exchange: Exchange, request: Request) -> Answer:
    """`GET /ledger`: an array whose numbers are texts; without a movement the balances of before and after."""
    since_ns, until_ns = _range(request.query.get("from-date", ""), request.query.get("to-date", ""))
    vouchers = await exchange.account("ledger", since_ns, until_ns)
    rows = [ledger_row(voucher, exchange.client_id) for voucher in vouchers]
    if not rows:
        balance = sum(float(voucher.amount_rupees) for voucher in await exchange.account("ledger", 0, since_ns))
        rows = [
            LedgerRow(narration=text, voucherdate=day_of_number(0), runbal=balance, dhan_client_id=exchange.client_id)
            for text in ("CLOSING BALANCE", "OPENING BALANCE")
        ]
    texts = []
    for row in rows:
        text = written(row)
        text |= {name: f"{text[name]:.2f}" for name in ("debit", "credit", "runbal")}
        text["voucherdate"] = f"{row.voucherdate:%b %d, %Y}"
        texts.append(text)
    return Answer(200, msgspec.json.encode(texts))


async def past_trades(exchange: Exchange, request: Request) -> Answer:
    """`GET /trades/{from-date}/{to-date}/{page}`."""
    since_ns, until_ns = _range(request.parameters["since"], request.parameters["until"])
    page = request.parameters["page"]
    if not (page.isascii() and page.isdecimal() and len(page) <= 6):  # noqa: PLR2004  digits
        raise invalid("page: a number from 0 on is wanted, found something else")
    first = int(page) * PAGE_TRADES
    trades = await exchange.account("past_trades", since_ns, until_ns)
    rows = trades[first : first + PAGE_TRADES]
    return found([past_trade_row(trade, exchange.client_id, exchange.listed.listings) for trade in rows])


def _margin_ticket(leg: MarginLeg) -> MarginTicket:
    return MarginTicket(
        instrument=(leg.exchange_segment, leg.security_id),
        side=leg.transaction_type,
        product=leg.product_type,
        quantity=leg.quantity,
        price=leg.price,
        trigger_price=leg.trigger_price,
    )


def _is_cash(leg: MarginLeg) -> bool:
    return leg.exchange_segment in {"NSE_EQ", "BSE_EQ"}


def _range(since: str, until: str) -> tuple[int, int]:
    """Return the nanoseconds from the beginning of a day to the end of another, in India."""
    first, last = day_wanted("from-date", since), day_wanted("to-date", until)
    return day_start_ns(number_of_day(first)), day_start_ns(number_of_day(last) + 1)


def day_wanted(name: str, text: str) -> date:
    """Read a day.

    Raises:
        WireRefusal: it is none.
    """
    try:
        return date.fromisoformat(text[:10]) if len(text) == 10 else _no_day(name)  # noqa: PLR2004  yyyy-mm-dd
    except ValueError:
        return _no_day(name)


def _no_day(name: str) -> date:
    raise invalid(f"{name}: a day such as 2026-10-07 is wanted, found something else")
