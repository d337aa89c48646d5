"""Contracts that have expired (plain): what is held of them is closed in the book, at the price that settles them.

The exchange pays out, and no order tells of it; so each strategy's part is journaled as an order and its trade, as what
the broker squares off is, and no request leaves. It is done after the last session, as long as prices of that day are
known: on the next day the feed has none any more, and the database has what was recorded. What no price tells stays,
until a person says it. An order that is open still trades no more; a trade of it that is told late is closed as well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from zlib import crc32

from ....domain.booked import EXPIRED
from ....domain.calendar import MINUTE_NS
from ....domain.client_order_ids import base36, short_name
from ....domain.expiries import expired_ns, has_expired, last_day, settled_at
from ....domain.gone_positions import Gone, all_gone
from ....domain.instruments import is_contract, underlying_symbol
from ....domain.time import SECOND_NS, day_of, day_start_ns
from ....domain.wording import some
from ....messages.addresses import DATABASE, FEED
from ....messages.database import HistoryRead, ReadHistory
from ....messages.market import FeedStatistics
from ....messages.orders import OrderFilled
from ....messages.system import Ping, Pong
from ..book.listing import prices_of
from .due import ExpiryDue
from .squared_off import closed_there

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ...runtime import Outcome, Timer
    from ..rules import MarketPrice
    from .context import OrdersContext

REPORTED_NS: Final = 60 * SECOND_NS
"""After the end of the last session: until then its last trades are reported, and its orders end."""

SIMULATED_NS: Final = 1
"""The same in a simulated market, which may end there."""

AGAIN_S: Final = 60.0
"""Seconds until the next look, where feed or database do not answer or the journal refuses; and from one look at the
clock to the next, at most: a machine may sleep over the end of a session."""

FEED_TIMEOUT_S: Final = 5.0


class Expiring:
    """Waits for the next contract that expires."""

    def __init__(self, context: OrdersContext) -> None:
        """Wait for none."""
        self._context: Final = context
        self._behind_ns: Final = SIMULATED_NS if context.market_rules else REPORTED_NS
        self._timer: Timer | None = None
        self._due_ns = 0
        self._unpriced: set[str] = set()

    def begin(self) -> None:
        """Wait for what is held, by the book as it was read back."""
        self._wait(self._held())

    def note(self, facts: Sequence[object]) -> None:
        """Wait for what has been traded."""
        for fact in facts:
            if type(fact) is OrderFilled and is_contract(fact.symbol):
                self._wait((fact.symbol,))

    def not_written(self, facts: Sequence[object]) -> None:
        """Look again in a while, where the journal has refused what was to be closed."""
        if any(isinstance(fact, OrderFilled) and fact.trade_id == EXPIRED for fact in facts):
            self._look_again()

    def look(self) -> None:
        """Close what has expired, and wait for the next one."""
        self._timer = None
        now_ns, held = self._context.now_ns(), self._held()
        expired = tuple(each for each in held if has_expired(each, now_ns - self._behind_ns))
        self._wait(each for each in held if each not in expired)
        self._unpriced.intersection_update(expired)  # a clock that was ahead has them expire twice
        if self._unpriced and not self._context.market_rules:
            self._look_again()
        unsettled = tuple(each for each in expired if each not in self._unpriced)
        if unsettled:
            self._context.ask(
                FEED, Ping(), timeout_s=FEED_TIMEOUT_S, then=lambda outcome: self._settle(unsettled, outcome)
            )

    def warning(self) -> str:
        """Say what has expired and cannot be settled; empty: nothing."""
        named = sorted(self._unpriced)
        return f"expired, and no price of the close is known: {some(named)}" if named else ""

    def _held(self) -> tuple[str, ...]:
        shares = self._context.ledger.book.shares_by_strategy()
        return tuple(sorted({symbol for (_, symbol), held in shares.items() if held and expired_ns(symbol)}))

    def _wait(self, symbols: Iterable[str]) -> None:
        ends_ns = [end_ns for symbol in symbols if (end_ns := expired_ns(symbol)) is not None]
        if ends_ns:
            self._look_at(min(ends_ns) + self._behind_ns)

    def _look_again(self) -> None:
        self._look_at(self._context.now_ns() + round(AGAIN_S * SECOND_NS))

    def _look_at(self, due_ns: int) -> None:
        """Look again at a time, if not before."""
        if self._timer is not None:
            if self._due_ns <= due_ns:
                return
            self._timer.cancel()
        context, self._due_ns = self._context, due_ns
        wait_s = max((due_ns - context.now_ns()) / SECOND_NS, 0.0)
        self._timer = context.after(wait_s if context.market_rules else min(wait_s, AGAIN_S), ExpiryDue())

    def _settle(self, expired: tuple[str, ...], outcome: Outcome) -> None:
        context = self._context
        told = outcome.value.statistics if isinstance(outcome.value, Pong) else None
        if not isinstance(told, FeedStatistics):
            self._look_again()
            return
        prices: dict[str, MarketPrice] = prices_of(told) | (context.market or {})
        for symbol in expired:
            if self._close_all(symbol, prices):
                continue
            if context.market_rules:
                self._leave(symbol)
            else:
                self._ask_database(symbol)

    def _ask_database(self, symbol: str) -> None:
        """Look for recorded prices of the last day: a system that ran until the close, and begins again later."""
        day = last_day(symbol)
        assert day is not None, "it has expired"
        request = ReadHistory(
            symbols=tuple(filter(None, (symbol, underlying_symbol(symbol)))),
            interval_ns=MINUTE_NS,
            bars=1,
            until_ns=day_start_ns(day + 1),
        )

        def settle(outcome: Outcome) -> None:
            if not isinstance(outcome.value, HistoryRead):
                self._look_again()
                return
            candles = outcome.value.candles
            recorded = {each.symbol: (each.close, each.start_ns + each.interval_ns - 1) for each in candles}
            if not self._close_all(symbol, recorded):
                self._leave(symbol)

        self._context.ask(DATABASE, request, timeout_s=request.timeout_s, then=settle)

    def _leave(self, symbol: str) -> None:
        """Leave to a person what no price tells; a look at the clock stays due."""
        self._unpriced.add(symbol)
        if not self._context.market_rules:
            self._look_again()
        self._context.log("position.expired_unpriced", level="warning", symbol=symbol)

    def _close_all(self, symbol: str, prices: Mapping[str, MarketPrice]) -> bool:
        """Close what is held of a contract; False: its price is not among these."""
        price = settled_at(symbol, last_day(symbol), prices.get)
        if price is None:
            return False
        gone = all_gone(
            self._context.ledger.book.holders(symbol, self._context.settings.product), symbol=symbol, theirs=0
        )
        for each in gone if isinstance(gone, tuple) else ():
            self._close(each, symbol, price)
        return True

    def _close(self, gone: Gone, symbol: str, price: float) -> None:
        """Have a strategy's part journaled as closed; a trade that came late, behind it, is closed by another order."""
        context, now_ns = self._context, self._context.now_ns()
        number = 0
        while context.ledger.earlier(client_order_id := expired_id(gone, symbol, now_ns, number)) is not None:
            number += 1
        if context.ledger.is_waiting(client_order_id):
            return
        context.log("position.expired", client_order_id=client_order_id, symbol=symbol, shares=gone.shares, price=price)
        context.write(closed_there(client_order_id, gone, symbol, price, EXPIRED, now_ns))


def expired_id(of: Gone, symbol: str, now_ns: int, number: int) -> str:
    """Return the client order id under which a part is closed on a day, by strategy, product, symbol and number."""
    checksum = base36(crc32(f"{symbol} {of.product} {number}".encode()) % 36**6 + 1)
    return f"{short_name(of.strategy)}-ex{base36(day_of(now_ns))}-{checksum}"
