"""The deputy of a strategy that runs on another node: says here what it says there, in its name.

Owns    which claim it speaks for, and its subscription to the facts of its orders.
Hears   ClaimStrategy and Said of the keeper of the nodes; the facts of its orders from the events router, each in its
        JournalRecord; whatever is answered to it.
Sends   DeputyBegan, ClaimAccepted and Told to the keeper of the nodes; Subscribe to events; what the strategy says to
        those that it may speak to.
Fails   on no expected input: what cannot be said is answered to the strategy. Restarted, it knows of no claim, and its
        node has to claim the strategy anew.

It has the strategy's name, and by that its identity: position, orders and state are those of the name.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, Final

from ...messages.addresses import EVENTS, NODES
from ...messages.codec import MESSAGE_TYPES, UndecodableMessageError, decode, encode
from ...messages.events import Subscribe, Subscribed
from ...messages.journal import JournalRecord
from ...messages.nodes import ASKED_ELSEWHERE, ClaimAccepted, ClaimStrategy, DeputyBegan, Said, Told
from ...messages.orders import OrderFilled, SubmitOrder
from ...messages.supervision import Failed, Unavailable
from ...messages.system import StrategyStatistics
from ..runtime import RuntimeActor, handles
from .actor import MAY_SAY, StrategyActor
from .order_ids import is_own

if TYPE_CHECKING:
    import msgspec

    from ..runtime import ActorAddress, Outcome

ANSWER_S: Final = 60.0
"""Seconds that an answer may take; the strategy waits for less."""

RETRY_AFTER_S: Final = 1.0
_ANSWERS: Final = frozenset(MESSAGE_TYPES)


class Deputy(RuntimeActor):
    """Speaks for one strategy."""

    says: ClassVar[frozenset[type] | None] = MAY_SAY | {ClaimAccepted, Told, DeputyBegan}
    State: ClassVar[type[msgspec.Struct] | None] = None
    cancel_on_stop: ClassVar[bool] = False

    def on_start(self) -> None:
        """Speak for nobody yet."""
        self._fence = self._claimed = 0
        self._submitted = self._fills = 0
        self.send(NODES, DeputyBegan(strategy=self.name))

    @handles(ClaimStrategy)
    def begin(self, claim: ClaimStrategy, _sender: ActorAddress) -> None:
        """Speak for who has claimed it, as soon as no fact of its orders can be missed."""
        self._fence, self._claimed = 0, claim.fence
        request = Subscribe(subscriber=self.name, topics=StrategyActor.ORDER_FACTS, sequenced=True)
        self.send(EVENTS, request)

    @handles(Subscribed)
    def hear_subscribed(self, _answer: Subscribed, _sender: ActorAddress) -> None:
        """Tell that it may begin."""
        if self._claimed:
            self._fence, self._claimed = self._claimed, 0
            self.send(NODES, ClaimAccepted(strategy=self.name, fence=self._fence))

    @handles(Said)
    def say(self, said: Said, _sender: ActorAddress) -> None:
        """Say it here, and tell the answer that is waited for."""
        if said.fence != self._fence:
            return
        try:
            message = decode(said.message)
        except UndecodableMessageError as fault:
            self._tell(_failed(said.actor, "", str(fault)), said.number)
            return
        kind = type(message)
        if said.actor not in ASKED_ELSEWHERE or kind not in MAY_SAY:
            self._tell(_failed(said.actor, kind.__name__, "it is not for a strategy to say"), said.number)
            return
        self._submitted += kind is SubmitOrder
        if client_order_id := getattr(message, "client_order_id", ""):
            self.join_trace(client_order_id)
        if said.number:
            then = functools.partial(self._answered, self._fence, said)
            self.ask(said.actor, message, timeout_s=ANSWER_S, then=then)
        else:
            self.send(said.actor, message)

    def _answered(self, fence: int, said: Said, outcome: Outcome) -> None:
        if fence != self._fence:
            return
        answer = outcome.value
        if type(answer) not in _ANSWERS:
            reason = str(outcome.error or f"{type(answer).__name__} has no wire form")
            answer = Unavailable(actor=said.actor, reason=reason, retry_after_s=RETRY_AFTER_S)
        self._tell(answer, said.number)

    @handles(JournalRecord)
    def hear_record(self, record: JournalRecord, _sender: ActorAddress) -> None:
        """Tell a fact of the strategy's orders."""
        fact: Any = record.fact  # subscribed to by their types
        if self._fence and is_own(self.name, fact.client_order_id):
            self._fills += type(fact) is OrderFilled
            self._tell(record)

    def on_unhandled(self, message: Any, sender: ActorAddress) -> None:
        """Tell what is answered to the strategy itself."""
        if type(message) in _ANSWERS and self._fence:
            self._tell(message)
        elif not isinstance(message, Failed | Unavailable):
            super().on_unhandled(message, sender)

    def _tell(self, message: msgspec.Struct, number: int = 0) -> None:
        told = Told(strategy=self.name, fence=self._fence, message=encode(message), number=number)
        self.send(NODES, told)

    def statistics(self) -> StrategyStatistics:
        """Return what went through here; the rest is known on the other node."""
        return StrategyStatistics(
            strategy=self.name,
            ticks=0,
            orders=self._submitted,
            fills=self._fills,
            tick_to_strategy_us_p50=0.0,
            tick_to_strategy_us_p99=0.0,
        )


def deputy_of(loaded: type[StrategyActor]) -> type[Deputy]:
    """Return a deputy that a supervisor finds as it would find the strategy's own class."""
    return type(Deputy.__name__, (Deputy,), {
        "__module__": __name__, "State": loaded.State, "cancel_on_stop": loaded.cancel_on_stop,
    })  # fmt: skip


def _failed(actor: str, kind: str, reason: str) -> Failed:
    return Failed(actor=actor, message_type=kind, error="MessageRefusedError", reason=reason)
