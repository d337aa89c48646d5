"""The orders actor: the owner of the book of record, and the only actor that sends requests to the broker session.

Owns    the book of record and the risk state, both built from the journal alone, and the risk gate.
Hears   SubmitOrder, ModifyOrder, CancelOrder, SquaringOffEnded, ReadHoldings, SaveState and ReadState of a strategy;
        Tick, where a limit needs prices; of a person Resume, ChangeLimits, ReportPresence, ReadRisk, ReadOrders,
        ReadPositions, CancelOrders, SettleOrder, SettlePosition, and what people ask for by control as the fact
        OperationAsked; HaltTrading of the kill switch; ReduceOnly of the keeper of the access token, of
        reconciliation and of the heart; FundsTold, FreezeQuantitiesTold, BandsTold and PositionsDiffer of
        reconciliation;
        Appended, AppendRefused and JournalPage of the journal; OrderPlaced, OrderNotPlaced, OrderInDoubt,
        OrderReplaced, OrderNotReplaced, ReplaceInDoubt, OrderFound, OrderNotFound, LookupFailed, ExecutionReport,
        ReportRefused, OrdersLeft and ClockCompared of the broker session; Failed and Unavailable of both.
Sends   Append, ReadJournal, ReadCheckpoint and KeepCheckpoint to the journal; to the broker session PlaceOrder, at most
        once for each client order id and only when its intent is durable, ReplaceOrder, at most once for each change
        and only when that is durable, WithdrawOrder and FindOrder, and first of all OrdersSentBefore. A strategy
        receives facts from the events router; from here only the newest fact of a client order id that was used before,
        an OrderRefused or a ModificationRefused that could not be journaled, HoldingsRead and StateRead, once the
        journal is read back, and StateRefused. Resumed, when that is durable, or ResumeRefused; TradingHalted, when
        that is durable or could not be made so; LimitsInForce, when durable, or LimitsKept; PresenceNoted, when
        durable; OrderSettled, when durable, or SettleRefused; RiskRead, OrdersRead, PositionsRead, or Unavailable
        while the journal is read back; OrdersCancelling; Ping to the feed, where a person asks for prices that orders
        does not hear, and where a contract has expired; for that ReadHistory to the database, too; Subscribe to events,
        where a limit needs prices that needed none before.
Fails   when the account of the run cannot go on (AccountUnfinishedError: no restart helps), when the journal fails with
        appends unanswered (JournalLostError), or holds facts without their intent. Restarted, it is RECONCILING: it
        reads the journal back and looks up every open order; pending cancellations, a halt, states that are not
        durable yet, and what strategies square off are handed over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from ...domain.closing import as_told
from ...domain.freshness import is_late
from ...messages.addresses import BROKER, JOURNAL
from ...messages.broker import (
    ClockCompared,
    ExecutionReport,
    LookupFailed,
    OrderFound,
    OrderInDoubt,
    OrderNotFound,
    OrderNotPlaced,
    OrderNotReplaced,
    OrderPlaced,
    OrderReplaced,
    OrdersLeft,
    ReplaceInDoubt,
    ReportRefused,
)
from ...messages.control import OperationAsked
from ...messages.holdings import ReadHoldings
from ...messages.journal import Appended, AppendRefused
from ...messages.kill_switch import HaltTrading
from ...messages.market import Tick
from ...messages.order_listing import CancelOrders, ReadOrders, ReadPositions, SettleOrder, SettlePosition
from ...messages.orders import CancelOrder, ModifyOrder, SquaringOffEnded, SubmitOrder
from ...messages.presence import ReportPresence
from ...messages.reconciliation import PositionMismatch, PositionsDiffer
from ...messages.risk import BandsTold, ChangeLimits, FreezeQuantitiesTold, FundsTold, ReadRisk
from ...messages.risk_state import ReduceOnly, Resume
from ...messages.strategy_state import ReadState, SaveState
from ...messages.supervision import Failed, Unavailable
from ..runtime import READS_BACK_S, RuntimeActor, handles
from .halting import Halting
from .parts.answering import Answering
from .parts.awaiting import Awaiting
from .parts.bracketing.keeping import Bracketing
from .parts.cancelling import Cancelling
from .parts.changing import Changing
from .parts.clock_watch import ClockWatch
from .parts.context import OrdersContext
from .parts.due import (
    BracketDue,
    CancelDue,
    ChangeDue,
    DayDue,
    ExpiryDue,
    LookUpDue,
    ReadDue,
    ReconcileDue,
    SquaringOffDue,
    StatesDue,
    StopDue,
    WatchDue,
)
from .parts.expiring import Expiring
from .parts.gate import Gate
from .parts.hearing import Hearing
from .parts.journaling import Journaling
from .parts.limiting import Limiting
from .parts.operator_watch import OperatorWatch
from .parts.placing import Placing
from .parts.resolving import Resolving
from .parts.risk_keeping import RiskKeeper
from .parts.senders import only_strategy
from .parts.settling import Settling
from .parts.settling_positions import SettlingPositions
from .parts.squared_off import SquaredOffThere
from .parts.starting import Starting
from .parts.state_keeping import StateKeeping
from .rules import NO_PRICE
from .settings import OrdersActorSettings

if TYPE_CHECKING:
    from ...domain.clock_jumps import Look
    from ...messages.system import Statistics
    from ..runtime import ActorAddress, Timer
    from .parts.bracketing.squaring_off import Handover as SquaringOffHandover
    from .parts.risk_keeping import Handover as RiskHandover
    from .parts.state_keeping import Handover as StateHandover
    from .rules import Bands, Funds

Handover: TypeAlias = tuple[
    int,
    dict[str, dict[str, str]],
    "RiskHandover",
    bool,
    tuple[bool, frozenset[str]],
    "StateHandover",
    "Funds | None",
    tuple[PositionMismatch, ...],
    "Bands",
    "SquaringOffHandover",
    frozenset[str],
    dict[str, int],
    "ClockCompared | None",
    "Look",
]
"""The newest `life` number given to a strategy; pending cancellations; what of the risk state is not durable; whether
the account of this run has been entered, which happens once in a run; what is to be cancelled; what of the states of
strategies is not durable; what the broker has told of the account's funds, which positions it has
otherwise, and the exchange's price bands; which strategies square off, and what they could not close; which orders the
broker has otherwise, and the greatest order of each symbol; how far its clock is from ours, and the last look whether
ours was set ahead."""


LEFT_AGAIN_S: Final = 1.0
"""Seconds until `OrdersLeft` is looked at again, where the journal is not read back yet."""


ANSWERS_AT_STOP_S: Final = 5.0
"""Seconds that a stop waits for the broker's answers; a request may be in flight for longer."""


class OrdersActor(RuntimeActor):
    """Passes each order through the gate, the journal and the broker session, in this sequence."""

    start_s = READS_BACK_S
    ready_when_told = True
    settings: OrdersActorSettings

    def on_start(self) -> None:
        """Begin with an empty book, and read the journal."""
        context = self._context = OrdersContext(self)
        halting = self._halting = Halting()
        resolving = self._resolving = Resolving(context)
        cancelling = self._cancelling = Cancelling(context, halting, resolving)
        risk = self._risk = RiskKeeper(context, halting, cancelling)
        self._clock_watch = ClockWatch(context, risk)
        gate = self._gate = Gate(context, risk)
        states = self._states = StateKeeping(context)
        changing = self._changing = Changing(context, gate, risk, states)
        hearing = self._hearing = Hearing(context, risk, resolving, cancelling, changing)
        awaiting = Awaiting(context)
        self._settling = Settling(context, hearing, awaiting)
        self._settling_positions = SettlingPositions(context, awaiting)
        self._squared_off = SquaredOffThere(context)
        expiring = self._expiring = Expiring(context)
        limiting = self._limiting = Limiting(context, gate, risk)
        placing = self._placing = Placing(context, gate, risk, halting, cancelling, resolving, hearing, states)
        operator = self._operator = OperatorWatch(context, risk)
        self._answering = Answering(context, risk, operator)
        bracketing = self._bracketing = Bracketing(context, risk, cancelling)
        starting = self._starting = Starting(
            context,
            risk,
            cancelling,
            resolving,
            hearing,
            self._answering,
            bracketing,
            states,
            limiting,
            operator,
            expiring,
        )
        self._journaling = Journaling(
            context, risk, resolving, cancelling, changing, awaiting, states, placing, bracketing, starting, expiring
        )
        self._ledger = context.ledger
        self._warned: tuple[str, ...] = ()
        self._gives_up: Timer | None = None
        starting.read_on()

    def snapshot(self) -> Handover:
        """Hand over what is not in the journal."""
        return (
            self._context.read_back.newest_life,
            self._cancelling.withdrawals.handover(),
            self._risk.handover(),
            self._starting.has_entered,
            self._halting.handover(),
            self._states.handover(),
            self._context.funds,
            self._context.theirs.differing,
            self._context.bands,
            self._bracketing.squaring_off.handover(),
            self._context.changed_there,
            self._context.freeze_quantities,
            self._context.clock,
            self._clock_watch.seen,
        )

    def restore(self, state: Handover) -> None:
        """Take it over; pending cancellations are sent when the journal has been read back."""
        newest_life, waiting, risk, self._starting.has_entered, halting, states, funds, differing, bands = state[:9]
        squaring, changed_there, freeze_quantities, clock, self._clock_watch.seen = state[9:]
        self._context.read_back.newest_life = newest_life
        self._context.funds, self._context.bands = funds, bands
        self._context.changed_there, self._context.freeze_quantities = changed_there, freeze_quantities
        self._context.clock = clock
        self._context.theirs = as_told(differing)
        self._states.restore(states)
        self._risk.restore(risk)
        self._halting.restore(halting)
        self._cancelling.withdrawals.restore(waiting)
        self._bracketing.squaring_off.restore(squaring)

    # From the strategies.

    @handles(SubmitOrder)
    def submit(self, order: SubmitOrder, sender: ActorAddress) -> None:
        """Ask the gate, and have its decision journaled."""
        self._clock_watch.look()
        self._placing.submit(order, sender)

    @handles(ModifyOrder)
    def modify(self, request: ModifyOrder, sender: ActorAddress) -> None:
        """Ask the gate whether an order may be changed so, and have its decision journaled."""
        self._clock_watch.look()
        self._changing.modify(request, sender)

    @handles(CancelOrder)
    def cancel(self, request: CancelOrder, sender: ActorAddress) -> None:
        """Cancel the open quantity of the order, as soon as it has been placed; in every risk state."""
        if request.squares_off:
            self._bracketing.begin_squaring_off(request.client_order_id, sender)
        else:
            self._cancelling.cancel_for(request.client_order_id, sender)

    @handles(SquaringOffEnded)
    def end_squaring_off(self, ended: SquaringOffEnded, sender: ActorAddress) -> None:
        """Close what a strategy wanted closed and could not, as far as exits were cancelled for that."""
        if only_strategy(sender) in {"", ended.strategy}:
            self._bracketing.end_squaring_off(ended)

    @handles(ReadHoldings)
    def tell_holdings(self, request: ReadHoldings, sender: ActorAddress) -> None:
        """Answer what a strategy holds, once the journal is read back."""
        self._states.begins(request, sender)
        self._answering.tell_holdings(request.strategy, sender)
        self._bracketing.forget_squaring_off(request.strategy)

    @handles(SaveState)
    def save_state(self, request: SaveState, sender: ActorAddress) -> None:
        """Keep the state of a strategy; it is durable before any order that comes behind it."""
        self._states.save(request, sender)

    @handles(ReadState)
    def tell_state(self, request: ReadState, sender: ActorAddress) -> None:
        """Answer what a strategy saved last, once the journal is read back."""
        self._states.tell(request, sender)

    @handles(Tick)
    def hear_price(self, tick: Tick, _sender: ActorAddress) -> None:
        """Keep the market's last price of each symbol; what a strategy says of it does not count."""
        market = self._context.market
        if market is None:
            return
        known_ns = market.get(tick.symbol, NO_PRICE)[1]
        if tick.exchange_ns >= known_ns or not is_late(tick.exchange_ns, known_ns, self.clock.now_ns()):
            market[tick.symbol] = tick.price, tick.exchange_ns

    # From a person, the kill switch, and whoever limits for a time.

    @handles(ReadRisk)
    def tell_risk(self, _request: ReadRisk, sender: ActorAddress) -> None:
        """Answer how much of each limit is used, and how each number was formed."""
        self._clock_watch.look()
        self._answering.tell_risk(sender)

    @handles(ReadOrders)
    def tell_orders(self, request: ReadOrders, sender: ActorAddress) -> None:
        """List orders."""
        self._answering.tell_orders(request, sender)

    @handles(ReadPositions)
    def tell_positions(self, request: ReadPositions, sender: ActorAddress) -> None:
        """Tell what the account holds."""
        self._answering.tell_positions(request, sender)

    @handles(CancelOrders)
    def cancel_orders(self, request: CancelOrders, sender: ActorAddress) -> None:
        """Cancel what a person wants cancelled, in every risk state."""
        self._cancelling.cancel_many(request, sender)

    @handles(SettleOrder)
    def settle_order(self, request: SettleOrder, sender: ActorAddress) -> None:
        """Take a person's word on an order in doubt."""
        self._settling.settle(request, sender)

    @handles(SettlePosition)
    def settle_position(self, request: SettlePosition, sender: ActorAddress) -> None:
        """Take a person's word on shares that the broker has no more."""
        self._settling_positions.settle(request, sender)

    @handles(Resume)
    def resume(self, request: Resume, sender: ActorAddress) -> None:
        """Leave HALTED, or a REDUCING that a limit has caused, once that is durable."""
        self._risk.resume(request, sender)

    @handles(ChangeLimits)
    def change_limits(self, request: ChangeLimits, sender: ActorAddress) -> None:
        """Put other limits in force, stricter ones at once."""
        self._clock_watch.look()
        self._limiting.change(request, sender)

    @handles(ReportPresence)
    def note_presence(self, _request: ReportPresence, sender: ActorAddress) -> None:
        """Note that a person looks after the system, and answer once that is durable."""
        self._operator.tell(sender)

    @handles(OperationAsked)
    def hear_operation(self, fact: OperationAsked, _sender: ActorAddress) -> None:
        """Note a person's sign of life, if the operation is one."""
        self._operator.hear(fact)

    @handles(HaltTrading)
    def halt(self, request: HaltTrading, sender: ActorAddress) -> None:
        """Let nothing pass from now on, and cancel every open order; answered when the halt is durable."""
        self._risk.halt(request, sender)

    @handles(ReduceOnly)
    def limit(self, request: ReduceOnly, sender: ActorAddress) -> None:
        """Let only orders pass that reduce a position, until every sender has taken its request back."""
        self._risk.limit(request, sender)

    @handles(FundsTold)
    def hear_funds(self, told: FundsTold, _sender: ActorAddress) -> None:
        """Note the account's funds, and for which orders the broker has blocked margin already.

        Before the book is complete these orders are not known: the next comparison tells the funds again.
        """
        self._clock_watch.look()
        if self._context.is_read:
            self._gate.fund(told)

    @handles(BandsTold)
    def hear_bands(self, told: BandsTold, _sender: ActorAddress) -> None:
        """Note the exchange's price bands."""
        self._gate.band(told)

    @handles(FreezeQuantitiesTold)
    def hear_freeze_quantities(self, told: FreezeQuantitiesTold, _sender: ActorAddress) -> None:
        """Note how great an order may be at the exchange."""
        self._context.freeze_quantities |= told.of

    @handles(PositionsDiffer)
    def hear_positions(self, told: PositionsDiffer, _sender: ActorAddress) -> None:
        """Note where the broker's positions differ from the book's: an order closes only what it closes by both.

        And which orders somebody has changed there, and which positions the broker has squared off.
        """
        before = self._context.theirs
        self._context.theirs, self._context.changed_there = as_told(told.positions), frozenset(told.orders)
        self._context.is_compared |= not told.is_in_doubt
        for client_order_id in told.orders:
            order = self._ledger.order(client_order_id)
            if self._context.is_read and order is not None and order.is_open:
                self._resolving.doubt(client_order_id)  # a look-up takes over what somebody has changed there
        for squared_off in told.squared_off:
            self._squared_off.take(squared_off)
        if before is not self._context.theirs:
            self._bracketing.look_at_all()
            self._cancelling.look_at_stops()

    # From the journal.

    @handles(Appended)
    def act(self, answer: Appended, _sender: ActorAddress) -> None:
        """Act on durable facts: an intent is placed now, and only now."""
        self._clock_watch.look()
        self._journaling.appended(answer)

    @handles(AppendRefused)
    def give_up(self, answer: AppendRefused, _sender: ActorAddress) -> None:
        """Place nothing whose intent is not durable. Refused facts of the broker are looked up again later."""
        self._journaling.refused(answer)

    # From the broker session.

    @handles(OrderPlaced, OrderNotPlaced, OrderInDoubt)
    def hear_answer(self, answer: OrderPlaced | OrderNotPlaced | OrderInDoubt, _sender: ActorAddress) -> None:
        """Journal the outcome of placing; an order in doubt is looked up, and never sent again."""
        self._hearing.answer(answer)

    @handles(OrderReplaced, OrderNotReplaced)
    def hear_of_change(self, answer: OrderReplaced | OrderNotReplaced, _sender: ActorAddress) -> None:
        """Journal the outcome of a change."""
        self._hearing.change(answer)

    @handles(ReplaceInDoubt)
    def doubt_change(self, answer: ReplaceInDoubt, _sender: ActorAddress) -> None:
        """Look the order up until it shows what became of its change, which is never sent again."""
        self._hearing.change_in_doubt(answer)

    @handles(ExecutionReport)
    def hear_report(self, report: ExecutionReport, _sender: ActorAddress) -> None:
        """Journal what happened at the exchange."""
        self._hearing.report(report)

    @handles(OrderFound)
    def hear_found(self, found: OrderFound, _sender: ActorAddress) -> None:
        """Journal what the broker reports and the book does not have."""
        self._hearing.found(found)

    @handles(OrderNotFound)
    def hear_not_found(self, answer: OrderNotFound, _sender: ActorAddress) -> None:
        """Conclude that the order never arrived, but only when it is older than any request can be in flight."""
        self._hearing.not_found(answer)

    @handles(LookupFailed)
    def hear_nothing(self, answer: LookupFailed, _sender: ActorAddress) -> None:
        """Keep the order as it is, and look it up again."""
        self._hearing.lookup_failed(answer)

    @handles(ReportRefused)
    def hear_refused(self, refused: ReportRefused, _sender: ActorAddress) -> None:
        """Look up an order whose report could not be true; until then it stays as it is."""
        self._hearing.report_refused(refused)

    @handles(ClockCompared)
    def hear_clock(self, compared: ClockCompared, _sender: ActorAddress) -> None:
        """Note how far our clock and the broker's are apart."""
        self._context.clock = compared

    @handles(OrdersLeft)
    def hear_left(self, left: OrdersLeft, _sender: ActorAddress) -> None:
        """Halt if an order has left without an intent, or has left twice."""
        if self._context.is_read:
            self._hearing.left(left)
        else:
            self.after(LEFT_AGAIN_S, left)

    @handles(Failed, Unavailable)
    def hear_failure(self, answer: Failed | Unavailable, _sender: ActorAddress) -> None:
        """Treat every request that the failed actor may have dropped as unanswered; the message names none.

        Raises:
            JournalLostError: appends are unanswered, and only reading the journal back shows which are durable.
        """
        self.log("answer.failed", level="error", actor=answer.actor, reason=answer.reason)
        if answer.actor == JOURNAL:
            self._starting.journal_failed(answer.reason)
        elif answer.actor == BROKER:
            self._hearing.session_failed(answer.reason)

    # From itself.

    @handles(LookUpDue)
    def look_up(self, _message: LookUpDue, _sender: ActorAddress) -> None:
        """Look up every order in doubt, and every placed order without an answer since the last round."""
        self._resolving.look_up()

    @handles(ReconcileDue)
    def reconcile_again(self, _message: ReconcileDue, _sender: ActorAddress) -> None:
        """Look up every order that is open at the broker."""
        self._clock_watch.look()
        self._resolving.look_at_all()
        self._bracketing.look_at_all()

    @handles(BracketDue)
    def ask_again(self, due: BracketDue, _sender: ActorAddress) -> None:
        """Ask once more for what a bracket still needs."""
        self._bracketing.ask_again(due.entry, due.step)

    @handles(DayDue)
    def begin_day(self, _message: DayDue, _sender: ActorAddress) -> None:
        """Look whether exits may be placed that wait for a session."""
        self._bracketing.begin_day()

    @handles(SquaringOffDue)
    def look_at_squaring_off(self, _message: SquaringOffDue, _sender: ActorAddress) -> None:
        """Look whether a strategy has squared off for too long."""
        self._bracketing.look_at_squaring_off()

    @handles(ExpiryDue)
    def look_at_expiries(self, _message: ExpiryDue, _sender: ActorAddress) -> None:
        """Close what has expired of what is held."""
        self._expiring.look()

    @handles(CancelDue)
    def cancel_again(self, _message: CancelDue, _sender: ActorAddress) -> None:
        """Cancel once more what the kill switch is to have cancelled, and is open still."""
        self._cancelling.cancel_again()

    @handles(StatesDue)
    def write_states(self, _message: StatesDue, _sender: ActorAddress) -> None:
        """Append once more what the journal has refused of states."""
        self._states.write_all_owed()

    @handles(ChangeDue)
    def write_halt(self, _message: ChangeDue, _sender: ActorAddress) -> None:
        """Append a halt, or that the day goes on, once more, unless it has become durable meanwhile."""
        self._risk.write_again()

    @handles(ReadDue)
    def read_again(self, _message: ReadDue, _sender: ActorAddress) -> None:
        """Read the journal again."""
        self._starting.read_on()

    @handles(WatchDue)
    def look_at_limits(self, _message: WatchDue, _sender: ActorAddress) -> None:
        """Look at the limits of the day, which may be passed by prices alone, without an order."""
        self._clock_watch.look()
        self._limiting.watch_again()
        if self._context.is_read:
            now_ns = self.clock.now_ns()
            self._risk.watch(now_ns)
            self._operator.look()
            self._bracketing.look_at_prices()
            told = (
                self._risk.warning(now_ns),
                self._operator.warning(),
                self._bracketing.warning(),
                self._expiring.warning(),
            )
            warnings = tuple(filter(None, told))
            for warning in warnings:
                if warning not in self._warned:
                    self.log("orders.warned", level="warning", reason=warning)
            self._warned, self.trouble = warnings, "; ".join(warnings)

    @handles(StopDue)
    def stop_waiting(self, _message: StopDue, _sender: ActorAddress) -> None:
        """Treat what has no answer as in doubt: the next start looks it up."""
        self._gives_up = None
        self._hearing.session_failed(f"a stop, and no answer in {ANSWERS_AT_STOP_S:g} s")

    # State.

    def is_drained(self) -> bool:
        """Whether every append has its answer, and every order and change one, or none in `ANSWERS_AT_STOP_S`."""
        is_asking = bool(self._resolving.lookups.placing or self._changing)
        if is_asking and self._gives_up is None:
            self._gives_up = self.after_on_machine(ANSWERS_AT_STOP_S, StopDue())
        return not self._ledger and not is_asking

    def statistics(self) -> Statistics:
        """Return the counts of the current account; before its book is complete only those that every actor has."""
        if not self._context.is_read:
            return super().statistics()
        return self._ledger.book.statistics(
            self._risk.state,
            self._risk.cause,
            illegal_transitions=self._hearing.illegal_transitions,
            unprotected=self._bracketing.unprotected,
            now_ns=self.clock.now_ns(),
        )
