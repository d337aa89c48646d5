"""Candles: of days and minutes, and of options that have expired; a long range is asked for in parts.

The trap: a part in the middle of a range that has trades sometimes comes empty, with 200. So what is empty is asked
for a second time; and a part that cannot be had makes the whole a failure: a chart with a hole looks like one without.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any, Final, Literal

import msgspec

from .....domain.calendar import MINUTE_NS
from .....domain.dhan.market.charts import (
    EXPIRED_DAYS_MAX,
    INTRADAY_DAYS_MAX,
    Chart,
    ExpiredChart,
    ExpiredChartRequest,
    chunks,
    day_text,
    joined,
    joined_expired,
)
from .....domain.dhan.words import OptionType
from .....domain.dhan.writing import InvalidRequestError, body_of
from .....domain.instruments import Instrument
from .....domain.time import DAY_NS
from .....messages.history import ChartNotRead, ChartRead
from ....external import Call, Conversation, ExternalServiceResult, Pending, PendingResult
from ...bodies.dhan import endpoints
from ...bodies.dhan.charts import chart, chart_answer, chart_body, chart_call
from .calls import DhanCalls
from .reading import expired_chart
from .symbols import NameUnknownError

LOOKS: Final = 2
"""Requests, at most, for a part of a range that comes empty."""

DAILY_DAYS_MAX: Final = 3_650
"""Days of one request for daily candles: Dhan names no limit."""

RANGE_DAYS_MAX: Final = 36_500

Minutes = Literal[1, 5, 15, 25, 60]
RequiredData = Literal["open", "high", "low", "close", "iv", "volume", "strike", "oi", "spot"]
ALL_DATA: Final[tuple[RequiredData, ...]] = (
    *("open", "high", "low", "close"),
    *("iv", "volume", "strike", "oi", "spot"),
)


class Charts(DhanCalls):
    """Candles of the past."""

    def get_daily_candles(self, symbol: str, since: date, until: date, *, open_interest: bool = False) -> PendingResult:
        """Read candles of days, from `since` until before `until`: a `Chart`.

        Prices are adjusted backwards for splits: a chart of yesterday may differ tomorrow.
        """
        return self._chart(symbol, DAY_NS, since, until, DAILY_DAYS_MAX, open_interest=open_interest)

    def get_intraday_candles(
        self, symbol: str, minutes: Minutes, since: date, until: date, *, open_interest: bool = False
    ) -> PendingResult:
        """Read candles of minutes, from `since` until before `until`, 90 days a request: a `Chart`."""
        return self._chart(symbol, minutes * MINUTE_NS, since, until, INTRADAY_DAYS_MAX, open_interest=open_interest)

    def read_chart(
        self, instrument: Instrument, interval_ns: int, since: date, until: date
    ) -> Pending[ChartRead | ChartNotRead]:
        """Read candles from one day until before another, by one request of at most 90 days of minutes.

        Raises:
            InvalidRequestError: Dhan has no such candles.
        """
        call = chart_call(self.base_url, instrument, interval_ns, since, until)
        return self.make(call).then(self._chart_told)

    def _chart_told(self, result: ExternalServiceResult) -> ChartRead | ChartNotRead:
        answer = chart_answer(result)
        if isinstance(answer, ChartRead):
            return answer
        return msgspec.structs.replace(answer, reason=self._without_token(answer.reason))

    def get_expired_options(  # noqa: PLR0913  each is a part of what is asked
        self,
        underlying: str,
        since: date,
        until: date,
        *,
        option_type: OptionType,
        strike: str = "ATM",
        minutes: Minutes = 1,
        expiry: Literal["WEEK", "MONTH"] = "MONTH",
        expiry_code: int = 1,
        data: Sequence[RequiredData] = ALL_DATA,
    ) -> PendingResult:
        """Read candles of options that have expired, from `since` until before `until`: an `ExpiredChart`.

        Args:
            underlying: its symbol.
            since: day of the first candle.
            until: day after the last.
            option_type: CALL or PUT.
            strike: `ATM`, or steps away from it: `ATM+2`.
            minutes: of a candle.
            expiry: of which rhythm.
            expiry_code: 1 is the nearest.
            data: what is wanted.
        """

        def ask(instrument: Instrument, first: date, end: date) -> Call:
            request = ExpiredChartRequest(
                exchange_segment="BSE_FNO" if instrument.symbol.startswith("BSE:") else "NSE_FNO",
                interval=str(minutes),  # type: ignore[arg-type]  # checked when it is written
                security_id=int(instrument.security_id),
                instrument="OPTIDX" if instrument.instrument_type == "INDEX" else "OPTSTK",
                expiry_flag=expiry,
                expiry_code=expiry_code,
                strike=strike,
                drv_option_type=option_type,
                required_data=tuple(data),
                from_date=day_text(first),
                to_date=day_text(end),
            )
            return self._call(endpoints.EXPIRED_CHART, expired_chart, body=body_of(request))

        calls = self._calls(underlying, since, until, EXPIRED_DAYS_MAX, ask)
        if isinstance(calls, str):
            return self._known(ExternalServiceResult(success=False, error=calls))
        return self.converse(self._in_parts(calls, _is_empty_expired, joined_expired))

    def _chart(  # noqa: PLR0913  each is a part of what is asked
        self, symbol: str, interval_ns: int, since: date, until: date, days_max: int, *, open_interest: bool
    ) -> PendingResult:
        def ask(instrument: Instrument, first: date, end: date) -> Call:
            route, body = chart_body(instrument, interval_ns, first, end, open_interest=open_interest)
            return self._call(route, chart, body=body)

        calls = self._calls(symbol, since, until, days_max, ask)
        if isinstance(calls, str):
            return self._known(ExternalServiceResult(success=False, error=calls))
        return self.converse(self._in_parts(calls, _is_empty, joined))

    def _calls(
        self,
        symbol: str,
        since: date,
        until: date,
        days_max: int,
        ask: Callable[[Instrument, date, date], Call],
    ) -> list[Call] | str:
        """Return a call for each part of a range, or why there is none."""
        if not 0 < (until - since).days <= RANGE_DAYS_MAX:
            return f"until: a day after {since}, {RANGE_DAYS_MAX} days at most, wanted, found {until}"
        try:
            instrument = self._symbols.find(symbol)
            return [ask(instrument, first, end) for first, end in chunks(since, until, days_max)]
        except (NameUnknownError, InvalidRequestError, ValueError) as fault:
            return str(fault)

    def _in_parts(
        self,
        calls: Sequence[Call],
        is_empty: Callable[[Any], bool],
        join: Callable[[Iterable[Any]], Any],
    ) -> Conversation:
        found = []
        for call in calls:
            for _ in range(LOOKS):
                result = self._told((yield call))
                if not result.success:
                    return result
                if not is_empty(result.data):
                    break
            found.append(result.data)
        return msgspec.structs.replace(result, data=join(found))


def _is_empty(found: Chart) -> bool:
    return not found.timestamp


def _is_empty_expired(found: ExpiredChart) -> bool:
    return not any(side is not None and side.timestamp for side in (found.data.ce, found.data.pe))
