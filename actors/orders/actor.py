"""The orders actor: the owner of the book of record, and the only actor that sends requests to the broker session.

Owns    the book of record and the risk state, both built from the journal alone, and the risk gate.
Hears   SubmitOrder, ModifyOrder, CancelOrder, ReadHoldings; Tick, where a limit needs prices; of a person Resume,
        ReadRisk, ReadOrders, ReadPositions and CancelOrders; HaltTrading of the kill switch; ReduceOnly of the keeper
        of the access token; Appended, AppendRefused and JournalPage of the journal; OrderPlaced, OrderNotPlaced,
        OrderInDoubt, OrderReplaced, OrderNotReplaced, ReplaceInDoubt, OrderFound, OrderNotFound, LookupFailed,
        ExecutionReport and ReportRefused of the broker session; Failed and Unavailable of both.
Sends   Append and ReadJournal to the journal; to the broker session PlaceOrder, at most once for each client order id
        and only when its intent is durable, ReplaceOrder, at most once for each change and only when that is durable,
        WithdrawOrder and FindOrder, and first of all OrdersSentBefore. A strategy receives facts from the events
        router; from here only the newest fact of a client order id that was used before, an OrderRefused or a
        ModificationRefused that could not be journaled, and HoldingsRead, once the journal is read back. Resumed, when
        that is durable, or ResumeRefused; TradingHalted, when that is durable or could not be made so; RiskRead,
        OrdersRead, PositionsRead and OrdersCancelling.
Fails   when the account of the run cannot go on (AccountUnfinishedError: no restart helps), when the journal fails with
        appends unanswered (JournalLostError), or holds facts without their intent. Restarted, it is RECONCILING: it
        reads the journal back and looks up every open order; pending cancellations and a halt that is not durable yet
        are handed over.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from ...config.halt_file import HaltFile
from ...domain.orders import intent_of
from ...domain.reports import instrument_fault
from ...domain.time import SECOND_NS
from ...domain.wording import printable
from ...messages.addresses import BROKER, FLATTENER, JOURNAL, KILL_SWITCH, ORDERS
from ...messages.broker import (
    ExecutionReport,
    FindOrder,
    LookupFailed,
    OrderFound,
    OrderInDoubt,
    OrderNotFound,
    OrderNotPlaced,
    OrderNotReplaced,
    OrderPlaced,
    OrderReplaced,
    OrdersSentBefore,
    PlaceOrder,
    ReplaceInDoubt,
    ReportRefused,
    WithdrawOrder,
)
from ...messages.journal import Append, Appended, AppendRefused, JournalPage, ReadJournal
from ...messages.kill_switch import HaltTrading, TradingHalted
from ...messages.market import Tick
from ...messages.order_listing import CancelOrders, OrdersCancelling, ReadOrders, ReadPositions
from ...messages.orders import (
    CancelOrder,
    ModificationIntended,
    ModificationRefused,
    ModifyOrder,
    OrderIntended,
    OrderRefused,
    OrdersStatistics,
    ReadHoldings,
    ReduceOnly,
    Resume,
    Resumed,
    ResumeRefused,
    RiskState,
    RiskStateChanged,
    SubmitOrder,
)
from ...messages.risk import ReadRisk, RiskRead
from ...messages.supervision import Failed, Unavailable
from ..runtime import RuntimeActor, handles
from . import modifications, updates
from .book.ledger import RISK_STATE, Entry, Ledger
from .book.listing import listed, positions, to_cancel
from .book.reading import ReadBack
from .errors import JournalLostError
from .halting import CANCEL_AGAIN_S, Halting
from .reconciling.lookups import Lookups
from .reconciling.rounds import Rounds
from .risk_state import RiskControl, changed, strictest, why_not_resumed
from .rules import NO_PRICE, MarketPrice, Refusal, Situation, Trip, contradiction, figures_of, judge, rules_of, tripped
from .rules.exposure import day_loss_max_rupees
from .rules.flow import repeats_max
from .rules.in_force import changes
from .settings import OrdersActorSettings
from .updates import Update
from .withdrawing.withdrawals import WITHDRAWALS_MAX, Withdrawals

if TYPE_CHECKING:
    from ...domain.orders import Order
    from ...messages.orders import KeptRiskState, OrderFact
    from ..runtime import ActorAddress, Outcome

JOURNAL_TIMEOUT_S: Final = 10.0
"""Seconds that the journal may take for a page, or to append the account of the run; then it is read again."""

SYMBOLS_MAX: Final = 10_000
"""Symbols whose limits are kept ready."""

RESTS_MAX: Final = 10
"""In a simulated market the interval of reconciliation doubles at most so often while nothing happens: to 17 hours."""

WATCH_S: Final = 1.0
"""Seconds between two looks at the day's loss, besides one after each fill; in a simulated market each order looks."""

Handover: TypeAlias = tuple[int, dict[str, frozenset[str]], tuple[str, str, str], bool, tuple[bool, frozenset[str]]]
"""The newest `life` number given to a strategy; pending cancellations; the cause of a halt that is not durable yet, and
who wants it; whether the account of this run has been entered, which happens once in a run; what is to be cancelled."""


def _only_strategy(sender: Any) -> str:
    """Return for which strategy alone the sender may speak; empty: for any.

    The name of a strategy is that of its address, whatever it says of itself. On a foreign base addresses name nobody.
    """
    return sender.name if getattr(sender, "says", None) is not None else ""


def _is_flattener(sender: Any) -> bool:
    """Tell whether it is the system's own closer of positions; no strategy or actor of a user has its name."""
    return getattr(sender, "name", "") == FLATTENER and not getattr(sender, "guest", True)


class LookUpDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to look up every order in doubt."""


class ReconcileDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to look up every order that is open at the broker."""


class WatchDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to look at the limits of the day."""


class ReadDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to read the journal again."""


class ChangeDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to append the halt to the journal again."""


class CancelDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to cancel again what the kill switch is to have cancelled."""


class OrdersActor(RuntimeActor):
    """Passes each order through the gate, the journal and the broker session, in this sequence."""

    ready_when_told = True
    settings: OrdersActorSettings

    def on_start(self) -> None:
        """Begin with an empty book, and read the journal."""
        self._ledger = Ledger(writer=f"{self.name}-{self.random.getrandbits(64):x}")
        self._risk = RiskControl()
        self._halting = Halting()
        self._halt_file = HaltFile(self.settings.halt_path) if self.settings.halt_path else None
        self._resumer: ActorAddress | None = None
        self._halted_because = ""
        self._is_read = self._is_ready = False
        self._read_back = ReadBack()
        self._has_entered = False
        self._askers: dict[str, list[ActorAddress]] = {}
        self._withdrawals = Withdrawals()
        self._holders: dict[str, ActorAddress] = {}
        self._lookups = Lookups()
        self._modifiers: dict[str, ActorAddress] = {}
        """Who asked for a change that is not durable yet, by client order id."""

        self._changing: dict[str, int] = {}
        """Numbers of the changes that were sent and have no answer, by client order id."""

        self._moment_ns = 0
        self._at_this_moment: Counter[str] = Counter()
        self._rules = rules_of(self.settings)
        self._limits: dict[str, OrdersActorSettings] = {}
        self._market: dict[str, MarketPrice] | None = {} if self.settings.need_prices else None
        self._next_round = Rounds(lambda after_s: self.after(after_s, LookUpDue()))
        self._next_reconciliation = Rounds(lambda after_s: self.after(after_s, ReconcileDue()))
        self._next_cancel = Rounds(lambda after_s: self.after(after_s, CancelDue()))
        self._rounds_without_news = 0
        if self.settings.day_loss_max_rupees and not self.market_rules:
            self.after(WATCH_S, WatchDue())
        self._read_on()

    def snapshot(self) -> Handover:
        """Hand over what is not in the journal."""
        return (
            self._read_back.newest_life,
            self._withdrawals.handover(),
            (self._risk.alarm, self._risk.alarmed_by, self._risk.limit),
            self._has_entered,
            self._halting.handover(),
        )

    def restore(self, state: Handover) -> None:
        """Take it over; pending cancellations are sent when the journal has been read back."""
        self._read_back.newest_life, waiting, risk, self._has_entered, halting = state
        self._risk.alarm, self._risk.alarmed_by, self._risk.limit = risk
        self._halting.restore(halting)
        self._withdrawals.restore(waiting)

    # From the strategies.

    @handles(SubmitOrder)
    def submit(self, order: SubmitOrder, sender: ActorAddress) -> None:
        """Ask the gate, and have its decision journaled; a repeat of an order is answered from the book.

        A different order with a used client order id is refused to its sender only: in the journal the refusal would
        count as a fact of the order that has the id.
        """
        now_ns = self.clock.now_ns()
        only = _only_strategy(sender)
        if only not in {"", order.strategy}:
            self.log("order.for_another", level="error", client_order_id=order.client_order_id, sender=only)
            reason = f"an order of {only}, its sender, wanted, found one of {printable(order.strategy)}"
            self.send(sender, updates.refused(order, Refusal(rule="identity", reason=reason), now_ns))
            return
        earlier = self._ledger.earlier(order.client_order_id)
        if earlier is not None:
            reused = contradiction(order, earlier)
            known = self._ledger.book.newest_fact(order.client_order_id)
            if reused is not None:
                self.log("order.id_reused", level="error", client_order_id=order.client_order_id, reason=reused.reason)
                self.send(sender, updates.refused(order, reused, now_ns))
            elif known is not None:
                self.send(sender, known)
            else:
                self._askers.setdefault(order.client_order_id, []).append(sender)
            return
        if not self._is_read:
            refusal = Refusal(rule="risk_state", reason="risk state NORMAL wanted, found RECONCILING: nothing was sent")
            self.send(sender, updates.refused(order, refusal, now_ns))
            return
        if self.market_rules:
            self._watch(now_ns)  # prices may have passed a limit without anything else that happened
        situation = self._situation(order.strategy, order.symbol, now_ns)
        situation.at_this_moment = self._count_at(now_ns, order.strategy)
        situation.closes = _is_flattener(sender)
        denied = judge(order, situation, self._rules)
        fact = intent_of(order, now_ns) if denied is None else updates.refused(order, denied, now_ns)
        self._askers[fact.client_order_id] = [sender]
        if situation.closes and denied is None:
            self._halting.closing.add(order.client_order_id)
        self.send(JOURNAL, self._ledger.write((fact,), order))
        if denied is not None and denied.rule == repeats_max.__name__:
            self._trip(Trip(state="REDUCING", cause=f"{denied.rule}: {denied.reason}"))
        elif denied is not None and denied.rule == day_loss_max_rupees.__name__:
            self._watch(now_ns)

    @handles(ModifyOrder)
    def modify(self, request: ModifyOrder, sender: ActorAddress) -> None:
        """Ask the gate whether an order may be changed so, and have its decision journaled."""
        client_order_id, now_ns = request.client_order_id, self.clock.now_ns()
        only, order = _only_strategy(sender), self._ledger.order(client_order_id)
        if order is None or not self._is_read or only not in {"", order.strategy}:
            self.log("change.refused", level="error", client_order_id=client_order_id, sender=only)
            refusal = Refusal(rule="identity", reason="an order of the sender's own wanted, found none of this id")
            self.send(sender, modifications.refused(client_order_id, refusal, now_ns))
            return
        wanted = modifications.terms_wanted(order, request)
        if order.pending is not None and wanted == modifications.terms_of(order.pending):
            return  # said twice: what becomes of the first is told
        denied = modifications.refusal_of(order, request, self._situation(order.strategy, order.symbol, now_ns))
        if denied is None:
            fact: OrderFact = modifications.intended(order, wanted, now_ns)
        else:
            fact = modifications.refused(client_order_id, denied, now_ns)
        self._modifiers[client_order_id] = sender
        self.send(JOURNAL, self._ledger.write((fact,)))

    @handles(Tick)
    def hear_price(self, tick: Tick, _sender: ActorAddress) -> None:
        """Keep the market's last price of each symbol: what a strategy says of it is not asked."""
        if self._market is not None and tick.exchange_ns >= self._market.get(tick.symbol, NO_PRICE)[1]:
            self._market[tick.symbol] = tick.price, tick.exchange_ns

    @handles(WatchDue)
    def look_at_limits(self, _message: WatchDue, _sender: ActorAddress) -> None:
        """Look at the limits of the day, which prices alone may pass while nobody orders."""
        self.after(WATCH_S, WatchDue())
        if self._is_read:
            self._watch(self.clock.now_ns())

    def _watch(self, now_ns: int) -> None:
        """Take the right to open positions away where a limit was passed."""
        if self.settings.day_loss_max_rupees or self.settings.rejects_max:
            trip = tripped(self._ledger.book, self.settings, now_ns, self._market or {})
            if trip is not None:
                self._trip(trip)

    def _trip(self, trip: Trip) -> None:
        """Enter a stricter state, from now on; where that is HALTED cancel every open order."""
        if strictest(trip.state, self._ledger.risk_state) == self._ledger.risk_state:
            return
        if trip.state == "HALTED":
            self._risk.alarm, self._risk.alarmed_by = trip.cause, ORDERS
        self.send(JOURNAL, self._ledger.write_change(self._change(trip.state, trip.cause, ORDERS)))
        if trip.state == "HALTED":
            self._halting.is_on = True
            self._cancel_open()

    def _limits_of(self, symbol: str) -> OrdersActorSettings:
        """Return the limits of an instrument, which may have some of its own."""
        if not self.settings.instruments:
            return self.settings
        found = self._limits.get(symbol)
        if found is None:
            if len(self._limits) >= SYMBOLS_MAX:
                self._limits.clear()
            found = self._limits[symbol] = self.settings.of_symbol(symbol)
        return found

    def _situation(self, strategy: str, symbol: str, now_ns: int) -> Situation:
        """Return what the gate considers besides an order of this strategy."""
        return Situation(
            risk_state=self._risk_state,
            limits=self._limits_of(symbol),
            book=self._ledger.book,
            intents=self._ledger.intents,
            now_ns=now_ns,
            strategy_position_max=self.settings.strategy_position_max.get(strategy),
            strategy_orders_in_flight_max=self.settings.strategy_orders_in_flight_max.get(strategy),
            market=self._market,
        )

    def _count_at(self, now_ns: int, strategy: str) -> int:
        """Count one more order of this strategy at this time; only in a simulated market can it be more than one."""
        if now_ns != self._moment_ns:
            self._moment_ns = now_ns
            self._at_this_moment.clear()
        self._at_this_moment[strategy] += 1
        return self._at_this_moment[strategy]

    @handles(CancelOrder)
    def cancel(self, request: CancelOrder, sender: ActorAddress) -> None:
        """Cancel the open quantity of the order, as soon as it has been placed; in every risk state."""
        self._cancel(request.client_order_id, _only_strategy(sender))

    def _cancel(self, client_order_id: str, only: str) -> None:
        """Cancel it, if it is of this strategy; an empty name is any."""
        order = self._ledger.order(client_order_id)
        known = self._ledger.intents.get(client_order_id) or order
        if known is not None and only not in {"", known.strategy}:
            self.log("cancel.of_another", level="error", client_order_id=client_order_id, sender=only)
            return
        if not self._is_read or client_order_id in self._ledger.intents:
            self._withdraw_later(client_order_id, only=only)  # whose it is may not be known before the journal is read
        elif order is None:
            self.log("cancel.unknown", level="warning", client_order_id=client_order_id)
        elif order.is_open:
            if not order.broker_order_id:
                # Once more: the broker may not have it yet.
                self._withdraw_later(client_order_id, only=order.strategy)
            self.send(BROKER, updates.to_withdraw(order))

    @handles(ReadHoldings)
    def tell_holdings(self, request: ReadHoldings, sender: ActorAddress) -> None:
        """Answer what a strategy holds, once the journal is read back; of repeated requests the last is answered."""
        if self._is_read:
            self._tell_holdings(request.strategy, sender)
        else:
            self._holders[request.strategy] = sender

    # From a person.

    @handles(ReadRisk)
    def tell_risk(self, _request: ReadRisk, sender: ActorAddress) -> None:
        """Answer how much of each limit is used, and how each number was formed."""
        now_ns = self.clock.now_ns()
        situation = Situation(
            risk_state=self._risk_state,
            limits=self.settings,
            book=self._ledger.book,
            intents=self._ledger.intents,
            now_ns=now_ns,
            market=self._market,
        )
        answer = RiskRead(
            risk_state=self._risk_state,
            risk_cause=self._risk.alarm or self._risk.limit or self._ledger.book.risk_cause,
            figures=figures_of(situation),
            as_of_ns=now_ns,
        )
        self.send(sender, answer)

    @handles(Resume)
    def resume(self, request: Resume, sender: ActorAddress) -> None:
        """Leave HALTED, or a REDUCING of ours, once that is durable; there is no other way to leave it."""
        found = self._risk_state
        engaged = self._halt_file is not None and self._halt_file.is_engaged()
        refusal = why_not_resumed(request, found=found, to_be=self._ledger.risk_state, kill_switch=engaged)
        if refusal:
            self.send(sender, ResumeRefused(risk_state=found, reason=refusal))
            return
        self._resumer, self._halted_because = sender, self._ledger.book.risk_cause
        self.send(JOURNAL, self._ledger.write_change(self._change("NORMAL", request.reason, request.person)))

    @handles(ReadOrders)
    def read_orders(self, request: ReadOrders, sender: ActorAddress) -> None:
        """List orders."""
        self.send(sender, listed(self._ledger.book, request, self.clock.now_ns()))

    @handles(ReadPositions)
    def read_positions(self, _request: ReadPositions, sender: ActorAddress) -> None:
        """Tell what the account holds."""
        self.send(sender, positions(self._ledger.book, self._market or {}))

    @handles(CancelOrders)
    def cancel_orders(self, request: CancelOrders, sender: ActorAddress) -> None:
        """Cancel what a person wants cancelled, in every risk state; not before the journal is read back."""
        if not self._is_read:
            problem = "the journal is still read back; ask again"
            self.send(sender, OrdersCancelling(client_order_ids=(), problem=problem))
            return
        chosen, not_open = to_cancel(self._ledger.book, request)
        self.log("orders.cancelled", level="warning", count=len(chosen), person=request.person)
        for client_order_id in chosen:
            self._cancel(client_order_id, "")
        self.send(sender, OrdersCancelling(client_order_ids=chosen, not_open=not_open))

    @handles(HaltTrading)
    def halt(self, request: HaltTrading, sender: ActorAddress) -> None:
        """Let nothing pass from now on, and cancel every open order; answered when the halt is durable.

        While the journal is read back it holds, and is written and answered afterwards.
        """
        self._halting.begin(request, sender)
        self._risk.alarm, self._risk.alarmed_by = self._halting.cause, self._halting.person or KILL_SWITCH
        self._cancel_open()
        if self._is_read:
            self.write_halt(ChangeDue(), self.myAddress)

    @handles(CancelDue)
    def cancel_again(self, _message: CancelDue, _sender: ActorAddress) -> None:
        """Cancel once more what the kill switch is to have cancelled, and is open still."""
        self._next_cancel.fired()
        self._cancel_open()

    @handles(ReduceOnly)
    def limit(self, request: ReduceOnly, _sender: ActorAddress) -> None:
        """Let only orders pass that reduce a position, until that is taken back."""
        if request.reason != self._risk.limit:
            level = "error" if request.reason else "warning"
            self._risk.limit = request.reason
            self.log("risk_state.limited", level=level, state=self._risk_state, cause=request.reason)

    # From the journal.

    @handles(Appended)
    def act(self, answer: Appended, _sender: ActorAddress) -> None:
        """Act on durable facts: an intent is placed now, and only now."""
        self._read_back.note(answer.last_sequence)
        entry = self._ledger.confirm(answer)
        if entry is None:
            # Appended by an earlier instance, and committed after the journal was read back: read it now.
            if answer.last_sequence > self._read_back.sequence:
                self._read_on()
            return
        self._reconcile_as_often_as_set()
        for fact in entry.facts:
            if isinstance(fact, RiskStateChanged):
                self._tell_change(fact)
            elif isinstance(fact, ModificationIntended):
                self._modifiers.pop(fact.client_order_id, None)
                self._replace(fact)
        if entry.order is None:
            self._watch(self.clock.now_ns())
            return
        for repeated in self._askers.pop(entry.client_order_id, [])[1:]:
            self.send(repeated, entry.facts[0])
        if isinstance(entry.facts[0], OrderIntended):
            self._place(entry.order)

    @handles(AppendRefused)
    def give_up(self, answer: AppendRefused, _sender: ActorAddress) -> None:
        """Place nothing whose intent is not durable. Refused facts of the broker are looked up again later."""
        entry = self._ledger.give_up(answer)
        if entry is None:
            return
        self.log("append.refused", level="error", client_order_id=entry.client_order_id, reason=answer.reason)
        for fact in entry.facts:
            if isinstance(fact, RiskStateChanged):
                self._keep_change(fact, answer.reason)
            elif isinstance(fact, ModificationIntended | ModificationRefused):
                self._tell_unchanged(fact, answer.reason)
        if entry.order is not None:
            self._tell_unwritten(entry, entry.order, answer.reason)
        elif entry.client_order_id != RISK_STATE:
            self._look_up_later(entry.client_order_id)

    @handles(ChangeDue)
    def write_halt(self, _message: ChangeDue, _sender: ActorAddress) -> None:
        """Append the halt once more, unless it has become durable meanwhile."""
        change = self._halt(self._risk.alarm, self._risk.alarmed_by) if self._risk.alarm else None
        if change is not None:
            self.send(JOURNAL, self._ledger.write_change(change))
        elif not self._ledger.changes:  # one that is on its way is answered by the journal
            self._risk.alarm = ""
            self._tell_halted()

    def _take_page(self, outcome: Outcome) -> None:
        """Take a page that this instance requested; one requested by an earlier instance would be out of date."""
        answer = outcome.value
        if isinstance(answer, JournalPage):
            self._read_page(answer)
        elif isinstance(answer, Failed | Unavailable):
            self.hear_failure(answer, self.myAddress)
        else:
            self.log("journal.not_read", level="error", answer=str(answer or outcome.error))
            self.after(self.settings.lookup_interval_s, ReadDue())

    def _read_page(self, page: JournalPage) -> None:
        """Build the book from the journal, page by page."""
        for record in page.records:
            self._read_back.take_in(record, self._ledger)
        if page.records and self._read_back.sequence < page.last_sequence:
            self._read_on()
        elif self._has_entered:
            self._write_limits()
        else:
            self._enter()

    @handles(ReadDue)
    def read_again(self, _message: ReadDue, _sender: ActorAddress) -> None:
        """Read the journal again."""
        self._read_on()

    def _enter(self) -> None:
        """Enter the account that this run trades on, and go on when that is durable.

        Raises:
            AccountUnfinishedError: the settings ask for an account that cannot go on.
        """
        choice = self.settings.account
        entered = self._ledger.accounts.choose("session" if choice == "auto" else choice, self.clock.now_ns())
        if entered is None:
            self._has_entered = True
            self._write_limits()
            return

        def written(outcome: Outcome) -> None:
            if isinstance(outcome.value, Appended):
                self._has_entered = True
                self._read_back.note(outcome.value.last_sequence)
                self._ledger.enter(entered)
                self.log("account.entered", account=entered.account, choice=entered.choice)
                self._write_limits()
            else:
                self._read_later("account.not_entered", outcome)

        self.ask(JOURNAL, Append(facts=(entered,)), timeout_s=JOURNAL_TIMEOUT_S, then=written)

    def _write_limits(self) -> None:
        """Have limits written down that are others than in the last run, and go on when that is durable."""
        changed_limits = None
        if self.settings.audited:
            changed_limits = changes(self._read_back.limits, self.settings, self.clock.now_ns())
        if changed_limits is None:
            self._reconcile()
            return

        def written(outcome: Outcome) -> None:
            if not isinstance(outcome.value, Appended):
                self._read_later("limits.not_written", outcome)
                return
            self._read_back.note(outcome.value.last_sequence)
            self._read_back.take_limits(changed_limits)
            for each in changed_limits.changes:
                if each.before:
                    level = "warning" if each.loosened else "info"
                    self.log("limit.changed", level=level, limit=each.name, before=each.before, after=each.after)
            self._reconcile()

        self.ask(JOURNAL, Append(facts=(changed_limits,)), timeout_s=JOURNAL_TIMEOUT_S, then=written)

    def _read_later(self, event: str, outcome: Outcome) -> None:
        self.log(event, level="error", answer=str(outcome.value or outcome.error))
        self.after(self.settings.lookup_interval_s, ReadDue())

    # From the broker session.

    @handles(OrderPlaced, OrderNotPlaced, OrderInDoubt)
    def hear_answer(self, answer: OrderPlaced | OrderNotPlaced | OrderInDoubt, _sender: ActorAddress) -> None:
        """Journal the outcome of placing; an order in doubt is looked up, and never sent again."""
        self._lookups.answered(answer.client_order_id)
        order = self._known(answer.client_order_id)
        if order is not None:
            self._take(order, updates.from_answer(order, answer, self.clock.now_ns()))

    @handles(OrderReplaced, OrderNotReplaced)
    def hear_of_change(self, answer: OrderReplaced | OrderNotReplaced, _sender: ActorAddress) -> None:
        """Journal the outcome of a change."""
        order = self._known(answer.client_order_id)
        if order is not None:
            self._changing.pop(answer.client_order_id, None)
            self._take(order, updates.from_change(order, answer, self.clock.now_ns()))

    @handles(ReplaceInDoubt)
    def doubt_change(self, answer: ReplaceInDoubt, _sender: ActorAddress) -> None:
        """Look the order up until it shows what became of its change, which is never sent again."""
        self.log("change.in_doubt", level="warning", client_order_id=answer.client_order_id, reason=answer.reason)
        self._changing.pop(answer.client_order_id, None)
        self._look_up_later(answer.client_order_id)

    @handles(ExecutionReport)
    def hear_report(self, report: ExecutionReport, _sender: ActorAddress) -> None:
        """Journal what happened at the exchange."""
        order = self._known(report.client_order_id)
        if order is None:
            return
        if fault := instrument_fault(report, symbol=order.symbol, side=order.side):
            self.log("report.refused", level="error", rule=fault.rule, reason=fault.reason)
            self._look_up_later(order.client_order_id)
            return
        if report.execution_type == "CANCEL_REJECTED":
            self.log("cancel.rejected", level="warning", client_order_id=order.client_order_id, reason=report.reason)
        elif report.execution_type in {"NEW", "REJECTED"}:
            self._lookups.answered(report.client_order_id)
        self._take(order, updates.from_report(order, report, self.clock.now_ns()))

    @handles(OrderFound)
    def hear_found(self, found: OrderFound, _sender: ActorAddress) -> None:
        """Journal what the broker reports and the book does not have."""
        self._lookups.answered(found.client_order_id)
        order = self._known(found.client_order_id)
        fault = None if order is None else instrument_fault(found, symbol=order.symbol, side=order.side)
        if fault is not None:
            reason = f"{fault.rule}: {fault.reason}"
            self.hear_nothing(LookupFailed(client_order_id=found.client_order_id, reason=reason), self.myAddress)
        elif order is not None:
            self._lookups.prove(found.client_order_id)
            self._take(order, updates.from_lookup(order, found, self.clock.now_ns(), horizon_ns=self._horizon_ns))
            self._come_up()

    @handles(OrderNotFound)
    def hear_not_found(self, answer: OrderNotFound, _sender: ActorAddress) -> None:
        """Conclude that the order never arrived, but only when it is older than any request can be in flight."""
        self._lookups.answered(answer.client_order_id)
        order = self._known(answer.client_order_id)
        if order is None:
            return
        self._lookups.prove(answer.client_order_id)
        update = updates.absent(order, horizon_ns=self._horizon_ns, now_ns=self.clock.now_ns())
        self._take(order, update)
        after = self._ledger.order(answer.client_order_id)
        if after is not None and after.is_open:
            self._look_up_later(answer.client_order_id)
        self._come_up()

    @handles(LookupFailed)
    def hear_nothing(self, answer: LookupFailed, _sender: ActorAddress) -> None:
        """Keep the order as it is, and look it up again. The start is complete without the answer (RECONCILING)."""
        self.log("lookup.failed", level="warning", client_order_id=answer.client_order_id, reason=answer.reason)
        self._look_up_later(answer.client_order_id)
        self._tell_ready()

    @handles(ReportRefused)
    def hear_refused(self, refused: ReportRefused, _sender: ActorAddress) -> None:
        """Look up an order whose report could not be true; until then it stays as it is."""
        if self._known(refused.client_order_id) is not None:
            self._look_up_later(refused.client_order_id)

    @handles(LookUpDue)
    def look_up(self, _message: LookUpDue, _sender: ActorAddress) -> None:
        """Look up every order in doubt, and every placed order without an answer since the last round."""
        self._next_round.fired()
        self._tell_ready()
        for client_order_id in self._lookups.next_round():
            self.log("order.looked_up", client_order_id=client_order_id)
            self._find(client_order_id)
        self._keep_looking()

    @handles(ReconcileDue)
    def reconcile_again(self, _message: ReconcileDue, _sender: ActorAddress) -> None:
        """Look up every order that is open at the broker: only this reveals a lost report."""
        self._next_reconciliation.fired()
        for order in self._ledger.book.open_orders():
            if order.broker_order_id:
                self._find(order.client_order_id)
        self._rounds_without_news += 1
        self._keep_reconciling()

    @handles(Failed, Unavailable)
    def hear_failure(self, answer: Failed | Unavailable, _sender: ActorAddress) -> None:
        """Treat every request that the failed actor may have dropped as unanswered; the message names none.

        Raises:
            JournalLostError: appends are unanswered, and only reading the journal back shows which are durable.
        """
        self.log("answer.failed", level="error", actor=answer.actor, reason=answer.reason)
        if answer.actor == JOURNAL and len(self._ledger):
            raise JournalLostError(f"{len(self._ledger)} answers of the journal wanted, found: {answer.reason}")
        if answer.actor == JOURNAL:
            self.after(self.settings.lookup_interval_s, ReadDue())
        elif answer.actor == BROKER:
            for client_order_id in tuple(self._changing):
                self._changing.pop(client_order_id)
                self._look_up_later(client_order_id)
            for client_order_id in self._lookups.placing:
                self.hear_answer(OrderInDoubt(client_order_id=client_order_id, reason=answer.reason), self.myAddress)
            self._tell_ready()
            self._keep_looking()

    # State.

    def is_drained(self) -> bool:
        """Whether every append and every placed order has its answer."""
        return not self._ledger and not self._lookups.placing and not self._changing

    def statistics(self) -> OrdersStatistics:
        """Return the counts of the current account."""
        return self._ledger.book.statistics(self._risk_state, self._risk.alarm or self._risk.limit)

    # Helpers.

    @property
    def _risk_state(self) -> RiskState:
        return self._risk.state(self._ledger.book.risk_state, self._ledger.changes)

    def _change(self, state: KeptRiskState, cause: str, changed_by: str) -> RiskStateChanged:
        return changed(self._ledger.risk_state, state, cause=cause, by=changed_by, now_ns=self.clock.now_ns())

    def _halt(self, cause: str, by: str = ORDERS) -> RiskStateChanged | None:
        """Let no order pass from now on; return the fact to append, None if it is durable or on its way.

        What a person halts for is written also where something else has halted already.
        """
        if self._ledger.risk_state == "HALTED" and (by == ORDERS or self._ledger.risk_cause == cause):
            return None
        self._risk.alarm, self._risk.alarmed_by = cause, by
        return self._change("HALTED", cause, by)

    def _tell_halted(self, not_written: str = "") -> None:
        """Answer those who wanted a halt."""
        cancelling = len(self._halting.to_cancel(self._ledger.book.open_orders()))
        for asker in self._halting.take_askers():
            self.send(asker, TradingHalted(cancelling=cancelling, not_written=not_written))

    def _cancel_open(self) -> None:
        """Cancel every open order, if the kill switch wants that; again after a while, until none is left."""
        if not self._is_read:
            return
        to_cancel = self._halting.to_cancel(self._ledger.book.open_orders())
        for client_order_id in to_cancel:
            self._cancel(client_order_id, "")
        self._next_cancel.keep(bool(to_cancel), after_s=CANCEL_AGAIN_S)

    def _tell_change(self, change: RiskStateChanged) -> None:
        """Log a change that is durable, and answer a pending `Resume`."""
        self._risk.settle(change)
        level = "error" if change.state == "HALTED" else "warning"
        self.log("risk_state.changed", level=level, state=change.state, cause=change.cause, by=change.changed_by)
        if change.state == "HALTED":
            self._tell_halted()
        elif change.state == "NORMAL":
            self._halting.end()
        if change.state == "NORMAL" and self._resumer is not None:
            self.send(self._resumer, Resumed(halted_because=self._halted_because))
            self._resumer = None

    def _keep_change(self, change: RiskStateChanged, reason: str) -> None:
        """Act on a change that the journal refused: a halt holds and is appended later, a `Resume` is refused."""
        if change.state == "HALTED":
            self.after(self.settings.lookup_interval_s, ChangeDue())
            self._tell_halted(reason)
        elif self._resumer is not None:
            self.send(self._resumer, ResumeRefused(risk_state=self._risk_state, reason=reason))
            self._resumer = None

    def _place(self, order: SubmitOrder) -> None:
        client_order_id = order.client_order_id
        closes = client_order_id in self._halting.closing
        if not closes and (halted := self._why_halted()):
            not_placed = OrderNotPlaced(client_order_id=client_order_id, reason=f"halted, nothing was sent: {halted}")
            self.hear_answer(not_placed, self.myAddress)
            return
        request = PlaceOrder(
            client_order_id=client_order_id,
            symbol=order.symbol,
            side=order.side,
            quantity=order.quantity,
            order_type=order.order_type,
            limit_price=order.limit_price,
            reduces=self._ledger.book.only_closes(order.symbol, order.side),
            trigger_price=order.trigger_price,
            validity=order.validity,
            product=order.product,
            flattens=closes,
        )
        self._lookups.place(client_order_id)
        self.send(BROKER, request)
        if self._is_to_be_cancelled(client_order_id, order.strategy):
            self.send(BROKER, WithdrawOrder(client_order_id=client_order_id))
        self._keep_looking()

    def _why_halted(self) -> str:
        """Say why an order whose intent is durable may not leave after all; empty: it may."""
        if self._risk_state == "HALTED":
            return self._risk.alarm or self._ledger.risk_cause
        if self._halt_file is not None and self._halt_file.is_engaged():
            return "the kill switch is on"
        return ""

    @property
    def _horizon_ns(self) -> int:
        """Longer than any request may be in flight."""
        return round(self.settings.absence_horizon_s * SECOND_NS)

    def _is_in_doubt(self, order: Order) -> bool:
        """Say whether it is not known that the broker has the order, or what became of a change of it."""
        is_changing = order.is_open and order.pending is not None and order.client_order_id not in self._changing
        return is_changing or order.state in {"INTENDED", "UNKNOWN"}

    def _replace(self, change: ModificationIntended) -> None:
        """Have a change made that is durable, once; unless the order has ended meanwhile."""
        order = self._ledger.order(change.client_order_id)
        assert order is not None, "the order is in the book before its change"
        refusal = None
        if not order.is_open:
            refusal = Refusal(rule="order_state", reason=f"an open order wanted, found it {order.state}")
        elif why := self._why_halted():
            refusal = Refusal(rule="risk_state", reason=f"nothing is sent: {why}")
        if refusal is not None:
            now_ns = self.clock.now_ns()
            fact = modifications.refused(order.client_order_id, refusal, now_ns, number=change.number)
            self.send(JOURNAL, self._ledger.write((fact,)))
            return
        self._changing[order.client_order_id] = change.number
        reduces = self._ledger.book.only_closes(order.symbol, order.side)
        self.send(BROKER, modifications.to_replace(order, change, reduces=reduces))

    def _known(self, client_order_id: str) -> Order | None:
        """Return the order of a broker's message; None while the journal is read: each order is looked up later."""
        order = self._ledger.order(client_order_id)
        if order is None and self._is_read:
            self.log("order.foreign", level="warning", client_order_id=client_order_id)
        return order

    def _take(self, order: Order, update: Update) -> None:
        """Append new facts, and decide whether the order has to be looked up."""
        client_order_id = order.client_order_id
        if update.facts:
            change = None
            if order.was_never_placed:
                self.log("order.resurrected", level="error", client_order_id=client_order_id, state=order.state)
                change = self._halt(f"order {client_order_id} was {order.state}, and the broker has it")
            self.send(JOURNAL, self._ledger.write(update.facts, change=change))
        after = self._ledger.order(client_order_id)
        if client_order_id in self._withdrawals and after is not None and (after.broker_order_id or not after.is_open):
            is_to_be_cancelled = self._is_to_be_cancelled(client_order_id, after.strategy)
            self._withdrawals.drop(client_order_id)
            if after.is_open and is_to_be_cancelled:
                self.send(BROKER, updates.to_withdraw(after))
        if after is not None and not after.is_open:
            self._halting.closing.discard(client_order_id)
        # INTENDED, too: the fact that proved more may be the one that the journal refused.
        if update.trades_missing or (after is not None and self._is_in_doubt(after)):
            self._look_up_later(client_order_id)
        else:
            self._lookups.settle(client_order_id)
            self._keep_looking()

    def _tell_holdings(self, strategy: str, holder: ActorAddress) -> None:
        self.send(holder, self._ledger.holdings(strategy, life=self._read_back.next_life()))

    def _is_to_be_cancelled(self, client_order_id: str, strategy: str) -> bool:
        """Say whether a cancellation waits for this order, from a sender who may speak for its strategy."""
        if others := self._withdrawals.others(client_order_id, strategy):
            self.log("cancel.of_another", level="error", client_order_id=client_order_id, sender=others)
        return self._withdrawals.is_asked(client_order_id, strategy)

    def _withdraw_later(self, client_order_id: str, *, only: str) -> None:
        if not self._withdrawals.add(client_order_id, only=only):
            self.log("cancel.refused", level="error", client_order_id=client_order_id, waiting=WITHDRAWALS_MAX)

    def _look_up_later(self, client_order_id: str) -> None:
        self._lookups.doubt(client_order_id)
        self._keep_looking()

    def _find(self, client_order_id: str) -> None:
        self.join_trace(client_order_id)
        order = self._ledger.order(client_order_id)
        self.send(BROKER, FindOrder(client_order_id=client_order_id) if order is None else updates.to_find(order))

    def _reconcile_as_often_as_set(self) -> None:
        """Return to the interval of the settings, since something has happened."""
        if self._rounds_without_news:
            self._next_reconciliation.stop()
        self._rounds_without_news = 0
        self._keep_reconciling()

    def _keep_reconciling(self) -> None:
        # In a simulated market a night is a thousand minutes, in which no report can be lost.
        rests = min(self._rounds_without_news, RESTS_MAX) if self.market_rules else 0
        after_s = self.settings.reconcile_interval_s * 2**rests
        self._next_reconciliation.keep(self._ledger.book.has_open_orders, after_s=after_s)

    def _keep_looking(self) -> None:
        self._next_round.keep(self._lookups.is_needed, after_s=self.settings.lookup_interval_s)

    def _tell_unwritten(self, entry: Entry, order: SubmitOrder, reason: str) -> None:
        """Send a strategy directly the fact that the journal refused."""
        self._withdrawals.drop(entry.client_order_id)
        fact = entry.facts[0]
        if not isinstance(fact, OrderRefused):
            fact = updates.refused(order, Refusal(rule="journal", reason=reason), self.clock.now_ns())
        for asker in self._askers.pop(entry.client_order_id, ()):
            self.send(asker, fact)

    def _tell_unchanged(self, fact: ModificationIntended | ModificationRefused, reason: str) -> None:
        """Send a strategy directly what became of a change whose fact the journal refused."""
        asker = self._modifiers.pop(fact.client_order_id, None)
        if asker is None:
            return
        if isinstance(fact, ModificationIntended):
            refusal = Refusal(rule="journal", reason=reason)
            fact = modifications.refused(fact.client_order_id, refusal, self.clock.now_ns())
        self.send(asker, fact)

    def _read_on(self) -> None:
        request = ReadJournal(after_sequence=self._read_back.sequence)
        self.ask(JOURNAL, request, timeout_s=JOURNAL_TIMEOUT_S, then=self._take_page)

    def _tell_sent(self) -> None:
        """Tell the session what left within a day: the broker's limits know nothing of our restarts."""
        times_ns = self._read_back.take_sent_ns(self.clock.now_ns())
        if times_ns and not self.market_rules:
            self.send(BROKER, OrdersSentBefore(times_ns=times_ns))

    def _reconcile(self) -> None:
        """Look up every open order, except those that this instance has just sent or appended."""
        is_first = not self._is_read
        self._is_read = True
        if is_first:
            self._tell_sent()
        for order in self._ledger.book.open_orders():
            client_order_id = order.client_order_id
            ours = self._lookups.is_placing(client_order_id) or self._ledger.is_waiting(client_order_id)
            if ours or not (is_first or self._is_in_doubt(order)):
                continue
            reason = "the answer did not outlive a restart; it is not sent again"
            self._take(order, updates.unanswered(order, reason, self.clock.now_ns()))
            self._lookups.require(client_order_id)
            self._find(client_order_id)
        if is_first:
            self.write_halt(ChangeDue(), self.myAddress)
            self._cancel_open()
            for client_order_id, only in self._withdrawals.take_all():
                self._cancel(client_order_id, only)
            for strategy, holder in self._holders.items():
                self._tell_holdings(strategy, holder)
            self._holders.clear()
        self._keep_reconciling()
        self._keep_looking()
        self._come_up()

    def _come_up(self) -> None:
        if self._is_read and self._lookups.is_proved and not self._risk.is_reconciled:
            self._risk.is_reconciled = True
            self.log("orders.reconciled", sequence=self._read_back.sequence, risk_state=self._risk_state)
            self._tell_ready()

    def _tell_ready(self) -> None:
        if not self._is_ready:
            self._is_ready = True
            self.ready()
