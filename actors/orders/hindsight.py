"""What the gate went by when it decided on an order, from the journal alone (plain): in any process, whoever runs.

Records are in the order of the decisions, so that all before the decision on an order is what was known then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from ...messages.orders import OrderIntended, OrderRefused, SubmitOrder
from .book.ledger import Ledger
from .book.reading import ReadBack
from .limits_in_force import then
from .rules import RULES, Explained, MarketPrice, Situation, explained
from .rules.explaining import FOUND, OFF

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...messages.journal import JournalRecord
    from .settings import OrdersActorSettings


BY_PRICES: Final = frozenset(
    {
        *("price_age_max_s", "price_collar_percent", "value_max_rupees"),
        *("open_value_max_rupees", "gross_value_max_rupees", "day_loss_max_rupees"),
    }
)
"""Rules that go by prices of the market."""

BY_BROKER: Final = frozenset({"margin_use_max_percent", "price_band_age_max_s", "freeze_quantity"})
"""Rules that go by what the broker told, which is not journaled: the decision itself says what they said."""

BY_EXITS: Final = "exits"
"""The rule that goes by the exits of a bracket, which the fact of a refusal has not."""

NOT_KEPT: Final = "what the broker had told is not written down"
EXITS_NOT_KEPT: Final = "the exits of an order that was refused are not written down"

_NAMES: Final = tuple(rule.__name__ for rule in RULES)


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's decision on an order, and what it knew."""

    fact: OrderIntended | OrderRefused
    sequence: int
    """Of its record in the journal."""

    ledger: Ledger
    """Of all records before it."""

    limits: dict[str, str]
    """Those that were in force, in JSON by name; empty where none were written down."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """The symbols whose prices the rules ask for."""
        book = self.ledger.book
        return tuple(sorted({self.fact.symbol, *book.worst_shares(), *(each.symbol for each in book.open_orders())}))

    @property
    def order(self) -> SubmitOrder:
        """The order, as far as the journal has it: a refusal of an earlier release has no prices."""
        fact = self.fact
        return SubmitOrder(
            client_order_id=fact.client_order_id,
            strategy=fact.strategy,
            symbol=fact.symbol,
            side=fact.side,
            quantity=fact.quantity,
            order_type=fact.order_type or "MARKET",
            limit_price=fact.limit_price,
            trigger_price=fact.trigger_price,
            submitted_ns=fact.occurred_ns,
            product=fact.product if isinstance(fact, OrderIntended) else None,
            target_price=fact.target_price if isinstance(fact, OrderIntended) else None,
            stop_loss_price=fact.stop_loss_price if isinstance(fact, OrderIntended) else None,
        )

    def explained(self, limits: OrdersActorSettings, market: dict[str, MarketPrice]) -> tuple[Explained, ...]:
        """Ask every rule once more, by prices of that time, and by these limits where the journal has none."""
        order, limits = self.order, then(limits, self.limits)
        situation = Situation(
            risk_state=self.ledger.book.risk_state,
            limits=limits.of_symbol(order.symbol),
            book=self.ledger.book,
            intents={},
            now_ns=self.fact.occurred_ns,
            strategy_position_max=limits.strategy_position_max.get(order.strategy),
            strategy_orders_in_flight_max=limits.strategy_orders_in_flight_max.get(order.strategy),
            market=market,
        )
        lack_prices = any(symbol not in market for symbol in self.symbols)
        return tuple(self._as_it_is_known(each, lack_prices=lack_prices) for each in explained(order, situation))

    def _as_it_is_known(self, said: Explained, *, lack_prices: bool) -> Explained:
        if said.rule in BY_BROKER and said.verdict != OFF:
            return self._as_it_was(said, NOT_KEPT)
        if said.rule == BY_EXITS and isinstance(self.fact, OrderRefused):
            return self._as_it_was(said, EXITS_NOT_KEPT)
        if lack_prices and said.rule in BY_PRICES and said.verdict == "refused":
            return replace(said, verdict="unknown", found="")
        return said

    def _as_it_was(self, said: Explained, why_not_known: str) -> Explained:
        """Say what a rule said then: they are asked in order, up to the first that refuses, which wrote down why."""
        fact = self.fact
        if isinstance(fact, OrderRefused) and fact.rule == said.rule:
            return replace(said, verdict="refused", found=fact.reason.partition(FOUND)[2])
        asked = isinstance(fact, OrderIntended) or (
            fact.rule in _NAMES and _NAMES.index(said.rule) < _NAMES.index(fact.rule)
        )
        return replace(said, verdict="passed" if asked else "unknown", found=why_not_known if asked else "")


def decision_on(client_order_id: str, records: Iterable[JournalRecord]) -> Decision | None:
    """Read up to the decision on an order; None if there is none."""
    ledger, read_back = Ledger(), ReadBack()
    for record in records:
        fact = record.fact
        if isinstance(fact, OrderIntended | OrderRefused) and fact.client_order_id == client_order_id:
            return Decision(fact=fact, sequence=record.sequence, ledger=ledger, limits=read_back.limits)
        read_back.take_in(record, ledger)
    return None
