"""Looking up orders at the broker (plain): those in doubt every little while, the open ones now and then."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....messages.addresses import BROKER
from ....messages.broker import FindOrder
from .. import updates
from ..reconciling.lookups import Lookups, others_that_traded
from ..reconciling.rounds import Rounds
from .due import LookUpDue, ReconcileDue

if TYPE_CHECKING:
    from .context import OrdersContext

RESTS_MAX: Final = 10
"""Times that the interval of reconciliation doubles, at most, while nothing happens in a simulated market: to 17
hours."""


class Resolving:
    """Asks the broker what became of orders."""

    def __init__(self, context: OrdersContext) -> None:
        """Begin with none to look up."""
        self._context: Final = context
        self.lookups: Final = Lookups()
        self._next_round = Rounds(lambda after_s: context.after(after_s, LookUpDue()))
        self._next_reconciliation = Rounds(lambda after_s: context.after(after_s, ReconcileDue()))
        self._rounds_without_news = 0

    def doubt(self, client_order_id: str) -> None:
        """Look an order up in every round from now on."""
        self.lookups.doubt(client_order_id)
        self.keep_looking()

    def settle(self, client_order_id: str) -> None:
        """Stop looking an order up, unless the start requires it."""
        self.lookups.settle(client_order_id)
        self.keep_looking()

    def keep_looking(self) -> None:
        """Set the timer of the next round, as long as one is needed."""
        self._next_round.keep(self.lookups.is_needed, after_s=self._context.settings.lookup_interval_s)

    def look_up(self) -> None:
        """Look up every order in doubt, and every placed order without an answer since the last round."""
        self._next_round.fired()
        self._context.tell_ready()
        settings = self._context.settings
        again_s, absent_after_s = settings.lookup_interval_s, settings.absence_horizon_s
        for client_order_id in self.lookups.next_round():
            self._context.log(
                "order.looked_up", client_order_id=client_order_id, again_s=again_s, absent_after_s=absent_after_s
            )
            self.find(client_order_id)
        self.keep_looking()

    def look_at_all(self) -> None:
        """Look up every order that is open at the broker: only this reveals a lost report."""
        self._next_reconciliation.fired()
        for order in self._context.ledger.book.open_orders():
            if order.broker_order_id:
                self.find(order.client_order_id)
        self._rounds_without_news += 1
        self.keep_reconciling()

    def find(self, client_order_id: str) -> None:
        """Look up one order, now."""
        self._context.join_trace(client_order_id)
        order = self._context.ledger.order(client_order_id)
        if order is None:
            request = FindOrder(client_order_id=client_order_id)
        else:
            request = updates.to_find(
                order, others_that_traded(self._context.ledger.book, order, self._context.now_ns())
            )
        self._context.send(BROKER, request)

    def something_happened(self) -> None:
        """Return to the interval of the settings."""
        if self._rounds_without_news:
            self._next_reconciliation.stop()
        self._rounds_without_news = 0
        self.keep_reconciling()

    def keep_reconciling(self) -> None:
        """Have all that is open looked up as long as anything is."""
        # In a simulated market a night is a thousand minutes, in which no report can be lost.
        rests = min(self._rounds_without_news, RESTS_MAX) if self._context.market_rules else 0
        after_s = self._context.settings.reconcile_interval_s * 2**rests
        self._next_reconciliation.keep(self._context.ledger.book.has_open_orders, after_s=after_s)
