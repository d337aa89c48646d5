"""Answers to questions (plain): what a strategy holds, how much of each limit is used, orders and positions.

None is given before the book is complete: it would say that nothing is open, and who waits for that would go on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....domain.client_order_ids import DRAWS
from ....domain.time import SECOND_NS
from ....messages.addresses import FEED
from ....messages.market import FeedStatistics
from ....messages.risk import RiskRead
from ....messages.system import Ping, Pong
from ..book.listing import listed, positions, prices_of
from ..rules import Situation, figures_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ....messages.order_listing import PositionsRead, ReadOrders, ReadPositions
    from ...runtime import ActorAddress, Outcome
    from ..rules import MarketPrice
    from .context import OrdersContext
    from .operator_watch import OperatorWatch
    from .risk_keeping import RiskKeeper

FEED_TIMEOUT_S: Final = 0.5
"""Seconds that the feed may take to tell its newest prices; without them positions are told all the same."""


class Answering:
    """Answers from the book of record; before it is complete a request for holdings waits, all others are put off."""

    def __init__(self, context: OrdersContext, risk: RiskKeeper, operator: OperatorWatch) -> None:
        """Begin with no pending request."""
        self._context: Final = context
        self._risk: Final = risk
        self._operator: Final = operator
        self._holders: dict[str, ActorAddress] = {}

    def tell_holdings(self, strategy: str, sender: ActorAddress) -> None:
        """Answer what a strategy holds, once the journal is read back; of repeated requests the last is answered."""
        context = self._context
        if context.is_read:
            life, sequence = (
                context.read_back.next_life(draw=context.random.randrange(DRAWS)),
                context.read_back.newest_sequence,
            )
            context.send(sender, context.ledger.holdings(strategy, life=life, sequence=sequence))
        else:
            self._holders[strategy] = sender

    def tell_waiting(self) -> None:
        """Answer the requests for holdings that waited."""
        holders, self._holders = self._holders, {}
        for strategy, holder in holders.items():
            self.tell_holdings(strategy, holder)

    def tell_risk(self, sender: ActorAddress) -> None:
        """Answer how much of each limit is used, and how each number was formed."""
        context, now_ns = self._context, self._context.now_ns()
        if context.puts_off(sender):
            return
        situation = Situation(
            risk_state=self._risk.state,
            limits=context.settings,
            book=context.ledger.book,
            intents=context.ledger.intents,
            reserved=context.ledger.reserved,
            now_ns=now_ns,
            market=context.market,
            funds=context.funds,
            product=context.settings.product,
            theirs=context.theirs,
            bands=context.bands,
        )
        answer = RiskRead(
            risk_state=self._risk.state,
            risk_cause=self._risk.cause,
            figures=(*figures_of(situation), self._operator.figure()),
            as_of_ns=now_ns,
        )
        context.send(sender, answer)

    def tell_orders(self, request: ReadOrders, sender: ActorAddress) -> None:
        """List orders."""
        context = self._context
        if not context.puts_off(sender):
            context.send(sender, listed(context.ledger.book, request, context.now_ns()))

    def _positions(self, prices: Mapping[str, MarketPrice]) -> PositionsRead:
        context = self._context
        age_max_s = context.settings.price_band_age_max_s
        since_ns = context.now_ns() - round(age_max_s * SECOND_NS)
        bands = {name: each for name, each in context.bands.of.items() if each.as_of_ns >= since_ns}
        return positions(
            context.ledger.book,
            prices,
            context.settings.product,
            context.theirs,
            bands={name: (each.low, each.high) for name, each in bands.items()},
            freeze_quantities=context.freeze_quantities,
        )

    def tell_positions(self, request: ReadPositions, sender: ActorAddress) -> None:
        """Tell what the account holds; the feed is asked for prices that orders has not heard itself, if need be."""
        context = self._context
        if context.puts_off(sender):
            return
        heard = context.market or {}
        if not request.needs_prices or all(
            each.symbol in heard for each in context.ledger.book.positions() if each.quantity
        ):
            context.send(sender, self._positions(heard))
            return

        def tell(outcome: Outcome) -> None:
            known = outcome.value.statistics if isinstance(outcome.value, Pong) else None
            shown = prices_of(known) if isinstance(known, FeedStatistics) else {}
            prices = shown | (context.market or {})
            context.send(sender, self._positions(prices))

        context.ask(FEED, Ping(), timeout_s=FEED_TIMEOUT_S, then=tell)
