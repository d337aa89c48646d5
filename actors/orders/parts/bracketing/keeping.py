"""After which events a bracket is looked at, and that each step that it needs is taken once (plain)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .....domain.brackets.at_market import failures
from .....domain.brackets.exits import BRACKET, SQUARED_OFF
from .....domain.brackets.legs import entry_id, is_return
from .....domain.brackets.next_steps import is_done, next_steps
from .....domain.brackets.overnight import waits_for_a_day
from .....domain.brackets.resting import goes_second
from .....domain.brackets.steps import closes_at_market
from .....domain.orders import intent_of
from .....messages.orders import (
    ModifyOrder,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderModified,
    OrderRejected,
    SubmitOrder,
)
from ... import modifications
from ...rules import Refusal
from ..senders import only_strategy
from .days import Days
from .jumped_over import JumpedOver
from .reached import Reached
from .repeating import Repeating
from .squaring_off import SquaringOff
from .standing import Standing, is_exit
from .telling import Telling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .....domain.brackets.steps import Step
    from .....domain.orders import Order
    from .....messages.orders import SquaringOffEnded
    from ....runtime import ActorAddress
    from ..cancelling import Cancelling
    from ..context import OrdersContext
    from ..risk_keeping import RiskKeeper

_MOVES: Final = (OrderFilled, OrderCancelled, OrderExpired, OrderRejected, OrderModified)
"""Facts of an exit after which another may have to close more, or less."""

_ENDINGS: Final = (OrderFilled, OrderCancelled, OrderExpired, OrderRejected)
"""Facts of another order of its strategy after which a bracket may have to close more, or less."""


class Bracketing:
    """Keeps the exits of every bracket as they should be.

    Exits do not pass the gate: they close what their strategy holds, at prices that were judged with their entry, and a
    limit of the number of orders must not leave a position without its stop. In a halt nothing is done: the halt has
    cancelled them, except the stops that only close what is held.
    """

    def __init__(self, context: OrdersContext, risk: RiskKeeper, cancelling: Cancelling) -> None:
        """Begin with nothing done."""
        self._context: Final = context
        self._risk: Final = risk
        self._cancelling: Final = cancelling
        self._days: Final = Days(context)
        self._standing: Final = Standing(context, self._days)
        self._repeating: Final = Repeating(context)
        self.squaring_off: Final = SquaringOff(context)
        self._jumped_over: Final = JumpedOver(context, cancelling)
        self._reached: Final = Reached(context, cancelling)
        self._telling: Final = Telling(context, risk)

    # What a person should know.

    def warning(self) -> str:
        """Return what a person should know of brackets; empty: nothing."""
        return "; ".join(
            (*self.unprotected, *self._telling.without_target, *self._jumped_over.words(of_held=False)),
        )

    @property
    def unprotected(self) -> tuple[str, ...]:
        """Say of shares that are held why no order closes them although one should.

        Of a bracket, whose stop is gone or in doubt as well; of a stop of none that the market has jumped over; and of
        what a strategy wanted to close, and could not.
        """
        jumped_over, squared_off = self._jumped_over.words(of_held=True), self.squaring_off.words()
        return (*self._telling.unprotected, *jumped_over, *squared_off)

    # When brackets are looked at.

    def begin_anew(self) -> None:
        """Take every step that is needed, at once: what was refused, or not done in a halt, may be possible now."""
        self._repeating.forget_all()
        book = self._context.ledger.book
        for entry in (*book.open_brackets, *book.bare_brackets):
            self._keep(entry, at_once=True)

    def look_at_all(self) -> None:
        """Look at every bracket."""
        for entry in self._context.ledger.book.brackets:
            self._keep(entry.client_order_id)

    def begin_day(self) -> None:
        """Look whether exits may be placed that wait for a session."""
        self._days.looked()
        self.look_at_all()

    def look_at_prices(self) -> None:
        """Look whether the market has jumped over a stop, or is at a target that rests nowhere."""
        is_halted = bool(self._risk.why_halted())
        self._jumped_over.look(is_halted=is_halted)
        self._reached.look(is_halted=is_halted)

    def ask_again(self, entry: str, step: Step) -> None:
        """Ask once more for a step, if it is still needed."""
        self._repeating.fired(entry, step)
        self._keep(entry, due=step)

    def look(self, client_order_id: str, facts: Sequence[object] = ()) -> None:
        """Do what is needed after these facts of an order: of the bracket that it is an entry or an exit of, if any.

        A trade may have closed what other brackets of its strategy were to close, or brought it; and an exit that will
        not close what it was for any more leaves that to them.
        """
        book = self._context.ledger.book
        order = book.order(client_order_id)
        moves = _MOVES if entry_id(client_order_id) else _ENDINGS
        if order is not None and any(isinstance(fact, moves) for fact in facts):
            self._look_at(order.strategy, order.symbol)
            for over in self._telling.entries:
                if over not in book.open_brackets:
                    self._keep(over)
        for each in (client_order_id, entry_id(client_order_id)):
            order = book.order(each) if each else None
            if order is not None and order.has_bracket:
                self._keep(each)
                surplus = book.surplus(each)
                if surplus and any(isinstance(fact, OrderFilled) and fact.side != order.side for fact in facts):
                    self._context.log("bracket.overclosed", level="error", client_order_id=each, shares=surplus)

    # Strategies that close a position themselves.

    def begin_squaring_off(self, client_order_id: str, sender: ActorAddress) -> None:
        """Cancel an order for its strategy, which closes the position itself when that has ended.

        In a halt it stays: nothing would close what it was for. Before the book is complete nobody knows whether it is
        an exit, and so how it is to be cancelled: that waits.
        """
        ledger, order = self._context.ledger, self._context.ledger.order(client_order_id)
        if halted := self._risk.why_halted():
            refusal = Refusal(rule="risk_state", reason=f"no halt wanted, in which nothing closes it, found {halted}")
            self._cancelling.refuse(client_order_id, refusal, sender)
            return
        if not self._context.is_read:
            self.squaring_off.put_off(client_order_id, sender)
            return
        if order is not None and only_strategy(sender) in {"", order.strategy}:
            self.squaring_off.begin(order)
        asked_by = SQUARED_OFF if is_exit(ledger, client_order_id) else ""
        self._cancelling.cancel_for(client_order_id, sender, asked_by=asked_by)

    def begin_waiting(self) -> None:
        """Do so for those that waited until the book was complete."""
        for client_order_id, sender in self.squaring_off.take_waiting():
            self.begin_squaring_off(client_order_id, sender)

    def end_squaring_off(self, ended: SquaringOffEnded) -> None:
        """Let brackets of a strategy close at the market what it has not closed."""
        self.squaring_off.end(ended)
        self._look_at(ended.strategy, ended.symbol)

    def forget_squaring_off(self, strategy: str) -> None:
        """The same for all that a strategy was closing, which has begun anew."""
        for of in self.squaring_off.forget(strategy):
            self._look_at(*of)

    def look_at_squaring_off(self) -> None:
        """The same for what a strategy has been closing for too long."""
        for of in self.squaring_off.too_slow():
            self._look_at(*of)
        self.squaring_off.looked()

    # One bracket.

    def _look_at(self, strategy: str, symbol: str) -> None:
        for entry in self._context.ledger.book.brackets:
            if (entry.strategy, entry.symbol) == (strategy, symbol):
                self._keep(entry.client_order_id)

    def _keep(self, entry: str, *, due: Step | None = None, at_once: bool = False) -> None:
        """Do what a bracket needs, unless it was asked for a moment ago; in a halt nothing but to tell that it is over.

        Args:
            entry: its client order id.
            due: what was asked for, or put off, and is to be asked for now.
            at_once: put nothing off.
        """
        order, repeating = self._context.ledger.order(entry), self._repeating
        if order is None or not self._context.is_read:
            return
        bracket = self._standing.of(order)
        if self._risk.why_halted():
            if not bracket.exposed and not bracket.surplus:
                self._telling.forget(entry)
            return
        steps = next_steps(bracket)
        self._telling.look(bracket, is_at_rest=not steps)
        self._reached.watch(bracket)
        if waits_for_a_day(bracket):
            self._days.wait(order.symbol)
        steps = self._possible(steps, order)
        repeating.keep(entry, steps)
        if is_done(bracket):
            repeating.forget(entry)
        for step in steps:
            if repeating.is_pausing(entry, step) or goes_second(step, bracket):
                continue
            failed = failures(bracket) if isinstance(step, SubmitOrder) else 0
            if repeating.begin(entry, step, failed=failed, is_due=step == due, at_once=at_once):
                self._do(step)

    def _possible(self, steps: tuple[Step, ...], entry: Order) -> tuple[Step, ...]:
        """Leave out what the exchange takes no order for now, and what would close beside the strategy itself."""
        if not self._days.takes_orders(entry.symbol) and any(isinstance(step, SubmitOrder) for step in steps):
            self._days.wait(entry.symbol)
            steps = tuple(step for step in steps if not isinstance(step, SubmitOrder))
        return tuple(step for step in steps if not (closes_at_market(step) and self.squaring_off.closes_itself(entry)))

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
