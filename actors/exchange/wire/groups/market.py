"""Quotes, charts and option chains, of what the market has shown."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final

import msgspec

from .....domain.calendar import MINUTE_NS
from .....domain.dhan.market.charts import (
    INTRADAY_DAYS_MAX,
    DailyChartRequest,
    ExpiredChartRequest,
    IntradayChartRequest,
)
from .....domain.dhan.market.option_chain import ExpiriesRequest, OptionChainRequest
from .....domain.dhan.market.quotes import INSTRUMENTS_MAX
from .....domain.dhan.moments import time_ns
from .....domain.dhan.writing import written
from .....domain.time import date_of, day_start_ns, number_of_day
from ..answers import Answer, WireRefusal, data_error, found, invalid
from ..reading import converted, object_of, read
from .portfolio import day_wanted

if TYPE_CHECKING:
    from .....domain.dhan.market.charts import Chart
    from .....messages.exchange import Instrument
    from ..request import Exchange, Request

SEGMENTS: Final = frozenset(
    {"IDX_I", "NSE_EQ", "NSE_FNO", "NSE_CURRENCY", "BSE_EQ", "MCX_COMM", "BSE_CURRENCY", "BSE_FNO", "NSE_COMM"}
)
EXPIRED_DAYS_MAX: Final = 45
ID_MAX: Final = (1 << 31) - 1
_COLUMNS: Final = ("open", "high", "low", "close", "volume", "timestamp")
_SIDE: Final = ("iv", "oi", "strike", "spot", *_COLUMNS)


async def last_prices(exchange: Exchange, request: Request) -> Answer:
    """`POST /marketfeed/ltp`."""
    return _shown(await exchange.market("last_prices", _wanted(request)))


async def ohlc(exchange: Exchange, request: Request) -> Answer:
    """`POST /marketfeed/ohlc`."""
    return _shown(await exchange.market("ohlc", _wanted(request)))


async def quotes(exchange: Exchange, request: Request) -> Answer:
    """`POST /marketfeed/quote`."""
    return _shown(await exchange.market("quotes", _wanted(request)))


def _shown(data: Any) -> Answer:
    return found({"data": data, "status": "success"})


def _wanted(request: Request) -> dict[str, tuple[int, ...]]:
    """Read segments and ids; a segment that is not known is dropped without a word."""
    wanted: dict[str, tuple[int, ...]] = {}
    for segment, numbers in object_of(request.body).items():
        if segment not in SEGMENTS:
            continue
        if not isinstance(numbers, list):
            raise WireRefusal(data_error(400, "813", "Invalid SecurityId"))
        wanted[segment] = tuple(map(_number, numbers))
    if sum(map(len, wanted.values())) > INSTRUMENTS_MAX:
        raise WireRefusal(data_error(400, "804", "Requested number of instruments exceeds limit"))
    return wanted


def _number(found: Any) -> int:
    if isinstance(found, str) and found.isascii() and found.isdecimal() and len(found) <= 10:  # noqa: PLR2004  digits
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int) or not 0 <= found <= ID_MAX:
        raise WireRefusal(data_error(400, "813", "Invalid SecurityId"))
    return found


async def daily_chart(exchange: Exchange, request: Request) -> Answer:
    """`POST /charts/historical`: the last day is not in it."""
    wanted = read(DailyChartRequest, request.body)
    since, until = day_wanted("fromDate", wanted.from_date), day_wanted("toDate", wanted.to_date)
    _expect_order(since, until)
    key = wanted.exchange_segment, wanted.security_id
    return _chart(
        await exchange.market("daily", key, day_start_ns(number_of_day(since)), day_start_ns(number_of_day(until))),
        oi=wanted.oi,
    )


async def intraday_chart(exchange: Exchange, request: Request) -> Answer:
    """`POST /charts/intraday`: a bare day as the end is in it."""
    wanted = read(IntradayChartRequest, request.body)
    since_ns, since_day = _moment_ns("fromDate", wanted.from_date)
    until_ns, until_day = _moment_ns("toDate", wanted.to_date, at_end=True)
    _expect_order(since_day, until_day)
    if (until_day - since_day).days > INTRADAY_DAYS_MAX:
        raise invalid(f"Intraday data of up to {INTRADAY_DAYS_MAX} days at a time is available")
    key = wanted.exchange_segment, wanted.security_id
    chart = await exchange.market("chart", key, int(wanted.interval) * MINUTE_NS, since_ns, until_ns)
    return _chart(chart, oi=wanted.oi)


async def expired_options(_exchange: Exchange, request: Request) -> Answer:
    """`POST /charts/rollingoption`: of an expired option nothing was shown here, so its arrays are empty."""
    wanted = read(ExpiredChartRequest, request.body)
    since, until = day_wanted("fromDate", wanted.from_date), day_wanted("toDate", wanted.to_date)
    _expect_order(since, until)
    if (until - since).days > EXPIRED_DAYS_MAX:
        raise invalid(f"Data of up to {EXPIRED_DAYS_MAX} days at a time is available")
    side = {name: [] for name in _SIDE}  # type: ignore[var-annotated]
    is_call = wanted.drv_option_type == "CALL"
    return found({"data": {"ce": side if is_call else None, "pe": None if is_call else side}})


async def option_chain(exchange: Exchange, request: Request) -> Answer:
    """`POST /optionchain`."""
    wanted = _option_request(OptionChainRequest, request)
    try:
        expiry = date.fromisoformat(wanted.expiry)
    except ValueError:
        raise WireRefusal(data_error(400, "812", "Invalid Date Format")) from None
    key = wanted.underlying_seg, str(wanted.underlying_scrip)
    if expiry not in await _expiries(exchange, key):
        raise WireRefusal(data_error(400, "811", "Invalid Expiry Date"))
    last_price, chain = await exchange.market("chain", key, expiry)
    strikes = {}
    for strike, both in written(chain).items():
        for side in both.values():
            if side is not None and side["security_id"].isdecimal():
                side["security_id"] = int(side["security_id"])
        strikes[strike] = both
    return found({"data": {"last_price": last_price, "oc": strikes}, "status": "success"})


async def expiries(exchange: Exchange, request: Request) -> Answer:
    """`POST /optionchain/expirylist`."""
    wanted = _option_request(ExpiriesRequest, request)
    days = await _expiries(exchange, (wanted.underlying_seg, str(wanted.underlying_scrip)))
    return found({"data": days, "status": "success"})


async def _expiries(exchange: Exchange, underlying: Instrument) -> list[date]:
    """Return the days that have not passed on which options of an underlying expire."""
    today = date_of(exchange.now_ns())
    return [day for day in await exchange.market("expiries", underlying) if day >= today]


def _option_request(kind: type[Any], request: Request) -> Any:
    try:
        return converted(kind, object_of(request.body))
    except WireRefusal:
        raise WireRefusal(data_error(400, "814", "Invalid Request")) from None


def chain_key(body: bytes) -> str:
    """Return what a request for a chain is about: underlying and expiry."""
    try:
        values = msgspec.json.decode(body)
        return "/".join(str(values.get(name))[:32] for name in ("UnderlyingSeg", "UnderlyingScrip", "Expiry"))
    except (msgspec.DecodeError, AttributeError, UnicodeDecodeError, RecursionError, ValueError):
        return "unreadable"


def _chart(chart: Chart, *, oi: bool) -> Answer:
    """Write a chart: every number is a float."""
    told = {name: [float(value) for value in getattr(chart, name)] for name in _COLUMNS}
    if oi:
        told["open_interest"] = [0.0] * len(chart.timestamp)
    return found(told)


def _moment_ns(name: str, text: str, *, at_end: bool = False) -> tuple[int, date]:
    """Return the time, and the day that a text says; at the end a bare day is meant with all of it."""
    if len(text) == len("2026-10-07"):
        day = day_wanted(name, text)
        return day_start_ns(number_of_day(day) + at_end), day
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise invalid(f"{name}: a time such as 2026-10-07 09:15:00 is wanted, found something else") from None
    found_ns = time_ns(moment)
    assert found_ns is not None, "a time is not nothing"
    return found_ns, moment.date()


def _expect_order(since: date, until: date) -> None:
    if until < since:
        raise invalid("toDate: a day not before fromDate is wanted, found an earlier one")
