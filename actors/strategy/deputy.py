"""The deputy of a strategy that runs on another node: sends its messages here, in its name.

Owns    which claim it speaks for, which class is to run under it, and its subscription to the facts of its orders.
Hears   ClaimStrategy and Said of the keeper of the nodes; the facts of its orders from the events router, each in its
        JournalRecord; SwapStrategy and ReloadStrategy of its supervisor; Subscribed of events, and whatever else is
        answered to it.
Sends   DeputyBegan, ClaimAccepted and Told to the keeper of the nodes; Subscribe to events; what the strategy says to
        those that it may speak to; StrategyChanged or StrategyNotChanged to its supervisor.
Fails   on no expected input: what cannot be said is answered to the strategy. Restarted, it knows of no claim, and its
        node has to claim the strategy anew.

It has the strategy's name, and by that its identity: position, orders and state are those of the name.

A change goes to the node as it is; from then on whoever claims the strategy begins with the new class, which can read
the state of either. Only that node's word that it was not done takes this back: so a claim that ends in between leaves
no doubt which class runs.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple

import msgspec

from ...domain.client_order_ids import is_own
from ...messages.addresses import EVENTS, NODES, STRATEGIES
from ...messages.codec import MESSAGE_TYPES, UndecodableMessageError, decode, encode
from ...messages.events import Subscribe, Subscribed
from ...messages.journal import JournalRecord
from ...messages.nodes import ASKED_ELSEWHERE, ClaimAccepted, ClaimStrategy, DeputyBegan, Said, Told
from ...messages.orders import OrderFilled, SubmitOrder
from ...messages.strategies import ReloadStrategy, StrategyChanged, StrategyNotChanged, SwapStrategy
from ...messages.supervision import Failed, Unavailable
from ...messages.system import StrategyStatistics
from ..runtime import RuntimeActor, handles
from .actor import MAY_SAY, StrategyActor
from .holdings import is_trade_of

if TYPE_CHECKING:
    from ..runtime import ActorAddress, Outcome

ANSWER_S: Final = 60.0
"""Seconds that an answer may take; the strategy waits for less."""

RETRY_AFTER_S: Final = 1.0
CHANGE_S: Final = 45.0
"""Seconds of the machine that a node may take for a change; then its claim is ended."""

_ANSWERS: Final = frozenset(MESSAGE_TYPES)


class ChangeOverdue(msgspec.Struct, frozen=True, gc=False):
    """To itself: the node should have answered to the change of this number."""

    number: int


class Changing(NamedTuple):
    """A change that was passed on to a node."""

    number: int
    asker: ActorAddress
    before: str
    """`module:Class` that runs if it is not done."""


class Deputy(RuntimeActor):
    """Speaks for one strategy."""

    says: ClassVar[frozenset[type] | None] = MAY_SAY | {
        ClaimAccepted, Told, DeputyBegan, StrategyChanged, StrategyNotChanged,
    }  # fmt: skip
    State: ClassVar[type[msgspec.Struct] | None] = None
    cancel_on_stop: ClassVar[bool] = False

    def on_start(self) -> None:
        """Speak for nobody yet."""
        self._fence = self._claimed = 0
        self._submitted = self._fills = 0
        self._kind: str = self.settings.strategy
        """`module:Class` that whoever claims it begins with."""

        self._changes = 0
        self._change: Changing | None = None
        self.send(NODES, DeputyBegan(strategy=self.name))

    def snapshot(self) -> tuple[str, int, Changing | None]:
        """Hand over which class is to run, and the change that is under way."""
        return (self._kind, self._changes, self._change)

    def restore(self, state: tuple[str, int, Changing | None]) -> None:
        """Take it over; the claim is over, and with it the change has come to its end."""
        self._kind, self._changes, self._change = state
        self._end_change(self._changed())

    def on_stop(self) -> None:
        """End the claim: the strategy is not to run on where nobody hears it."""
        self.send(NODES, DeputyBegan(strategy=self.name))

    @handles(ClaimStrategy)
    def begin(self, claim: ClaimStrategy, _sender: ActorAddress) -> None:
        """Speak for who has claimed it, as soon as no fact of its orders can be missed."""
        self._fence, self._claimed = 0, claim.fence
        self._end_change(self._changed())
        request = Subscribe(subscriber=self.name, topics=StrategyActor.ORDER_FACTS, sequenced=True)
        self.send(EVENTS, request)

    @handles(Subscribed)
    def hear_subscribed(self, _answer: Subscribed, _sender: ActorAddress) -> None:
        """Tell that it may begin."""
        if self._claimed:
            self._fence, self._claimed = self._claimed, 0
            self.send(NODES, ClaimAccepted(strategy=self.name, fence=self._fence, kind=self._kind))

    @handles(Said)
    def say(self, said: Said, _sender: ActorAddress) -> None:
        """Send a message of the strategy here, and pass the answer back."""
        if said.fence != self._fence:
            return
        try:
            message = decode(said.message)
        except UndecodableMessageError as fault:
            self._tell(_failed(said.actor, "", str(fault)), said.number)
            return
        kind = type(message)
        if said.actor == STRATEGIES and isinstance(message, StrategyChanged | StrategyNotChanged):
            self._hear_of_change(message)
            return
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

    # A change of the strategy.

    @handles(SwapStrategy, ReloadStrategy)
    def change(self, request: SwapStrategy | ReloadStrategy, sender: ActorAddress) -> None:
        """Have it done where the strategy runs; where it runs nowhere, whoever claims it begins so."""
        if self._change is not None:
            self.send(sender, StrategyNotChanged(name=self.name, reason="it is being changed already", is_busy=True))
            return
        self._changes += 1
        self._change = Changing(self._changes, sender, self._kind)
        if isinstance(request, SwapStrategy):
            self._kind = request.strategy
        if self._fence:
            self._tell(request)
            self.after_on_machine(CHANGE_S, ChangeOverdue(self._changes))
        else:
            self._end_change(self._changed())

    @handles(ChangeOverdue)
    def end_claim(self, overdue: ChangeOverdue, _sender: ActorAddress) -> None:
        """End the claim of a node that does not answer to a change: it begins anew, there or on another one."""
        if self._change is None or self._change.number != overdue.number:
            return
        self.log("strategy.change_not_answered", level="error", strategy=self.name, kind=self._kind)
        self._fence = self._claimed = 0
        self.send(NODES, DeputyBegan(strategy=self.name))
        self._end_change(self._changed())

    def _hear_of_change(self, answer: StrategyChanged | StrategyNotChanged) -> None:
        if self._change is not None:
            if isinstance(answer, StrategyNotChanged):
                self._kind = self._change.before
            self._end_change(answer)
        elif isinstance(answer, StrategyNotChanged):
            self.log("strategy.not_begun_there", level="error", strategy=self.name, reason=answer.reason)
            self._fence = 0

    def _changed(self) -> StrategyChanged:
        return StrategyChanged(name=self.name, strategy=self._kind)

    def _end_change(self, answer: StrategyChanged | StrategyNotChanged) -> None:
        change, self._change = self._change, None
        if change is not None:
            self.send(change.asker, answer)

    # What it hears.

    @handles(JournalRecord)
    def hear_record(self, record: JournalRecord, _sender: ActorAddress) -> None:
        """Tell a fact of the strategy's orders, and a trade of its shares by whoever closes them."""
        fact: Any = record.fact  # subscribed to by their types
        if not self._fence:
            return
        if is_own(self.name, fact.client_order_id):
            self._fills += type(fact) is OrderFilled
            self._tell(record)
        elif is_trade_of(self.name, fact):
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
        """Return the counts of the messages that passed here; the others are the other node's."""
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
