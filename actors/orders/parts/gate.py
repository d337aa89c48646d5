"""The risk gate with all that its rules consider (plain): the limits, the book, the market, and the risk state."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import msgspec

from ..rules import Band, Bands, Funds, Refusal, Situation, judge, rules_of

if TYPE_CHECKING:
    from ....messages.orders import SubmitOrder
    from ....messages.risk import BandsTold, FundsTold
    from ..settings import OrdersActorSettings
    from .context import OrdersContext
    from .risk_keeping import RiskKeeper

SYMBOLS_MAX: Final = 10_000
"""Symbols whose limits are kept ready."""


class Gate:
    """Decides on each order."""

    def __init__(self, context: OrdersContext, risk: RiskKeeper) -> None:
        """Turn on the rules that have a limit."""
        self._context: Final = context
        self._risk: Final = risk
        self._rules = rules_of(context.settings)
        self._limits: dict[str, OrdersActorSettings] = {}
        self._moment_ns = 0
        self._at_this_moment: Counter[str] = Counter()

    def renew(self) -> None:
        """Judge by the limits that are in force now."""
        self._rules = rules_of(self._context.settings)
        self._limits.clear()

    def refusal_of(self, order: SubmitOrder, now_ns: int, *, closes: bool) -> Refusal | None:
        """Say why an order does not pass; None if it does.

        Args:
            order: a new one.
            now_ns: market time, since 1970-01-01 UTC.
            closes: it is of the flattener.
        """
        situation = self.situation(order.strategy, order.symbol, now_ns)
        situation.at_this_moment = self._count_at(now_ns, order.strategy)
        situation.closes = closes
        return judge(order, situation, self._rules)

    def situation(self, strategy: str, symbol: str, now_ns: int) -> Situation:
        """Return what the gate considers besides an order of this strategy."""
        context, settings = self._context, self._context.settings
        return Situation(
            risk_state=self._risk.state,
            limits=self._limits_of(symbol),
            book=context.ledger.book,
            intents=context.ledger.intents,
            reserved=context.ledger.reserved,
            now_ns=now_ns,
            strategy_position_max=settings.strategy_position_max.get(strategy),
            strategy_orders_in_flight_max=settings.strategy_orders_in_flight_max.get(strategy),
            market=context.market,
            funds=context.funds,
            clock=context.clock,
            product=settings.product,
            theirs=context.theirs,
            bands=context.bands,
            freeze_quantities=context.freeze_quantities,
        )

    def band(self, told: BandsTold) -> None:
        """Note the price bands; one that is not told again keeps its age."""
        context = self._context
        told_now = {each.symbol: Band(low=each.low, high=each.high, as_of_ns=told.as_of_ns) for each in told.bands}
        if told.problem and told.problem != context.bands.problem:
            context.log("bands.not_told", level="warning", reason=told.problem)
        context.bands = Bands(of={**context.bands.of, **told_now}, problem=told.problem)

    def fund(self, told: FundsTold) -> None:
        """Note the funds at the broker. An order that was sent after they were asked for may not be in them."""
        book = self._context.ledger.book
        situation = msgspec.structs.replace(self.situation("", "", told.as_of_ns), intents={}, reserved={})
        since = book.today(told.as_of_ns).shares_since(told.as_of_ns)
        self._context.funds = Funds(
            available_rupees=told.available_rupees,
            as_of_ns=told.as_of_ns,
            covered={
                symbol: (long - since[symbol, "BUY"], short - since[symbol, "SELL"])
                for symbol, (long, short) in situation.most_shares().items()
            },
        )

    def _limits_of(self, symbol: str) -> OrdersActorSettings:
        """Return the limits of an instrument, which may have some of its own."""
        settings = self._context.settings
        if not settings.instruments:
            return settings
        found = self._limits.get(symbol)
        if found is None:
            if len(self._limits) >= SYMBOLS_MAX:
                self._limits.clear()
            found = self._limits[symbol] = settings.of_symbol(symbol)
        return found

    def _count_at(self, now_ns: int, strategy: str) -> int:
        """Count one more order of this strategy at this time; only in a simulated market can it be more than one."""
        if now_ns != self._moment_ns:
            self._moment_ns = now_ns
            self._at_this_moment.clear()
        self._at_this_moment[strategy] += 1
        return self._at_this_moment[strategy]
