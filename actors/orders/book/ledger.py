"""The book of record, and the facts on their way into it (plain, without actors).

A fact counts only when it is durable. Facts that were sent to the journal and are not acknowledged wait here: their
exposure is reserved, and the same fact is not appended twice.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Final

import msgspec

from ....domain.accounts import Accounts
from ....domain.orders import Order, advance, as_submitted
from ....messages.accounts import AccountEntered, AccountFact
from ....messages.holdings import HoldingsRead, OpenOrder
from ....messages.journal import Append, Appended, AppendRefused
from ....messages.orders import (
    CancellationIntended,
    ModificationIntended,
    OrderFact,
    OrderIntended,
    OrderRefused,
    SubmitOrder,
)
from ....messages.risk_state import KeptRiskState, RiskStateChanged
from ....messages.strategy_state import SaveState, StateRead, StrategyStateSaved
from .book import Book
from .states import States, correlation_of, saved

RISK_STATE: Final = "risk state"
"""Correlation id of a change of the risk state without facts of an order; no client order id has a space."""


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """The facts of one append: of one order, of the risk state, or of both."""

    client_order_id: str
    """Of the order; RISK_STATE, or that of a strategy's state, where there is none."""

    facts: tuple[OrderFact | RiskStateChanged | StrategyStateSaved, ...]

    order: SubmitOrder | None = None
    """The submitted order, if the facts are the gate's decision on it."""

    number: int
    """Of the append."""


class Ledger:
    """Matches the journal's answers, which come in the order of the appends, with the entries sent.

    The facts of an order rely on those before: an append names the one of its order that is on its way, and the
    journal refuses it where that was lost.

    Args:
        writer: a name that no other ledger has; empty: nothing will be written.
    """

    def __init__(self, writer: str = "") -> None:
        self._writer: Final = writer
        self.book = Book()
        """Built from durable facts."""

        self.states = States()
        """What strategies have kept."""

        self.is_read_alone = True
        """Whether all that was applied was read from the journal. An answer to an append is applied as well, and may
        come before the facts ahead of it are read."""

        self.accounts = Accounts()
        """Which account later facts belong to."""

        self.intents: dict[str, SubmitOrder] = {}
        """Orders that passed the gate and are not durable yet."""

        self._growths: dict[str, SubmitOrder] = {}
        """The growth of orders whose change passed the gate and is not durable yet, each as if it were another
        order."""

        self._entries: deque[Entry] = deque()
        self._changes: deque[RiskStateChanged] = deque()
        self._waiting: Counter[str] = Counter()
        self._number = 0
        self._newest: dict[str, int] = {}
        """Number of the newest append on its way, by client order id."""

        self._ahead: dict[str, Order] = {}

    def __len__(self) -> int:
        """Return the number of unanswered appends."""
        return len(self._entries)

    def is_waiting(self, client_order_id: str) -> bool:
        """Whether facts of this order are on their way."""
        return client_order_id in self._waiting

    def earlier(self, client_order_id: str) -> SubmitOrder | Order | OrderRefused | None:
        """Return the order that has this id, as submitted or as journaled; None if the id was never used."""
        for entry in self._entries if client_order_id in self._waiting else ():
            if entry.client_order_id == client_order_id and entry.order is not None:
                return entry.order
        order = self.book.order(client_order_id)
        if order is not None:
            return order
        fact = self.book.newest_fact(client_order_id)
        return fact if isinstance(fact, OrderRefused) else None

    def order(self, client_order_id: str) -> Order | None:
        """Return the order as it will be when all facts on their way are durable; None if it was never intended."""
        return self._ahead.get(client_order_id) or self.book.order(client_order_id)

    @property
    def reserved(self) -> Mapping[str, SubmitOrder]:
        """What passed the gate and is not durable, so not in the book yet: orders, and the growth of changed ones."""
        return {**self.intents, **self._growths} if self._growths else self.intents

    def holdings(self, strategy: str, *, life: int, sequence: int) -> HoldingsRead:
        """Return what a strategy holds by durable facts, its open orders, and `life`, the number of its start."""
        filled = {order.client_order_id: 0 for order in self.intents.values() if order.strategy == strategy}
        open_orders = []
        for order in self.book.open_orders():
            if order.strategy == strategy:
                filled[order.client_order_id] = order.filled
                open_orders.append(_open_order(order))
        return HoldingsRead(
            strategy=strategy,
            shares=self.book.shares(strategy),
            filled=filled,
            life=life,
            positions=self.book.strategy_positions(strategy),
            open_orders=tuple(open_orders),
            sequence=sequence,
            exits=self.book.exits(strategy),
        )

    def enter(self, fact: AccountFact) -> None:
        """Apply a durable fact about accounts."""
        self.accounts.apply(fact)
        if isinstance(fact, AccountEntered):
            self.book.enter(fact.account)
            self.states.enter(fact.account)

    def state(self, strategy: str, *, sequence: int, life: int) -> StateRead:
        """Return the newest state of a strategy, and which of its orders never came."""
        newest = self.states.newest(strategy)
        named = () if newest is None else newest.submitted
        unsent = tuple(order for order in named if self.earlier(order.client_order_id) is None)
        return StateRead(strategy=strategy, sequence=sequence, life=life, saved=newest, unsent=unsent)

    @property
    def changes(self) -> tuple[RiskStateChanged, ...]:
        """Changes of the risk state on their way to the journal, oldest first."""
        return tuple(self._changes)

    @property
    def risk_state(self) -> KeptRiskState:
        """The risk state as it will be when all changes on their way are durable."""
        return self._changes[-1].state if self._changes else self.book.risk_state

    @property
    def risk_cause(self) -> str:
        """The cause of that state."""
        return self._changes[-1].cause if self._changes else self.book.risk_cause

    def write_change(self, change: RiskStateChanged) -> Append:
        """Note a change of the risk state as sent, and return the request to send."""
        self._changes.append(change)
        return self._append(RISK_STATE, (change,))

    def write_state(self, request: SaveState, now_ns: int) -> Append:
        """Note the state of a strategy as sent, and return the request to send."""
        return self._append(correlation_of(request.strategy), (saved(request, now_ns),))

    def write(
        self,
        facts: tuple[OrderFact, ...],
        order: SubmitOrder | None = None,
        *,
        change: RiskStateChanged | None = None,
    ) -> Append:
        """Note facts of one order as sent, with the change that they cause, and return the request to send."""
        client_order_id = facts[0].client_order_id
        written = facts if change is None else (change, *facts)
        append = self._append(client_order_id, written, order)
        if change is not None:
            self._changes.append(change)
        if order is not None and isinstance(facts[0], OrderIntended):
            self.intents[client_order_id] = order
        if isinstance(facts[0], ModificationIntended):
            self._reserve(facts[0])
        self._look_ahead(client_order_id, facts)
        return append

    def _reserve(self, change: ModificationIntended) -> None:
        order = self.order(change.client_order_id)
        if order is None or (more := change.quantity - order.quantity_max) <= 0:
            return
        self._growths[change.client_order_id] = as_submitted(
            order, quantity=more, limit_price=change.limit_price, trigger_price=change.trigger_price
        )

    def _append(
        self,
        correlation_id: str,
        facts: tuple[OrderFact | RiskStateChanged | StrategyStateSaved, ...],
        order: SubmitOrder | None = None,
    ) -> Append:
        """Return the request; it relies on the newest append on its way of the same order, else of its strategy."""
        self._waiting[correlation_id] += 1
        self._number += 1
        self._entries.append(Entry(client_order_id=correlation_id, facts=facts, order=order, number=self._number))
        after = "" if order is None else correlation_of(order.strategy)
        follows = self._newest.get(correlation_id) or self._newest.get(after, 0)
        self._newest[correlation_id] = self._number
        return Append(
            facts=facts, correlation_id=correlation_id, writer=self._writer, number=self._number, follows=follows
        )

    def confirm(self, answer: Appended) -> Entry | None:
        """Apply the oldest entry, now durable, and return it; None if the answer is to no entry of this ledger."""
        entry = self._take(answer)
        if entry is not None:
            self.is_read_alone = False
            for fact in entry.facts:
                if isinstance(fact, StrategyStateSaved):
                    self.states.apply(fact)
                else:
                    self.book.apply(fact)
        return entry

    def give_up(self, answer: AppendRefused) -> Entry | None:
        """Drop the oldest entry, which was refused, and return it; None if the answer is to no entry of this ledger."""
        entry = self._take(answer)
        if entry is not None and self._ahead.pop(entry.client_order_id, None) is not None:
            for other in self._entries:
                if other.client_order_id == entry.client_order_id:
                    self._look_ahead(other.client_order_id, other.facts)
        return entry

    def _take(self, answer: Appended | AppendRefused) -> Entry | None:
        """Return the oldest entry, if the answer is to it: not to one of an earlier life that had the same order."""
        if not self._entries or (answer.writer, answer.number) != (self._writer, self._entries[0].number):
            return None
        entry = self._entries.popleft()
        correlation_id = entry.client_order_id
        for fact in entry.facts:
            if isinstance(fact, RiskStateChanged):
                self._changes.popleft()  # entries are answered in order, and so are their changes
            elif isinstance(fact, ModificationIntended):
                self._growths.pop(correlation_id, None)
        self._waiting[correlation_id] -= 1
        if not self._waiting[correlation_id]:
            del self._waiting[correlation_id], self._newest[correlation_id]
            self._ahead.pop(correlation_id, None)
        if entry.order is not None:
            self.intents.pop(correlation_id, None)
        return entry

    def _look_ahead(
        self, client_order_id: str, facts: tuple[OrderFact | RiskStateChanged | StrategyStateSaved, ...]
    ) -> None:
        order = self.order(client_order_id)
        for fact in facts:
            if isinstance(fact, RiskStateChanged | StrategyStateSaved):
                continue
            if isinstance(fact, OrderIntended):
                order = Order.from_intent(fact)
            elif order is not None:
                order = advance(order, fact)
        if order is not None:
            self._ahead[client_order_id] = order


def _open_order(order: Order) -> OpenOrder:
    """Tell of an order as it is now."""
    asked, cancelling = order.cancelling, None
    if asked is not None:
        cancelling = CancellationIntended(
            client_order_id=order.client_order_id,
            number=asked.number,
            asked_by=asked.asked_by,
            occurred_ns=asked.intended_ns,
        )
    return OpenOrder(
        intent=order.intent,
        broker_order_id=order.broker_order_id,
        filled=order.filled,
        is_uncertain=order.state == "UNKNOWN",
        cancelling=cancelling,
    )
