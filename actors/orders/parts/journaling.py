"""What the journal answers (plain): each part is told which of the facts that it wrote are durable, and which are not.

A fact counts in the book once it is durable; until the answer the ledger keeps it, its exposure reserved. What is sent
to the broker waits for the answer: an order is placed when its intent is durable, and only then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ....messages.orders import CancellationIntended, ModificationIntended, ModificationRefused
from ....messages.risk_state import RiskStateChanged
from ....messages.strategy_state import StrategyStateSaved

if TYPE_CHECKING:
    from ....messages.journal import Appended, AppendRefused
    from .awaiting import Awaiting
    from .bracketing.keeping import Bracketing
    from .cancelling import Cancelling
    from .changing import Changing
    from .context import OrdersContext
    from .expiring import Expiring
    from .placing import Placing
    from .resolving import Resolving
    from .risk_keeping import RiskKeeper
    from .starting import Starting
    from .state_keeping import StateKeeping


class Journaling:
    """Takes the answers to appends."""

    def __init__(  # noqa: PLR0913, PLR0917  every part that writes facts
        self,
        context: OrdersContext,
        risk: RiskKeeper,
        resolving: Resolving,
        cancelling: Cancelling,
        changing: Changing,
        awaiting: Awaiting,
        states: StateKeeping,
        placing: Placing,
        bracketing: Bracketing,
        starting: Starting,
        expiring: Expiring,
    ) -> None:
        self._context: Final = context
        self._risk: Final = risk
        self._resolving: Final = resolving
        self._cancelling: Final = cancelling
        self._changing: Final = changing
        self._awaiting: Final = awaiting
        self._states: Final = states
        self._placing: Final = placing
        self._bracketing: Final = bracketing
        self._starting: Final = starting
        self._expiring: Final = expiring

    def appended(self, answer: Appended) -> None:
        """Act on durable facts: an intent is placed now, and only now."""
        context = self._context
        entry = context.ledger.confirm(answer)
        if entry is None:
            # Appended by an earlier instance, and committed after the journal was read back: read it now.
            if answer.last_sequence > context.read_back.sequence:
                self._starting.read_on()
            return
        context.read_back.note(answer.last_sequence)
        if isinstance(entry.facts[0], StrategyStateSaved):
            return
        self._resolving.something_happened()
        for fact in entry.facts:
            if isinstance(fact, RiskStateChanged):
                self._risk.written(fact)
                if fact.state == "NORMAL":
                    self._bracketing.begin_anew()
            elif isinstance(fact, ModificationIntended):
                self._changing.written(fact)
            elif isinstance(fact, ModificationRefused):
                self._changing.refusal_written(fact)
        self._awaiting.written(entry.client_order_id, entry.facts)
        self._bracketing.look(entry.client_order_id, entry.facts)
        self._cancelling.note(entry.facts)
        self._expiring.note(entry.facts)
        if entry.order is None:
            self._risk.watch(context.now_ns())
        else:
            self._placing.written(entry, entry.order)
        context.ledger.book.pack_oldest()

    def refused(self, answer: AppendRefused) -> None:
        """Place nothing whose intent is not durable. Refused facts of the broker are looked up again later."""
        context = self._context
        entry = context.ledger.give_up(answer)
        if entry is None:
            return
        context.log("append.refused", level="error", client_order_id=entry.client_order_id, reason=answer.reason)
        for fact in entry.facts:
            if isinstance(fact, RiskStateChanged):
                self._risk.not_written(fact, answer.reason)
            elif isinstance(fact, ModificationIntended | ModificationRefused):
                self._changing.not_written(fact, answer.reason)
            elif isinstance(fact, CancellationIntended):
                self._cancelling.not_written(fact)
            elif isinstance(fact, StrategyStateSaved):
                self._states.not_written()
        self._awaiting.not_written(entry.client_order_id, entry.facts, answer.reason)
        self._expiring.not_written(entry.facts)
        if entry.order is not None:
            self._placing.not_written(entry, entry.order, answer.reason)
        elif context.ledger.order(entry.client_order_id) is not None:
            self._resolving.doubt(entry.client_order_id)
        self._bracketing.look(entry.client_order_id)
