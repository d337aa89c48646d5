"""The exits of brackets (plain): what each needs is asked of the pure rule, and done once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....domain.brackets import as_it_stands, entry_id, is_done, is_return, leg_id, next_steps
from ....domain.orders import intent_of
from ....messages.orders import (
    ModifyOrder,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderRejected,
    SubmitOrder,
)
from .. import modifications

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ....domain.brackets import AnyLeg, Leg, Step
    from .cancelling import Cancelling
    from .context import OrdersContext
    from .risk_keeping import RiskKeeper


_MOVES: Final = (OrderFilled, OrderCancelled, OrderExpired, OrderRejected, OrderModified)
"""Facts of an exit after which another may have to close more, or less."""

BRACKET: Final = "bracket"
"""Who asks for the cancellations of exits."""


class Bracketing:
    """Keeps the exits of every bracket as they should be.

    Exits pass no gate: they close what their strategy holds, at prices that were judged with their entry, and a limit
    of how many orders there are must not leave a position without its stop. In a halt nothing is done: it has cancelled
    them.
    """

    def __init__(self, context: OrdersContext, risk: RiskKeeper, cancelling: Cancelling) -> None:
        """Begin with nothing asked, as after a restart: no id is submitted twice, and nothing changed that is so."""
        self._context: Final = context
        self._risk: Final = risk
        self._cancelling: Final = cancelling
        self._asked: dict[str, set[Step]] = {}
        """By the entry's client order id: what was refused is asked again only by `look_at_all`."""

    def look_at_all(self) -> None:
        """Look at every bracket anew: what was refused, or not done in a halt, may be due."""
        self._asked.clear()
        for entry in self._context.ledger.book.brackets:
            self._keep(entry.client_order_id)

    def look(self, client_order_id: str, facts: Sequence[object] = ()) -> None:
        """Do what is needed after these facts of an order: of the bracket that it is an entry or an exit of, if any.

        A trade may have closed what other brackets of its strategy were to close, or brought it; and an exit that will
        not close what it was for any more leaves that to them.
        """
        book = self._context.ledger.book
        order = book.order(client_order_id)
        moves = _MOVES if entry_id(client_order_id) else OrderFilled
        if order is not None and any(isinstance(fact, moves) for fact in facts):
            for entry in book.brackets:
                if (entry.strategy, entry.symbol) == (order.strategy, order.symbol):
                    self._keep(entry.client_order_id)
        for each in (client_order_id, entry_id(client_order_id)):
            order = book.order(each) if each else None
            if order is not None and order.has_bracket:
                self._keep(each)
                surplus = book.surplus(each)
                if surplus and any(isinstance(fact, OrderFilled) and fact.side != order.side for fact in facts):
                    self._context.log("bracket.overclosed", level="error", client_order_id=each, shares=surplus)

    def _keep(self, entry: str) -> None:
        ledger = self._context.ledger
        order = ledger.order(entry)
        if order is None or not self._context.is_read or self._risk.why_halted():
            return
        book, theirs = ledger.book, self._context.theirs
        bracket = as_it_stands(
            order,
            self._leg,
            book.brackets,
            shares=book.strategy_shares(order.strategy, order.symbol),
            late=book.late(entry),
            sold=book.sold(entry),
            surplus=book.surplus(entry),
            agreed=theirs.held(order.symbol, book.position(order.symbol)) if order.symbol in theirs.symbols else (),
        )
        steps = next_steps(bracket)
        if not steps and is_done(bracket):
            self._asked.pop(entry, None)
            return
        asked = self._asked.setdefault(entry, set())
        for step in steps:
            if step not in asked:
                asked.add(step)
                self._do(step)

    def _leg(self, entry: str, leg: Leg) -> AnyLeg | None:
        ledger, client_order_id = self._context.ledger, leg_id(entry, leg)
        return ledger.order(client_order_id) or ledger.earlier(client_order_id)

    def _do(self, step: Step) -> None:
        context, now_ns = self._context, self._context.now_ns()
        if isinstance(step, SubmitOrder):
            if step.order_type == "MARKET":
                event = "bracket.given_back" if is_return(step.client_order_id) else "bracket.closed_at_market"
                context.log(event, level="error", client_order_id=step.client_order_id, shares=step.quantity)
            context.write((intent_of(step, now_ns),), step)
        elif isinstance(step, ModifyOrder):
            order = context.ledger.order(step.client_order_id)
            assert order is not None, "an exit that is open is changed"
            wanted = modifications.terms_wanted(order, step)
            context.write((modifications.intended(order, wanted, now_ns),))
        else:
            self._cancelling.cancel(step.client_order_id, "", BRACKET)
