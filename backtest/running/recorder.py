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


class Rejections(msgspec.Struct, frozen=True):
    """Orders that the exchange rejected for one kind of reason."""

    count: int
    first: OrderRejected


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to all orders so far."""

    fills: tuple[OrderFilled, ...]
    intended: tuple[OrderIntended, ...]
    refused: dict[str, int]
    """Orders that the risk gate refused, by name of the rule."""

    rejections: tuple[Rejections, ...]
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
        self._refused: Counter[str] = Counter()
        self._unchanged: Counter[str] = Counter()
        self._rejections: dict[str, Rejections] = {}
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
        """Count it."""
        self._refused[fact.rule] += 1

    @handles(OrderRejected)
    def hear_rejection(self, fact: OrderRejected, _sender: ActorAddress) -> None:
        """Count it by its reason."""
        kind = _NUMBER.sub("", fact.reason)
        before = self._rejections.get(kind)
        self._rejections[kind] = Rejections(1, fact) if before is None else Rejections(before.count + 1, before.first)

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
            rejections=tuple(self._rejections.values()),
            unchanged=dict(self._unchanged),
        )
        self.send(sender, record)
