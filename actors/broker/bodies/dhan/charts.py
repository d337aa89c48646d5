"""Candles of Dhan's charts: one request, and what came of it. Pure; for the adapter, and for a system's history."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Final

import msgspec

from .....domain.dhan.decoding import row_reader
from .....domain.dhan.market.charts import Chart, DailyChartRequest, IntradayChartRequest, day_text
from .....domain.dhan.tolerant import MalformedAnswerError
from .....domain.dhan.writing import body_of
from .....domain.time import DAY_NS, SECOND_NS
from .....messages.history import ChartNotRead, ChartRead, NoChart
from . import endpoints
from .replies import reply_of

if TYPE_CHECKING:
    from .....domain.dhan.refusals import Meaning
    from .....domain.instruments import Instrument
    from ....external import Call, ExternalServiceResult
    from .replies import Reply

CHART_WAIT_S: Final = 60.0
"""Seconds that a request for candles may take, with its retries and its wait for the rate limits."""

_MINUTE_S: Final = 60
_TOO_EARLY: Final = "unable to fetch data"
"""Dhan's words for a time before the first day of an instrument."""

_MEANINGS: Final[dict[Meaning, NoChart]] = {
    "token": "token",
    "address": "token",
    "throttled": "later",
    "broken": "unreachable",
}


def chart(body: bytes) -> Chart:
    """Read candles."""
    found: Chart = row_reader(Chart)(body)
    if fault := found.fault():
        raise MalformedAnswerError(f"Chart: {fault}")
    return found


def chart_body(
    instrument: Instrument, interval_ns: int, since: date, until: date, *, open_interest: bool = False
) -> tuple[endpoints.Route, bytes]:
    """Return what asks for candles from one day until before another, and where.

    Raises:
        InvalidRequestError: Dhan has no such candles.
    """
    if interval_ns >= DAY_NS:
        daily = DailyChartRequest(
            security_id=instrument.security_id,
            exchange_segment=instrument.segment,
            instrument=instrument.instrument_type,  # type: ignore[arg-type]  # checked when it is written
            from_date=day_text(since),
            to_date=day_text(until),
            oi=open_interest,
        )
        return endpoints.DAILY_CHART, body_of(daily)
    minutes = IntradayChartRequest(
        security_id=instrument.security_id,
        exchange_segment=instrument.segment,
        instrument=instrument.instrument_type,  # type: ignore[arg-type]  # checked when it is written
        interval=str(interval_ns // (_MINUTE_S * SECOND_NS)),  # type: ignore[arg-type]  # checked when it is written
        from_date=day_text(since),
        to_date=day_text(until - timedelta(days=1)),  # the last day is included in a request for days
        oi=open_interest,
        expiry_code=msgspec.UNSET if instrument.expiry is None else 0,
    )
    return endpoints.INTRADAY_CHART, body_of(minutes)


def chart_call(base_url: str, instrument: Instrument, interval_ns: int, since: date, until: date) -> Call:
    """Return the one request for candles from one day until before another.

    Raises:
        InvalidRequestError: Dhan has no such candles.
    """
    route, body = chart_body(instrument, interval_ns, since, until)
    url = endpoints.base_url_of(base_url or endpoints.LIVE_URL)
    return route.call(url, deadline_s=CHART_WAIT_S, body=body, reads=chart)


def chart_answer(result: ExternalServiceResult) -> ChartRead | ChartNotRead:
    """Tell what came of a request for candles."""
    requests = max(result.attempts, int(result.sent != "no"))
    if result.success:
        return _told(result.data, requests)
    reply = reply_of(result, lambda data: data)
    return ChartNotRead(why=_why(result, reply), reason=reply.reason, requests=requests)


def _told(found: Chart, requests: int) -> ChartRead:
    return ChartRead(
        starts_s=found.timestamp,
        opens=found.open,
        highs=found.high,
        lows=found.low,
        closes=found.close,
        volumes=found.volume,
        requests=requests,
    )


def _why(result: ExternalServiceResult, reply: Reply) -> NoChart:
    if reply.outcome == "refused":
        if _TOO_EARLY in reply.text.lower():
            return "nothing"
        return _MEANINGS.get(reply.meaning, "refused") if reply.meaning else "refused"
    if "TokenDeadError" in reply.reason:
        return "token"
    if reply.outcome == "not_sent" and result.retry_after_s is not None:
        return "later"
    if result.status_code is not None and result.status_code < 300:  # noqa: PLR2004  an answer that cannot be read
        return "refused"
    return "unreachable"
