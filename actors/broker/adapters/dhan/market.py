"""Quotes and options. They are asked for by our symbols, and told by them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import msgspec

from .....domain.dhan.decoding import row_reader
from .....domain.dhan.market.charts import day_text
from .....domain.dhan.market.option_chain import Expiries, ExpiriesRequest, OptionChainRequest
from .....domain.dhan.market.quotes import LastPrices, OhlcQuotes, Quotes, quotes_requests
from .....domain.instruments import Instrument
from ....external import Conversation, ExternalServiceResult, PendingResult
from ...bodies.dhan import endpoints
from ...bodies.dhan.endpoints import Route
from .calls import DhanCalls
from .reading import option_chain
from .symbols import NameUnknownError


class Market(DhanCalls):
    """Quotes and options as they are now: an option chain is at most 3 s old, days of expiry a minute."""

    def get_last_prices(self, symbols: Sequence[str]) -> PendingResult:
        """Read last prices: a dictionary of `LastPrice` by symbol. A symbol that Dhan does not know is left out."""
        return self._quotes(endpoints.LAST_PRICES, row_reader(LastPrices), symbols)

    def get_ohlc(self, symbols: Sequence[str]) -> PendingResult:
        """Read open, high, low and close of the day: a dictionary of `OhlcQuote` by symbol."""
        return self._quotes(endpoints.OHLC_QUOTES, row_reader(OhlcQuotes), symbols)

    def get_quotes(self, symbols: Sequence[str]) -> PendingResult:
        """Read quotes with five prices of the book: a dictionary of `Quote` by symbol."""
        return self._quotes(endpoints.QUOTES, row_reader(Quotes), symbols)

    def get_option_chain(self, underlying: str, expiry: date) -> PendingResult:
        """Read the options on an underlying of one expiry: `OptionChain`. Dhan answers the same once in 3 seconds."""
        return self._of_underlying(
            endpoints.OPTION_CHAIN,
            option_chain,
            underlying,
            lambda number, segment: OptionChainRequest(
                underlying_scrip=number, underlying_seg=segment, expiry=day_text(expiry)
            ),
            key=expiry.isoformat(),
        )

    def get_expiries(self, underlying: str) -> PendingResult:
        """Read on which days options on an underlying expire: `Expiries`."""
        return self._of_underlying(
            endpoints.EXPIRIES,
            row_reader(Expiries),
            underlying,
            lambda number, segment: ExpiriesRequest(underlying_scrip=number, underlying_seg=segment),
            key="expiries",
        )

    def _of_underlying(
        self,
        route: Route,
        read: Callable[[bytes], Any],
        underlying: str,
        make: Callable[[int, Any], msgspec.Struct],
        *,
        key: str,
    ) -> PendingResult:
        try:
            instrument = self._symbols.find(underlying)
            request = make(int(instrument.security_id), instrument.segment)
        except (NameUnknownError, ValueError) as fault:
            return self._known(ExternalServiceResult(success=False, error=str(fault)))
        key = f"{instrument.segment}:{instrument.security_id} {key}"
        return self._read(route, read, request=request, key=key)

    def _quotes(self, route: Route, read: Callable[[bytes], Any], symbols: Sequence[str]) -> PendingResult:
        if isinstance(symbols, str) or not symbols:
            return self._known(ExternalServiceResult(success=False, error="symbols: one at least wanted, in a list"))
        try:
            found = {symbol: self._symbols.find(symbol) for symbol in symbols}
            numbers = {(each.segment, str(int(each.security_id))): symbol for symbol, each in found.items()}
        except (NameUnknownError, ValueError) as fault:
            return self._known(ExternalServiceResult(success=False, error=str(fault)))
        return self.converse(self._quoting(route, read, [*found.values()], numbers))

    def _quoting(
        self,
        route: Route,
        read: Callable[[bytes], Any],
        instruments: list[Instrument],
        numbers: dict[tuple[Any, str], str],
    ) -> Conversation:
        """Request as many at once as Dhan answers, and return each by its symbol."""
        told: dict[str, Any] = {}
        for body in quotes_requests((each.segment, each.security_id) for each in instruments):
            result = self._told((yield self._call(route, read, body=body)))
            if not result.success:
                return result
            for segment, quotes in result.data.data.items():
                for number, quote in quotes.items():
                    if (symbol := numbers.get((segment, number))) is not None:
                        told[symbol] = quote
        return msgspec.structs.replace(result, data=told)
