"""The flattener: closes positions by limit orders that follow the market, when a person or the kill switch wants it.

Owns    nothing but which positions are to be closed; what is held and open it asks orders for, at each step anew.
Hears   Flatten of a person or of the kill switch; Tick of the symbols that are held, while it closes; facts of its
        orders, of which it tells why one was refused; Subscribed and Unsubscribed of events; JournalPage, Appended and
        AppendRefused of the journal.
Sends   FlatteningBegun to the sender; ReadHoldings, ReadPositions, ReadOrders, CancelOrder and SubmitOrder to orders,
        which lets it close in HALTED, too, and never lets it open; Subscribe and Unsubscribe to events; to the journal
        ReadJournal at the start, and Append of what is to be closed, and of its end.
Fails   not by an order that is refused: it tries again after a growing pause. Nor by a journal that cannot write: it
        closes at once, and has written as soon as it can be what is to be closed. Restarted, it goes on (hand-over); a
        new process goes on with what the journal says.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, TypeAlias, get_args

import msgspec

from ...domain.client_order_ids import OrderIds, is_own
from ...domain.flattening import Closing, Limits, Moves, next_moves
from ...domain.freshness import Moment, elapsed_ns, is_ahead, is_late
from ...domain.time import SECOND_NS
from ...messages.addresses import CLOSING, EVENTS, FLATTENER, JOURNAL, ORDERS
from ...messages.events import Subscribe, Subscribed, Unsubscribe, Unsubscribed
from ...messages.holdings import HoldingsRead, ReadHoldings
from ...messages.journal import Append, Appended, ReadJournal
from ...messages.kill_switch import Flatten, FlatteningBegun, FlatteningEnded, FlatteningFact, FlatteningWanted
from ...messages.market import Tick
from ...messages.order_listing import LISTED_MAX, OrdersRead, PositionsRead, ReadOrders, ReadPositions
from ...messages.orders import (
    CancelOrder,
    OrderAccepted,
    OrderFact,
    OrderFilled,
    OrderRefused,
    OrderRejected,
    SubmitOrder,
)
from ..runtime import JournalPages, RuntimeActor, handles

if TYPE_CHECKING:
    from ..runtime import ActorAddress, Outcome

STEP_S: Final = 1.0
ANSWER_S: Final = 5.0
PAUSE_S_MAX: Final = 60.0
NO_PRICE: Final = (0.0, 0)

PAGE_RECORDS: Final = 1_000
HEARD: Final = ("Tick", OrderAccepted.__name__, OrderRefused.__name__, OrderRejected.__name__)
"""Topics, of the symbols that are held."""

FACTS: Final = (FlatteningWanted.__name__, FlatteningEnded.__name__)

Target: TypeAlias = tuple[str, str]
"""A strategy and a symbol; empty: any."""

Handover: TypeAlias = tuple[frozenset[Target], tuple[FlatteningFact, ...], bool]
"""What is to be closed; what of it is not durable; whether the journal is read."""


class StepDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time for the next step."""


class WriteDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to try again to write."""


class ReadDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to read on in the journal."""


class FlattenActor(RuntimeActor):
    """Takes a step a second while anything is to be closed."""

    settings: Limits

    def on_start(self) -> None:
        """Wait until something is to be closed."""
        self._targets: set[Target] = set()
        self._prices: dict[str, tuple[float, int]] = {}
        self._watched: frozenset[str] = frozenset()
        self._unwritten: tuple[FlatteningFact, ...] = ()
        """What the journal has not confirmed yet."""

        self._is_writing = False
        self._askers: list[ActorAddress] = []
        """Who waits for the answer that what they want is durable."""

        self._tries: dict[Target, tuple[int, int, Moment]] = {}
        """By holding: the shares at the last try, tries since they changed, and when it was."""

        self._newest: dict[Target, str] = {}
        """By holding: the newest order that closes it."""

        self._refused: dict[Target, str] = {}
        """By holding: why that was refused, until one is not."""

        self._ids: OrderIds | None = None
        """None until orders has told the number of this life: an id of an earlier one would be answered, not placed."""

        self._is_stepping = False
        self._is_read = False
        self._earlier: set[Target] = set()
        """What the journal says, as far as it is read."""

        self._journaled = JournalPages(
            self,
            ReadJournal(records_max=PAGE_RECORDS, types=FACTS),
            timeout_s=ANSWER_S,
            take=lambda record: self._note_earlier(record.fact),
            done=self._go_on_with_earlier,
            unanswered=lambda _: self.after(STEP_S, ReadDue()),
        )
        self._journaled.read()

    def snapshot(self) -> Handover:
        """Hand over what is to be closed, and what of it is not durable."""
        return frozenset(self._targets), self._unwritten, self._is_read

    def restore(self, state: Handover) -> None:
        """Go on closing."""
        targets, self._unwritten, self._is_read = state
        self._targets = set(targets)
        self._begin()
        self._write_on()

    @handles(Flatten)
    def flatten(self, request: Flatten, sender: ActorAddress) -> None:
        """Begin to close."""
        self._targets.add((request.strategy, request.symbol))
        self._tries.clear()
        self.log("flatten.begun", level="warning", strategy=request.strategy, symbol=request.symbol, by=request.person)
        self._askers.append(sender)
        self._write(
            FlatteningWanted(
                strategy=request.strategy,
                symbol=request.symbol,
                person=request.person,
                occurred_ns=self.clock.now_ns(),
            )
        )
        self._begin()

    @handles(StepDue)
    def step(self, _message: StepDue, _sender: ActorAddress) -> None:
        """Ask for the number of this life, once, and what is held."""
        if self._ids is None:
            self.ask(ORDERS, ReadHoldings(strategy=FLATTENER), timeout_s=ANSWER_S, then=self._hear_life)
        else:
            self._look()

    @handles(Tick)
    def hear_price(self, tick: Tick, _sender: ActorAddress) -> None:
        """Keep the newest price."""
        if not is_late(tick.exchange_ns, self._prices.get(tick.symbol, NO_PRICE)[1], self.clock.now_ns()):
            self._prices[tick.symbol] = tick.price, tick.exchange_ns

    @handles(*get_args(OrderFact))
    def hear_fact(self, fact: OrderFact, _sender: ActorAddress) -> None:
        """Note why an order of its own closes nothing; what else it changes is seen at the next step."""
        of = next((each for each, name in self._newest.items() if name == fact.client_order_id), None)
        if of is None:
            return
        self.log("flatten.heard", fact=type(fact).__name__, client_order_id=fact.client_order_id)
        if isinstance(fact, OrderRefused | OrderRejected):
            self._refused[of] = fact.reason
        elif isinstance(fact, OrderAccepted | OrderFilled):
            self._refused.pop(of, None)

    @handles(Subscribed, Unsubscribed)
    def note(self, _message: Subscribed | Unsubscribed, _sender: ActorAddress) -> None:
        """Do nothing: the prices come, or come no more."""

    # The journal.

    @handles(ReadDue)
    def read(self, _message: ReadDue, _sender: ActorAddress) -> None:
        """Read on what an earlier process was to close."""
        self._journaled.read()

    def _go_on_with_earlier(self) -> None:
        if self._is_read:  # the instance before had read it, and what it was to close was handed over
            return
        self._is_read = True
        for strategy, symbol in sorted(self._earlier):
            self.log("flatten.resumed", level="warning", strategy=strategy, symbol=symbol)
        self._targets |= self._earlier
        self._begin()

    def _note_earlier(self, fact: object) -> None:
        match fact:
            case FlatteningWanted():
                self._earlier.add((fact.strategy, fact.symbol))
            case FlatteningEnded():
                self._earlier.discard((fact.strategy, fact.symbol))

    def _write(self, fact: FlatteningFact) -> None:
        self._unwritten += (fact,)
        self._write_on()

    @handles(WriteDue)
    def write_again(self, _message: WriteDue, _sender: ActorAddress) -> None:
        """Try once more to write what was refused."""
        self._write_on()

    def _write_on(self) -> None:
        """Have the journal write what it has not, one append at a time."""
        if not self._unwritten or self._is_writing:
            return
        self._is_writing, facts = True, self._unwritten
        askers, self._askers = self._askers, []

        def hear(outcome: Outcome) -> None:
            self._is_writing = False
            problem = ""
            if isinstance(outcome.value, Appended):
                self._unwritten = self._unwritten[len(facts) :]
            else:
                problem = str(getattr(outcome.value, "reason", "") or outcome.error)
                self.log("flatten.not_written", level="error", facts=len(facts), reason=problem)
            for asker in askers:
                self.send(asker, FlatteningBegun(not_written=problem))
            if problem:
                self.after(STEP_S, WriteDue())
            else:
                self._write_on()

        self.ask(JOURNAL, Append(facts=facts), timeout_s=ANSWER_S, then=hear)

    # Helpers.

    def _begin(self) -> None:
        if self._targets and not self._is_stepping:
            self._is_stepping = True
            self.step(StepDue(), self.myAddress)

    def _hear_life(self, outcome: Outcome) -> None:
        if isinstance(outcome.value, HoldingsRead):
            self._ids = OrderIds(CLOSING, life=outcome.value.life)
            self.step(StepDue(), self.myAddress)
        else:
            self._go_on_later(f"an answer of orders wanted, found {outcome.value or outcome.error}")

    def _look(self) -> None:
        """Read what is open, then what is held: an order that fills in between shows as open, not as nothing."""
        targets = frozenset(self._targets)

        def hear_orders(outcome: Outcome) -> None:
            opened = outcome.value
            if not isinstance(opened, OrdersRead):
                self._go_on_later(f"an answer of orders wanted, found {opened or outcome.error}")
                return

            def hear_positions(then: Outcome) -> None:
                if isinstance(then.value, PositionsRead):
                    self._take_prices(then.value)
                    self._act(then.value, opened, targets)
                else:
                    self._go_on_later(f"an answer of orders wanted, found {then.value or then.error}")

            self.ask(ORDERS, ReadPositions(), timeout_s=ANSWER_S, then=hear_positions)

        self.ask(ORDERS, ReadOrders(open_only=True, orders_max=LISTED_MAX), timeout_s=ANSWER_S, then=hear_orders)

    def _take_prices(self, found: PositionsRead) -> None:
        for price in found.prices:
            known_ns = self._prices.get(price.symbol, NO_PRICE)[1]
            if price.priced_ns > known_ns or is_ahead(known_ns, self.clock.now_ns()):
                self._prices[price.symbol] = price.price, price.priced_ns
        self._watch(frozenset(each.symbol for each in found.held))

    def _watch(self, symbols: frozenset[str]) -> None:
        """Hear the prices of what is held, and what becomes of the orders that close it."""
        if symbols <= self._watched:
            return
        self._watched = symbols
        self.send(EVENTS, Unsubscribe(subscriber=FLATTENER))
        self.send(EVENTS, Subscribe(subscriber=FLATTENER, topics=HEARD, symbols=tuple(sorted(symbols))))

    def _act(self, positions: PositionsRead, opened: OrdersRead, looked_for: frozenset[Target]) -> None:
        """Do what is next; what was wanted only since the look began is not told done by it."""
        waiting: list[str] = []
        cancelled: set[str] = set()
        held = {(each.strategy, each.symbol): each.quantity for each in positions.held}
        for strategy, symbol in sorted(self._targets):
            moves: Moves = next_moves(
                positions.held,
                opened.orders,
                self._prices,
                strategy=strategy,
                symbol=symbol,
                is_own=functools.partial(is_own, CLOSING),
                limits=self.settings,
                now_ns=self.clock.now_ns(),
                differing=positions.differing,
                bands={each.symbol: (each.low, each.high) for each in positions.prices if each.high},
                freeze_quantities=positions.freeze_quantities,
                refused=self._refused,
            )
            if moves.is_done and (strategy, symbol) in looked_for:
                self._targets.discard((strategy, symbol))
                if not self._targets:
                    self._newest.clear()
                    self._refused.clear()
                self._write(FlatteningEnded(strategy=strategy, symbol=symbol, occurred_ns=self.clock.now_ns()))
                self.log("flatten.done", level="warning", strategy=strategy, symbol=symbol)
            for client_order_id in moves.cancel:
                if client_order_id not in cancelled:
                    cancelled.add(client_order_id)
                    self.send(ORDERS, CancelOrder(client_order_id=client_order_id))
            for closing in moves.place:
                of = (closing.strategy, closing.symbol)
                if of in self._refused:
                    waiting.append(f"{closing.symbol}: an order that closes it was refused: {self._refused[of]}")
                if self._may_try(of, held[of]):  # once in a step, however many want it closed
                    self._place(closing)
            waiting += moves.waiting
        self._go_on_later("; ".join(dict.fromkeys(waiting)))

    def _may_try(self, of: Target, quantity: int) -> bool:
        """Say whether it is time to try again to close a holding, after tries that changed nothing."""
        now = Moment(self.clock.now_ns(), self.clock.monotonic_ns())
        before, tries, tried = self._tries.get(of, (quantity, 0, now))
        if before != quantity:
            tries = 0
        pause_s = min(STEP_S * 2 ** (tries - 1), PAUSE_S_MAX) if tries else 0.0
        if elapsed_ns(tried, now) < pause_s * SECOND_NS:
            return False
        self._tries[of] = (quantity, min(tries + 1, 10), now)
        return True

    def _place(self, closing: Closing) -> None:
        assert self._ids is not None, "the first step asks for the number of this life"
        client_order_id = self._newest[closing.strategy, closing.symbol] = self._ids.next()
        order = SubmitOrder(
            client_order_id=client_order_id,
            strategy=closing.strategy,
            symbol=closing.symbol,
            side=closing.side,
            quantity=closing.quantity,
            order_type="LIMIT",
            limit_price=closing.limit_price,
            submitted_ns=self.clock.now_ns(),
            reference_price=closing.last_price,
            reference_ns=closing.priced_ns,
        )
        self.send(ORDERS, order)

    def _go_on_later(self, trouble: str) -> None:
        """Take the next step in a while, if there is anything left to close."""
        if trouble and trouble != self.trouble:
            self.log("flatten.waiting", level="warning", reason=trouble)
        self.trouble = trouble
        self._is_stepping = bool(self._targets)
        if self._is_stepping:
            self.after(STEP_S, StepDue())
            return
        if self._watched:
            self._watched = frozenset()
            self.send(EVENTS, Unsubscribe(subscriber=FLATTENER))
