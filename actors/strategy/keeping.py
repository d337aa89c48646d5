"""What a strategy keeps from one life to the next: `self.state`, and which facts of its orders are in it.

Owns    the state, what its handlers ask of orders until the state that goes with it is saved, and the facts that it has
        not been handed yet.
Hears   StateRefused of orders, and Failed and Unavailable: then it saves the state again. As answers to what it asks:
        Subscribed of events, StateRead of orders, JournalPage of the journal.
Sends   SaveState and ReadState to orders; ReadJournal to the journal, at every start.
Fails   when the state cannot be read, is too large or no longer of its class, or when it is not answered what it is.

A handler of a strategy that declares a `State` happens as a whole or not at all: what it asks of orders leaves when it
has returned, right behind the state in which it is known. One that raises has not happened, and its fact is handed to
the next life, as are all facts that the saved state does not cover.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, ClassVar, Final, Never, cast

import msgspec

from ...domain.client_order_ids import is_own
from ...domain.orders import refused
from ...domain.time import SECOND_NS
from ...messages.addresses import EVENTS, JOURNAL, ORDERS
from ...messages.events import Subscribed
from ...messages.journal import JournalPage, JournalRecord, ReadJournal
from ...messages.market import Tick
from ...messages.orders import OrderFilled, OrderIntended, SubmitOrder
from ...messages.strategy_state import SUBMITTED_MAX, ReadState, SaveState, StateRead, StateRefused
from ...messages.supervision import Failed, Unavailable
from ..runtime import JournalPages, RuntimeActor, handles
from .errors import StateOutdatedError, StateUnknownError
from .remembering import Remembering
from .state import Keeper, StateForm

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgspec import Struct

    from ...messages.events import Subscribe
    from ...messages.orders import CancelOrder, ModifyOrder, OrderFact
    from ..runtime import ActorAddress, Outcome, Timer
    from ..runtime.dispatch import Handler, HandlerTable

ANSWER_TIMEOUT_S: Final = 10.0
"""Seconds that events, orders and the journal may take for an answer at a start."""

PAGE_RECORDS: Final = 10_000

LOOK_NS: Final = SECOND_NS
"""In a live market a tick looks so often, in nanoseconds, whether ticks have changed the state."""

SAVE_AGAIN_S: Final = 1.0
"""Seconds until a state that orders did not take is saved again."""

NEVER_SENT: Final = "nothing was sent: the strategy or the system ended before the order came to the gate"
NEVER_NS: Final = 1 << 63
_DECLARED: Final = "_declared_handler"


class SaveAgain(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to save a state that orders did not take."""


ALONE: Final = frozenset({JournalRecord, SaveAgain})
"""Handlers that look after the state themselves."""


class Keeping(Remembering):
    """The part of `StrategyActor` that is about `self.state`."""

    State: ClassVar[type[Struct] | None] = None
    """A Struct of msgspec, each field with a default: `self.state` is one, and outlives restarts. None: there is no
    `self.state`."""

    TOPICS: ClassVar[tuple[str, ...]]
    ORDER_FACTS: ClassVar[tuple[str, ...]]

    state: Any

    @classmethod
    def handlers_of(cls) -> HandlerTable:
        """Return the handlers; of a class with a state, those that look after it."""
        table = super().handlers_of()
        return table if cls.State is None else table.behind(_settling)

    # Life.

    def on_start(self) -> None:
        """Know no state yet."""
        super().on_start()
        self._keeper = None if self.State is None else Keeper(StateForm(self.State), name=self.name)
        self._outbox: list[tuple[str, SubmitOrder | ModifyOrder | CancelOrder]] = []
        self._missed: list[JournalRecord] = []
        self._told: dict[str, set[str]] = {}
        self._unsent: tuple[SubmitOrder, ...] = ()
        self._looks = False
        self._look_at_ns = NEVER_NS
        self._has_failed = False
        self._saving_again: Timer | None = None
        if self._keeper is not None:
            vars(self)["on_stop"] = self._stop

    def _begins(self) -> bool:
        """Tell whether its first handler may be called."""
        raise NotImplementedError

    def _wait(self, message: Any) -> None:
        """Put a message by until it has begun."""
        raise NotImplementedError

    def on_order(self, fact: Any) -> None:
        """React to a fact that is no fill."""
        raise NotImplementedError

    def on_fill(self, fill: OrderFilled) -> None:
        """React to a trade."""
        raise NotImplementedError

    def _subscribe(self, request: Subscribe, then: Callable[[], None]) -> None:
        """Subscribe, and go on when that is answered: what becomes of an order from then on is heard."""
        self._ask(EVENTS, request, Subscribed, lambda _answer: then())

    def _ask(self, actor: str, request: Struct, wanted: type[Any], then: Callable[[Any], None]) -> None:
        def heard(outcome: Outcome) -> None:
            answer = outcome.value
            if not isinstance(answer, wanted):
                _unknown(actor, wanted, outcome)
            then(answer)

        self.ask(actor, request, timeout_s=ANSWER_TIMEOUT_S, then=heard)

    def _read_state(self, then: Callable[[], None]) -> None:
        """Ask for the state, and go on when it is known."""
        keeper = self._keeper
        if keeper is None:
            then()
            return

        def heard(answer: StateRead) -> None:
            vars(self)["state"] = keeper.take_over(answer)
            self._unsent = answer.unsent
            then()

        self._ask(ORDERS, ReadState(strategy=self.name), StateRead, heard)

    def _read_missed(self, then: Callable[[], None]) -> None:
        """Read the facts of its orders that are not in the state, and go on when all are there."""
        keeper = self._keeper
        if keeper is None:
            then()
        else:
            self._read_pages(self.ORDER_FACTS, self._miss, lambda: self._read_told(then), after=keeper.covers)

    def _miss(self, record: JournalRecord) -> None:
        if self._is_of_own(record.fact):
            self._missed.append(record)

    def _read_told(self, then: Callable[[], None]) -> None:
        """Read which trades of the orders concerned were handed over before: each comes once."""
        keeper = self._keeper
        assert keeper is not None, "asked only then"
        begun = {record.fact.client_order_id for record in self._missed if isinstance(record.fact, OrderIntended)}
        older = [record.fact.client_order_id for record in self._missed if isinstance(record.fact, OrderFilled)]
        to_read = [name for name in dict.fromkeys(older) if name not in begun]

        def read_on() -> None:
            if not to_read:
                then()
                return
            name = to_read.pop()
            told = self._told[name] = set()

            def take(record: JournalRecord) -> None:
                if record.sequence <= keeper.covers:
                    told.add(cast("OrderFilled", record.fact).trade_id)  # read by its type

            self._read_pages((OrderFilled.__name__,), take, read_on, key=name)

        read_on()

    def _read_pages(
        self,
        types: tuple[str, ...],
        take: Callable[[JournalRecord], None],
        then: Callable[[], None],
        *,
        after: int = 0,
        key: str = "",
    ) -> None:
        """Read the journal, and go on when all is taken in."""
        request = ReadJournal(after_sequence=after, records_max=PAGE_RECORDS, types=types, key=key)
        unanswered = functools.partial(_unknown, JOURNAL, JournalPage)
        JournalPages(self, request, timeout_s=ANSWER_TIMEOUT_S, take=take, done=then, unanswered=unanswered).read()

    def _is_of_own(self, fact: Any) -> bool:
        """Tell whether it is of an order of this strategy; of a trade its own name says so, too."""
        return getattr(fact, "strategy", self.name) == self.name and is_own(self.name, fact.client_order_id)

    def _hand_missed(self) -> None:
        """Tell of the orders that never came, and hand over what the state does not cover, in order."""
        keeper = self._keeper
        if keeper is None:
            return
        for order in self._unsent:  # ahead of the first state of this life, behind which nobody names it any more
            self.on_order(refused(order, rule="restart", reason=NEVER_SENT, now_ns=self.clock.now_ns()))
        self._unsent = ()
        self._settle()
        cause = self.trace
        for record in self._missed:
            self.trace = cause
            self.join_trace(record.correlation_id)
            self._hand(cast("OrderFact", record.fact), record.sequence)  # read by their types
            keeper.handed(record.sequence)
            self._settle()
        self.trace = cause
        self._missed.clear()
        self._told.clear()
        self._looks = not self.market_rules
        self._look_at_ns = 0 if self._looks else NEVER_NS

    def _hand(self, fact: OrderFact, sequence: int) -> None:
        """Hand one fact over; a trade only once."""
        self._note(fact, sequence)
        if isinstance(fact, OrderFilled):
            told = self._told.setdefault(fact.client_order_id, set())
            if fact.trade_id not in told:
                told.add(fact.trade_id)
                self.on_fill(fact)
        else:
            self.on_order(fact)

    def _note(self, fact: OrderFact, sequence: int) -> bool:
        """Let holdings and handles know a fact that the journal has as this record; False if that changes nothing."""
        if not self._holdings.is_news(sequence):
            return False
        if isinstance(fact, OrderFilled):
            if not self._holdings.add(fact, sequence):
                return False
            self._positions.pop(fact.symbol, None)
        self._orders.hear(fact)
        return True

    # After each handler.

    def _send_of(self, client_order_id: str, request: SubmitOrder | ModifyOrder | CancelOrder) -> None:
        """Send what is asked of an order; of a strategy with a state not before that is saved."""
        if self._keeper is None:
            super()._send_of(client_order_id, request)
        else:
            self._outbox.append((client_order_id, request))

    def _settle(self, *, is_due: bool = False, is_half_done: bool = False) -> None:
        """Save the state if that is due, and then let leave what was asked of orders.

        Orders places none that no state names.
        """
        keeper, outbox = self._keeper, self._outbox
        assert keeper is not None, "its handlers are not wrapped otherwise"
        encoded = keeper.newest if is_half_done else keeper.form.encode(self.state, name=self.name)
        while True:
            part, outbox = outbox[:SUBMITTED_MAX], outbox[SUBMITTED_MAX:]
            submitted = tuple(request for _, request in part if isinstance(request, SubmitOrder))
            if is_due or submitted or keeper.is_due(encoded, orders_leave=bool(part)):
                self._save(encoded, submitted)
            self._outbox = outbox
            for client_order_id, request in part:
                super()._send_of(client_order_id, request)
            if not outbox:
                return

    def _save(self, encoded: bytes, submitted: tuple[SubmitOrder, ...]) -> None:
        keeper = self._keeper
        assert keeper is not None, "there is a state"
        request = SaveState(
            strategy=self.name,
            number=keeper.number + 1,
            covers=keeper.covers,
            state=encoded,
            submitted=submitted,
            life=keeper.life,
        )
        self.send(ORDERS, request)
        keeper.saved(encoded)

    @handles(StateRefused)
    def hear_state_refused(self, answer: StateRefused, _sender: ActorAddress) -> None:
        """Begin anew, with the state that another life has saved.

        Raises:
            StateOutdatedError: always.
        """
        raise StateOutdatedError(f"state {answer.number} of {self.name} wanted as the newest, found a newer one")

    @handles(Failed, Unavailable)
    def hear_failure(self, answer: Failed | Unavailable, sender: ActorAddress) -> None:
        """Save the state again soon: what orders did not take is not kept by anybody.

        It may be an answer to a life before this one: only what is asked has an answer that is waited for.
        """
        if self._keeper is None or answer.actor != ORDERS:
            self.on_unhandled(answer, sender)
        elif self._saving_again is None:
            self.log("state.not_taken", level="warning", reason=answer.reason)
            self._saving_again = RuntimeActor.after(self, SAVE_AGAIN_S, SaveAgain())

    @handles(SaveAgain)
    def save_again(self, _message: SaveAgain, _sender: ActorAddress) -> None:
        """Save the state once more."""
        self._saving_again = None
        if self._begins():
            self._settle(is_due=True)

    def _fail(self) -> None:
        """Give up what a handler that raised has done to the state, and asked of orders."""
        self._has_failed = True
        self._outbox = []

    def _stop(self) -> None:
        """Call the user's `on_stop`, and save the state; where a handler has left it half done, as it was before."""
        type(self).on_stop(self)
        if self._begins():
            self._settle(is_half_done=self._has_failed)
        for client_order_id, request in self._outbox:
            super()._send_of(client_order_id, request)


def _unknown(actor: str, wanted: type[Any], outcome: Outcome) -> Never:
    raise StateUnknownError(f"{wanted.__name__} of {actor} wanted, found {outcome.value}") from outcome.error


def declared(handler: Handler) -> Handler:
    """Return the handler that a class declares, without what is put round it."""
    return getattr(handler, _DECLARED, handler)


def _settling(handler: Handler) -> Handler:
    """Return a handler that looks after the state when the handler has returned."""
    types = getattr(handler, "_handles_types", ())
    looks_itself = bool(ALONE.intersection(types))
    if Tick in types:

        @functools.wraps(handler)
        def handle_tick(actor: Any, tick: Any, sender: ActorAddress) -> None:
            try:
                handler(actor, tick, sender)
            except BaseException:
                actor._fail()  # noqa: SLF001  as below
                raise
            if actor._outbox or tick.exchange_ns >= actor._look_at_ns:  # noqa: SLF001  written for speed
                actor._settle()  # noqa: SLF001
                actor._look_at_ns = tick.exchange_ns + LOOK_NS if actor._looks else NEVER_NS  # noqa: SLF001

        setattr(handle_tick, _DECLARED, handler)
        return handle_tick

    @functools.wraps(handler)
    def handle(actor: Any, message: Any, sender: ActorAddress) -> None:
        try:
            handler(actor, message, sender)
        except BaseException:
            actor._fail()  # noqa: SLF001  as above
            raise
        if not looks_itself and (actor._outbox or actor._looks):  # noqa: SLF001  as above
            actor._settle()  # noqa: SLF001

    setattr(handle, _DECLARED, handler)
    return handle
