"""The recorder: keeps what happened to the orders of a backtest, in the order of the journal.

Owns    the fills, and the counts of orders, of this run.
Hears   OrderIntended, OrderRefused, OrderRejected, OrderFilled and ModificationRefused from the events router, once
        they are durable; ReadRecord.
Sends   Record to who asks.
Fails   on no expected input. It keeps no state over a restart: a backtest in which it failed is given up.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from ...actors.runtime import RuntimeActor, handles
from ...messages.addresses import EVENTS
from ...messages.events import Subscribe, Subscribed
from ...messages.orders import ModificationRefused, OrderFilled, OrderIntended, OrderRefused, OrderRejected

if TYPE_CHECKING:
    from ...actors.runtime import ActorAddress

RECORDER = "backtest-recorder"

_NUMBER: Final = re.compile(r"\d[\d,.]*")


class ReadRecord(msgspec.Struct, frozen=True, gc=False):
    """To the recorder: what happened? Answered by `Record`."""


class Declined(msgspec.Struct, frozen=True):
    """Orders that a rule of the risk gate refused, or that the exchange rejected for one kind of reason."""

    count: int
    first: OrderRefused | OrderRejected


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to all orders so far."""

    fills: tuple[OrderFilled, ...]
    intended: tuple[OrderIntended, ...]
    refused: dict[str, Declined]
    """By the risk gate, by name of the rule."""

    rejected: tuple[Declined, ...]
    """By the exchange: those alike but for their numbers together, in the order of the first of each."""

    unchanged: dict[str, int]
    """Changes of orders that were refused, by name of the rule; `broker`: by the exchange."""


class RecorderActor(RuntimeActor):
    """Hears the facts of all orders."""

    TOPICS: ClassVar[tuple[str, ...]] = tuple(
        each.__name__ for each in (OrderIntended, OrderRefused, OrderRejected, OrderFilled, ModificationRefused)
    )

    def on_start(self) -> None:
        """Subscribe."""
        self._fills: list[OrderFilled] = []
        self._intended: list[OrderIntended] = []
        self._refused: dict[str, Declined] = {}
        self._unchanged: Counter[str] = Counter()
        self._rejected: dict[str, Declined] = {}
        self.send(EVENTS, Subscribe(subscriber=self.name, topics=self.TOPICS))

    @handles(Subscribed)
    def hear_subscribed(self, _answer: Subscribed, _sender: ActorAddress) -> None:
        """Do nothing: orders come long after it."""

    @handles(OrderIntended)
    def hear_intent(self, fact: OrderIntended, _sender: ActorAddress) -> None:
        """Keep it."""
        self._intended.append(fact)

    @handles(OrderFilled)
    def hear_fill(self, fact: OrderFilled, _sender: ActorAddress) -> None:
        """Keep it."""
        self._fills.append(fact)

    @handles(OrderRefused)
    def hear_refusal(self, fact: OrderRefused, _sender: ActorAddress) -> None:
        """Count it by its rule."""
        _count(self._refused, fact.rule, fact)

    @handles(OrderRejected)
    def hear_rejection(self, fact: OrderRejected, _sender: ActorAddress) -> None:
        """Count it by its reason."""
        _count(self._rejected, _NUMBER.sub("", fact.reason), fact)

    @handles(ModificationRefused)
    def hear_unchanged(self, fact: ModificationRefused, _sender: ActorAddress) -> None:
        """Count it."""
        self._unchanged[fact.rule] += 1

    @handles(ReadRecord, from_outside=True)
    def read(self, _request: ReadRecord, sender: ActorAddress) -> None:
        """Answer what there is."""
        record = Record(
            fills=tuple(self._fills),
            intended=tuple(self._intended),
            refused=dict(self._refused),
            rejected=tuple(self._rejected.values()),
            unchanged=dict(self._unchanged),
        )
        self.send(sender, record)


def _count(declined: dict[str, Declined], kind: str, fact: OrderRefused | OrderRejected) -> None:
    before = declined.get(kind)
    declined[kind] = Declined(1, fact) if before is None else Declined(before.count + 1, before.first)
