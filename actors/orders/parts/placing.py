"""Placing orders (plain): each passes the gate, its intent is made durable, and then it leaves, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ....domain.brackets.bracket import leaving
from ....domain.closing import closable
from ....domain.orders import intent_of
from ....domain.products import product_to_close
from ....domain.wording import printable
from ....messages.addresses import BROKER
from ....messages.broker import OrderNotPlaced, PlaceOrder
from ....messages.orders import OrderIntended, OrderRefused
from .. import updates
from ..rules import Refusal, Trip, contradiction
from ..rules.exposure import day_loss_max_rupees
from ..rules.flow import repeats_max
from .bracketing.standing import is_exit
from .senders import is_flattener, only_strategy

if TYPE_CHECKING:
    from ....messages.orders import SubmitOrder
    from ...runtime import ActorAddress
    from ..book.ledger import Entry
    from ..halting import Halting
    from .cancelling import Cancelling
    from .context import OrdersContext
    from .gate import Gate
    from .hearing import Hearing
    from .resolving import Resolving
    from .risk_keeping import RiskKeeper
    from .state_keeping import StateKeeping


class Placing:
    """The orders on their way to the journal, and to the broker."""

    def __init__(  # noqa: PLR0913, PLR0917  an order goes through all of them
        self,
        context: OrdersContext,
        gate: Gate,
        risk: RiskKeeper,
        halting: Halting,
        cancelling: Cancelling,
        resolving: Resolving,
        hearing: Hearing,
        states: StateKeeping,
    ) -> None:
        """Begin with none."""
        self._context: Final = context
        self._gate: Final = gate
        self._risk: Final = risk
        self._halting: Final = halting
        self._cancelling: Final = cancelling
        self._resolving: Final = resolving
        self._hearing: Final = hearing
        self._states: Final = states
        self._askers: dict[str, list[ActorAddress]] = {}
        """Senders of an order that is not durable yet, by client order id: the first, and those of repeats."""

    def submit(self, order: SubmitOrder, sender: ActorAddress) -> None:
        """Ask the gate, and have its decision journaled; a repeat of an order is answered from the book.

        A different order with a used client order id is refused to its sender only, and so is one with the id of an
        exit of a bracket: in the journal the refusal would count as a fact of the order that has the id, or will.
        """
        context = self._context
        now_ns = context.now_ns()
        if (turned_away := self._why_turned_away(order, sender)) is not None:
            context.send(sender, updates.refused(order, turned_away, now_ns))
            return
        if self._answer_earlier(order, sender):
            return
        if (refusal := self._why_too_early(order, sender)) is not None:
            context.send(sender, updates.refused(order, refusal, now_ns))
            return
        if context.market_rules:
            self._risk.watch(now_ns)  # prices alone may have passed a limit
        closes = is_flattener(sender)
        order = self._of_product_held(order)
        denied = self._gate.refusal_of(order, now_ns, closes=closes)
        if denied is not None and is_exit(context.ledger, order.client_order_id):
            self._refuse_reused(order, denied, sender)
            return
        fact = intent_of(order, now_ns) if denied is None else updates.refused(order, denied, now_ns)
        self._askers[fact.client_order_id] = [sender]
        if closes and denied is None:
            self._halting.closing.add(order.client_order_id)
        self._states.write_owed(order.strategy)
        context.write((fact,), order)
        if denied is not None and denied.rule == repeats_max.__name__:
            self._risk.trip(Trip(state="REDUCING", cause=f"{denied.rule}: {denied.reason}"))
        elif denied is not None and denied.rule == day_loss_max_rupees.__name__:
            self._risk.watch(now_ns)

    def _of_product_held(self, order: SubmitOrder) -> SubmitOrder:
        """Give an order that names no product, and closes what its strategy holds, the product of what it closes."""
        book, default = self._context.ledger.book, self._context.settings.product
        if order.product is not None or not book.has_named_products:
            return order
        held = book.strategy_products(order.strategy, order.symbol, default, self._context.theirs)
        product = product_to_close(held, order.side, order.quantity, default)
        return order if product == default else replace(order, product=product)

    def _why_turned_away(self, order: SubmitOrder, sender: ActorAddress) -> Refusal | None:
        """Return why an order is refused before the rules are asked; None: they are asked."""
        only = only_strategy(sender)
        if only not in {"", order.strategy}:
            self._context.log("order.for_another", level="error", client_order_id=order.client_order_id, sender=only)
            reason = f"an order of {only}, its sender, wanted, found one of {printable(order.strategy)}"
            return Refusal(rule="identity", reason=reason)
        if self._states.is_outdated(order.strategy, sender):
            return Refusal(rule="state", reason="an order of the newest state of its strategy wanted, found another")
        return None

    def _why_too_early(self, order: SubmitOrder, sender: ActorAddress) -> Refusal | None:
        """Return what an order has come too early for; None: nothing."""
        if not self._context.is_read:
            return Refusal(rule="risk_state", reason="risk state NORMAL wanted, found RECONCILING: nothing was sent")
        if self._states.is_unnamed(order, sender):
            reason = "a state of its strategy that names the order wanted, found none, it was lost: nothing was sent"
            return Refusal(rule="state", reason=reason)
        return None if is_flattener(sender) else self._why_closed_already(order)

    def _why_closed_already(self, order: SubmitOrder) -> Refusal | None:
        """Return why an order comes on top of those that close brackets at the market; None: it does not.

        What is held would be sold twice. The strategy may not have heard yet that they have left.
        """
        ledger, of = self._context.ledger, (order.strategy, order.symbol)
        entries = [
            each for each in ledger.book.brackets if (each.strategy, each.symbol) == of and each.side != order.side
        ]
        # As durable as what is held: else one that has just traded would leave no more, and its shares be held still.
        shares = sum(leaving(ledger.earlier, entry.client_order_id) for entry in entries)
        most = max(0, closable(order.side, ledger.book.strategy_shares(*of)) - shares)
        if not shares or order.quantity <= most:
            return None
        reason = f"at most {most} wanted beside the {shares} that close a bracket at the market, found {order.quantity}"
        return Refusal(rule="exits", reason=reason)

    def _answer_earlier(self, order: SubmitOrder, sender: ActorAddress) -> bool:
        """Answer an order whose client order id was used before; False: it was not."""
        context, client_order_id = self._context, order.client_order_id
        earlier = context.ledger.earlier(client_order_id)
        if earlier is None:
            return False
        reused = contradiction(order, earlier)
        known = context.ledger.book.newest_fact(client_order_id)
        if reused is not None:
            self._refuse_reused(order, reused, sender)
        elif known is not None:
            context.send(sender, known)
        else:
            self._askers.setdefault(client_order_id, []).append(sender)
        return True

    def _refuse_reused(self, order: SubmitOrder, refusal: Refusal, sender: ActorAddress) -> None:
        """Refuse an order to its sender only, whose client order id is another order's."""
        context, client_order_id = self._context, order.client_order_id
        context.log("order.id_reused", level="error", client_order_id=client_order_id, reason=refusal.reason)
        context.send(sender, updates.refused(order, refusal, context.now_ns()))

    def written(self, entry: Entry, order: SubmitOrder) -> None:
        """Place an order whose intent is durable, and answer those who have submitted it again meanwhile."""
        for repeated in self._askers.pop(entry.client_order_id, [])[1:]:
            self._context.send(repeated, entry.facts[0])
        if isinstance(entry.facts[0], OrderIntended):
            self._place(order)

    def not_written(self, entry: Entry, order: SubmitOrder, reason: str) -> None:
        """Send a strategy directly the fact that the journal refused: nothing is placed."""
        self._cancelling.withdrawals.drop(entry.client_order_id)
        self._halting.closing.discard(entry.client_order_id)
        fact = entry.facts[0]
        if not isinstance(fact, OrderRefused):
            fact = updates.refused(order, Refusal(rule="journal", reason=reason), self._context.now_ns())
        for asker in self._askers.pop(entry.client_order_id, ()):
            self._context.send(asker, fact)

    def _place(self, order: SubmitOrder) -> None:
        context, client_order_id = self._context, order.client_order_id
        closes = client_order_id in self._halting.closing
        if not closes and (halted := self._risk.why_halted()):
            reason = f"halted, nothing was sent: {halted}"
            self._hearing.answer(OrderNotPlaced(client_order_id=client_order_id, reason=reason))
            return
        request = PlaceOrder(
            client_order_id=client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            order_type=order.order_type,
            limit_price=order.limit_price,
            reduces=context.ledger.book.only_closes(order.symbol, order.side, context.theirs),
            trigger_price=order.trigger_price,
            validity=order.validity,
            product=order.product,
            flattens=closes,
        )
        self._resolving.lookups.place(client_order_id)
        context.ages.leaves(client_order_id)
        context.send(BROKER, request)
        self._cancelling.placed(client_order_id, order.strategy)
        self._resolving.keep_looking()
