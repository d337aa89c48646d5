"""The broker actor: the only holder of the session with the broker.

Owns    one body (see bodies/), which speaks the broker's protocol; and, for the newest orders of the session
        (`orders_max` of them), the answer, the broker's order id and the trades.
Hears   PlaceOrder, ReplaceOrder, WithdrawOrder, FindOrder, ReadAccountBook, StopTrading and SetLossExit;
        OrdersSentBefore, once, of orders; what the exchange answers to the body: ExecutionReport, OrderFound,
        OrderNotFound, Failed, Unavailable; the answers to what the body asks of the owner of its calls, and of
        instruments; of the owner of the socket of order updates OrderUpdated, UpdatesConnected, UpdatesLost.
Sends   to the sender OrderPlaced, OrderNotPlaced or OrderInDoubt for each PlaceOrder, OrderReplaced, OrderNotReplaced
        or ReplaceInDoubt for each ReplaceOrder, OrderFound, OrderNotFound or LookupFailed for each FindOrder, and
        AccountBookRead or AccountBookNotRead for each ReadAccountBook, TradingStopped for each StopTrading, LossExitSet
        for each SetLossExit; ExecutionReport to orders, and ReportRefused instead of one that cannot be true (see
        intake.py). In real time OrdersLeft, a second after an order left.
        ClockCompared to orders while the broker's clock and ours are apart, and when they no longer are.
        After OrderInDoubt the certain answer may follow. In a dry
        run (`broker.live` is not set, and the broker is no paper one) every order is answered OrderNotPlaced, and no
        change or cancellation leaves.
Fails   when the body raises. Restarted, it knows which orders and changes have been sent (hand-over): those without an
        answer are in doubt, and none of them is sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from ...config.sections.broker import BrokerSettings
from ...domain.clock_skew import judge_skew
from ...domain.timings import Timings
from ...messages.addresses import ORDERS
from ...messages.broker import (
    BrokerStatistics,
    ClockCompared,
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
    OrdersLeft,
    OrdersSentBefore,
    OrderUpdated,
    PlaceOrder,
    ReplaceInDoubt,
    ReplaceOrder,
    ReportRefused,
    UpdatesConnected,
    UpdatesLost,
    WithdrawOrder,
)
from ...messages.kill_switch import LossExitSet, SetLossExit, StopTrading, TradingStopped
from ...messages.reconciliation import AccountBookNotRead, AccountBookRead, ReadAccountBook
from ...messages.supervision import Failed, Unavailable
from ..runtime import RuntimeActor, handles
from .bodies import broker_of
from .body import Due
from .intake import Intake, is_written
from .left import Left, to_forget

if TYPE_CHECKING:
    from ...domain.reports import ReportFault
    from ..runtime import ActorAddress, Timer
    from .body import BrokerEvent, FindAnswer, PlaceAnswer, ReplaceAnswer


Handover: TypeAlias = (
    "tuple[dict[str, PlaceAnswer | None], dict[str, tuple[int, ReplaceAnswer | None]], Intake, Left[str], "
    "Left[tuple[str, str]], list[ActorAddress], Any]"
)
"""The answers to `PlaceOrder` by client order id, None where none has come yet; number and answer of the newest change
of an order; what was reported of each order; how many requests of each order have left, and how many changes; the
senders that wait for the account's book; the body's own."""

RESTARTED: Final = "the broker session was restarted"


DRY_RUN: Final = "dry run: nothing leaves without broker.live (natya run --live) and confirmed limits"


TELL_LEFT_S: Final = 1.0
"""Seconds from the first request that leaves until orders is told which have left."""


class LeftDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to tell orders which have left."""


class PlacingOverdue(msgspec.Struct, frozen=True, gc=False):
    """To itself: no answer to `PlaceOrder` in time."""

    client_order_id: str


class ReplacingOverdue(msgspec.Struct, frozen=True, gc=False):
    """To itself: no answer to `ReplaceOrder` in time."""

    client_order_id: str
    number: int


class FindingOverdue(msgspec.Struct, frozen=True, gc=False):
    """To itself: no answer to `FindOrder` in time."""

    client_order_id: str


class PendingRequest(msgspec.Struct):
    """A request without an answer so far; repeats of it join it."""

    askers: list[ActorAddress]
    timer: Timer
    since_ns: int = 0
    """When the order was sent: nanoseconds of the machine's monotonic clock."""


class BrokerActor(RuntimeActor):
    """Places each order once, however often it is requested, and answers every request within `answer_timeout_s`."""

    settings: BrokerSettings

    def on_start(self) -> None:
        """Open the session that the settings name.

        Raises:
            SettingsError: there is no body of that name, or it refuses its options.
        """
        body, options = broker_of(self.settings)
        self._is_dry_run = not (body.IS_PAPER or self.settings.live)
        self.tell_trouble("")
        self._answers: dict[str, PlaceAnswer | None] = {}
        self._placing: dict[str, PendingRequest] = {}
        self._changes: dict[str, tuple[int, ReplaceAnswer | None]] = {}
        self._replacing: dict[str, PendingRequest] = {}
        self._finding: dict[str, PendingRequest] = {}
        self._reading: list[ActorAddress] = []
        """Senders of pending `ReadAccountBook`."""

        self._intake = Intake()
        self._left: Left[str] = Left()
        self._changed: Left[tuple[str, str]] = Left()
        self._may_be_apart = False
        self._acknowledgements = Timings()
        self._placed = self._refused = self._in_doubt = self._reports = self._refused_reports = 0
        self._replaced = self._replace_refused = self._replace_in_doubt = self._withdrawn = 0
        self._body = body(self.settings, options, self)
        self._body.open()

    def on_stop(self) -> None:
        """End the session."""
        self._body.close()

    def snapshot(self) -> Handover:
        """Hand over which orders have been sent, and their answers."""
        left = self._left, self._changed
        return self._answers, self._changes, self._intake, *left, self._reading, self._body.snapshot()

    def restore(self, state: Handover) -> None:
        """Take over; orders without an answer are in doubt from now on, and whoever waits for a book gets none."""
        self._answers, self._changes, self._intake, self._left, self._changed, reading, known = state
        self._body.restore(known)
        for asker in reading:
            self.send(asker, AccountBookNotRead(reason=RESTARTED))
        self._may_be_apart = True  # what the earlier instance told orders is not known here
        if self._left.begin_again() or self._changed.begin_again():
            self.after(TELL_LEFT_S, LeftDue())
        for client_order_id, (number, outcome) in self._changes.items():
            if outcome is None:
                self.report(ReplaceInDoubt(client_order_id=client_order_id, number=number, reason=RESTARTED))
        for client_order_id, answer in self._answers.items():
            if answer is None:
                self.report(OrderInDoubt(client_order_id=client_order_id, reason=RESTARTED))

    # From orders.

    @handles(PlaceOrder)
    def place(self, order: PlaceOrder, sender: ActorAddress) -> None:
        """Place the order; a repeat gets the first answer again."""
        client_order_id = order.client_order_id
        answer = self._answers.get(client_order_id)
        if answer is not None:
            self.send(sender, answer)
        elif client_order_id in self._placing:
            self._placing[client_order_id].askers.append(sender)
        elif not self._has_room():
            self._refused += 1
            reason = f"at most {self.settings.orders_max} orders without an answer wanted, found one more"
            self.send(sender, OrderNotPlaced(client_order_id=client_order_id, reason=reason))
        elif self._is_dry_run:
            self._answers[client_order_id] = OrderNotPlaced(client_order_id=client_order_id, reason=DRY_RUN)
            self._refused += 1
            self.log("order.held_back", level="warning", client_order_id=client_order_id, reason=DRY_RUN)
            self.send(sender, self._answers[client_order_id])
        else:
            # Remembered before it is sent: if the body raises, the order may have been sent.
            self._answers[client_order_id] = None
            self._intake.expect(order)
            timer = self.after(self.settings.answer_timeout_s, PlacingOverdue(client_order_id))
            self._placing[client_order_id] = PendingRequest(askers=[sender], timer=timer, since_ns=self.machine_ns())
            self._body.place(order)

    @handles(ReplaceOrder)
    def replace(self, request: ReplaceOrder, sender: ActorAddress) -> None:
        """Change an order; a repeat gets the first answer again, and a change before the newest is never sent."""
        client_order_id, number = request.client_order_id, request.number
        newest, answer = self._changes.get(client_order_id, (0, None))
        if number == newest and answer is not None:
            self.send(sender, answer)
        elif number == newest and client_order_id in self._replacing:
            self._replacing[client_order_id].askers.append(sender)
        elif number <= newest:
            reason = f"a change after the newest, {newest}, wanted, found {number}: it may have been sent"
            self.send(sender, ReplaceInDoubt(client_order_id=client_order_id, number=number, reason=reason))
        elif self._is_dry_run:
            self._replace_refused += 1
            self.send(sender, OrderNotReplaced(client_order_id=client_order_id, number=number, reason=DRY_RUN))
        else:
            # Remembered before it is sent: if the body raises, the change may have been sent.
            self._changes[client_order_id] = number, None
            self._intake.expect_change(request)
            timer = self.after(self.settings.answer_timeout_s, ReplacingOverdue(client_order_id, number))
            self._replacing[client_order_id] = PendingRequest(askers=[sender], timer=timer)
            self._body.replace(request)

    @handles(OrdersSentBefore)
    def count(self, before: OrdersSentBefore, _sender: ActorAddress) -> None:
        """Count the requests of an earlier process against the broker's limits."""
        self._body.count(before.times_ns)

    @handles(WithdrawOrder)
    def withdraw(self, request: WithdrawOrder, _sender: ActorAddress) -> None:
        """Request the cancellation; its outcome is an execution report."""
        if not self._is_dry_run:
            self._withdrawn += 1
            self._body.withdraw(request)
            return
        report = ExecutionReport(
            client_order_id=request.client_order_id,
            broker_order_id=request.broker_order_id,
            execution_type="CANCEL_REJECTED",
            execution_id="",
            occurred_ns=self.fact_clock.now_ns(),
            reason=DRY_RUN,
        )
        self.report(report)

    @handles(FindOrder)
    def find(self, request: FindOrder, sender: ActorAddress) -> None:
        """Look the order up at the broker; repeats while the look-up is pending get the same answer."""
        pending = self._finding.get(request.client_order_id)
        if pending is not None:
            pending.askers.append(sender)
            return
        timer = self.after(self.settings.answer_timeout_s, FindingOverdue(request.client_order_id))
        self._finding[request.client_order_id] = PendingRequest(askers=[sender], timer=timer)
        self._body.find(request)

    @handles(ReadAccountBook)
    def read_account(self, request: ReadAccountBook, sender: ActorAddress) -> None:
        """Read what the account has, in a dry run, too."""
        self._reading.append(sender)

        def read(answer: AccountBookRead | AccountBookNotRead) -> None:
            self._reading.remove(sender)
            self.send(sender, answer)

        self._body.read_account(request, read)

    @handles(StopTrading)
    def stop_trading(self, _request: StopTrading, sender: ActorAddress) -> None:
        """Have the broker take no order for the rest of the day."""

        def told(problem: str) -> None:
            self.send(sender, TradingStopped(problem=problem))

        if self._is_dry_run:
            told(DRY_RUN)
        else:
            self.log("broker.stopping", level="error")
            self._body.stop_trading(told)

    @handles(SetLossExit)
    def set_loss_exit(self, wanted: SetLossExit, sender: ActorAddress) -> None:
        """Have the broker close all of the account at a loss of the day."""
        if self._is_dry_run:
            self.send(sender, LossExitSet(loss_rupees=None, problem=DRY_RUN))
        else:
            self._body.set_loss_exit(wanted, lambda answer: self.send(sender, answer))

    # From the exchange, for the body.

    @handles(ExecutionReport, OrderFound, OrderNotFound, Failed, Unavailable)
    def hear(self, message: Any, _sender: ActorAddress) -> None:
        """Pass it to the body."""
        if not isinstance(message, Failed | Unavailable) and not isinstance(message.client_order_id, str):
            self.report(message)  # refused by `report`: a body finds orders by their ids
            return
        self._body.hear(message)

    @handles(OrderUpdated, UpdatesConnected, UpdatesLost)
    def hear_updates(self, message: OrderUpdated | UpdatesConnected | UpdatesLost, _sender: ActorAddress) -> None:
        """Pass it to the body; what it says is checked there against what the broker answers when it is asked."""
        self._body.hear(message)

    @handles(Due)
    def call_body(self, due: Due, _sender: ActorAddress) -> None:
        """Call what the body has set a timer for, or what one of its threads wants done here."""
        due.call()

    def tell_trouble(self, reason: str) -> None:
        """Show in the tree why orders cannot be placed; a dry run is such a reason. Called by the body."""
        if reason and reason != self.trouble:
            self.log("broker.in_trouble", level="error", reason=reason)
        self.trouble = reason or (DRY_RUN if self._is_dry_run else "")

    def tell_skew(self, skew_s: float) -> None:
        """Tell orders how far our clock is off, and once that it no longer is. Called by the body."""
        is_apart = judge_skew(skew_s) != "well"
        if is_apart or self._may_be_apart:
            self.send(ORDERS, ClockCompared(skew_s=skew_s, as_of_ns=self.fact_clock.now_ns()))
        self._may_be_apart = is_apart

    def left(self, client_order_id: str) -> None:
        """Count a request that places an order, and tell orders soon. Called by the body.

        In a simulated market nothing is told: a timer would be the market's.
        """
        if self._left.add(client_order_id) and not self.market_rules:
            self.after(TELL_LEFT_S, LeftDue())

    def changed(self, client_order_id: str, broker_order_id: str) -> None:
        """Count a request that changes an order, and tell orders soon. Called by the body."""
        if self._changed.add((client_order_id, broker_order_id)) and not self.market_rules:
            self.after(TELL_LEFT_S, LeftDue())

    @handles(LeftDue)
    def tell_left(self, _due: LeftDue, _sender: ActorAddress) -> None:
        """Have orders compare what has left with what it wanted to leave."""
        counts, changes = self._left.take(), self._changed.take()
        if counts or changes:  # empty where a restart of the session has told them meanwhile
            told = tuple((*ids, times) for ids, times in changes)
            self.send(ORDERS, OrdersLeft(counts=counts, changes=told))

    def report(self, event: BrokerEvent) -> None:
        """Pass on an event of the body: answers to their requesters, everything else to orders. Called by the body.

        An event that cannot be true is refused: an answer becomes `OrderInDoubt` or `LookupFailed`, and for a report
        `ReportRefused` makes orders look the order up.
        """
        fault = self._intake.take(event)
        if fault is not None:
            self._turn_away(event, fault)
            return
        self.join_trace(event.client_order_id)
        if isinstance(event, ExecutionReport):
            self._reports += 1
            self.log(
                "order.reported", level="debug", kind=event.execution_type, quantity=event.quantity, price=event.price
            )
            self.send(ORDERS, event)
        elif isinstance(event, OrderPlaced | OrderNotPlaced | OrderInDoubt):
            self._answer_placing(event)
        elif isinstance(event, OrderReplaced | OrderNotReplaced | ReplaceInDoubt):
            self._answer_replacing(event)
        else:
            self._answer_finding(event)

    @handles(PlacingOverdue)
    def doubt(self, overdue: PlacingOverdue, _sender: ActorAddress) -> None:
        """Answer that the order may or may not have arrived."""
        reason = f"no answer in {self.settings.answer_timeout_s:g} s"
        self.report(OrderInDoubt(client_order_id=overdue.client_order_id, reason=reason))

    @handles(ReplacingOverdue)
    def doubt_change(self, overdue: ReplacingOverdue, _sender: ActorAddress) -> None:
        """Answer that the change may or may not have arrived."""
        reason = f"no answer in {self.settings.answer_timeout_s:g} s"
        self.report(ReplaceInDoubt(client_order_id=overdue.client_order_id, number=overdue.number, reason=reason))

    @handles(FindingOverdue)
    def learn_nothing(self, overdue: FindingOverdue, _sender: ActorAddress) -> None:
        """Answer that the look-up got no answer, which proves nothing."""
        reason = f"no answer in {self.settings.answer_timeout_s:g} s"
        self.report(LookupFailed(client_order_id=overdue.client_order_id, reason=reason))

    # State.

    def is_drained(self) -> bool:
        """Let the body begin nothing of its own any more; no answer is waited for.

        Orders stops before, and waits for the answers as long as it may. Where the session alone is restarted, a
        request without an answer is in doubt, and looked up.
        """
        self._body.rest()
        return True

    def statistics(self) -> BrokerStatistics:
        """Return the counts; an order in doubt counts again when its certain answer comes."""
        return BrokerStatistics(
            broker=self.settings.name,
            placed=self._placed,
            refused=self._refused,
            in_doubt=self._in_doubt,
            reports=self._reports,
            refused_reports=self._refused_reports,
            placing=len(self._placing),
            acknowledgement=self._acknowledgements.timing(),
            replaced=self._replaced,
            replace_refused=self._replace_refused,
            replace_in_doubt=self._replace_in_doubt,
            withdrawn=self._withdrawn,
        )

    # Helpers.

    def _has_room(self) -> bool:
        """Forget the oldest orders with an answer, where as many are remembered as may be; False: none has one.

        That none of them is sent again is then the book's to know: it never asks for an order twice.
        """
        if len(self._answers) < self.settings.orders_max:
            return True
        answered = (each for each, answer in self._answers.items() if answer is not None)
        over = to_forget(answered, self.settings.orders_max)
        for client_order_id in over:
            del self._answers[client_order_id]
        self._left.forget(over)
        if changed := {each for each in over if self._changes.pop(each, None) is not None}:
            self._changed.forget([ids for ids in self._changed if ids[0] in changed])
        return bool(over)

    def _turn_away(self, event: Any, fault: ReportFault) -> None:
        """Count a refused event, and have its order looked up."""
        self._refused_reports += 1
        told = type(event).__name__
        self.log("report.refused", level="error", report=told, rule=fault.rule, reason=fault.reason)
        client_order_id = getattr(event, "client_order_id", None)
        if not isinstance(client_order_id, str) or not is_written(client_order_id):
            return
        self.join_trace(client_order_id)
        reason = f"{fault.rule}: {fault.reason}"
        if isinstance(event, OrderPlaced | OrderNotPlaced | OrderInDoubt):
            self._answer_placing(OrderInDoubt(client_order_id=client_order_id, reason=reason))
        elif isinstance(event, OrderReplaced | OrderNotReplaced | ReplaceInDoubt):
            number, _ = self._changes.get(client_order_id, (0, None))
            if number:
                self._answer_replacing(ReplaceInDoubt(client_order_id=client_order_id, number=number, reason=reason))
        elif isinstance(event, OrderFound | OrderNotFound | LookupFailed):
            self._answer_finding(LookupFailed(client_order_id=client_order_id, reason=reason))
        else:
            refused = ReportRefused(client_order_id=client_order_id, rule=fault.rule, reason=fault.reason)
            self.send(ORDERS, refused)

    def _answer_placing(self, answer: PlaceAnswer) -> None:
        """Remember the answer and send it; a certain one that follows doubt goes to orders unsolicited."""
        known = self._answers.get(answer.client_order_id)
        if isinstance(answer, OrderInDoubt) and known is not None:
            return
        self._answers[answer.client_order_id] = answer
        self._placed += isinstance(answer, OrderPlaced)
        self._refused += isinstance(answer, OrderNotPlaced)
        self._in_doubt += isinstance(answer, OrderInDoubt)
        level = "debug" if isinstance(answer, OrderPlaced) else "warning"
        self.log("order.answered", level=level, client_order_id=answer.client_order_id, answer=type(answer).__name__)
        pending = self._placing.pop(answer.client_order_id, None)
        if pending is not None:
            self._acknowledgements.add(self.machine_ns() - pending.since_ns)
        self._settle(pending, answer)

    def _answer_replacing(self, answer: ReplaceAnswer) -> None:
        """Remember the answer and send it; a certain one that follows doubt goes to orders unsolicited."""
        newest, known = self._changes.get(answer.client_order_id, (0, None))
        if answer.number != newest:
            self.send(ORDERS, answer)  # late, of a change that another has followed
            return
        if isinstance(answer, ReplaceInDoubt) and known is not None:
            return
        self._changes[answer.client_order_id] = newest, answer
        self._replaced += isinstance(answer, OrderReplaced)
        self._replace_refused += isinstance(answer, OrderNotReplaced)
        self._replace_in_doubt += isinstance(answer, ReplaceInDoubt)
        level = "debug" if isinstance(answer, OrderReplaced) else "warning"
        self.log("change.answered", level=level, client_order_id=answer.client_order_id, answer=type(answer).__name__)
        self._settle(self._replacing.pop(answer.client_order_id, None), answer)

    def _answer_finding(self, answer: FindAnswer) -> None:
        """Answer the senders of a look-up; an order that was found too late is told to orders all the same."""
        pending = self._finding.pop(answer.client_order_id, None)
        if pending is not None or isinstance(answer, OrderFound):
            self._settle(pending, answer)

    def _settle(self, pending: PendingRequest | None, answer: PlaceAnswer | ReplaceAnswer | FindAnswer) -> None:
        if pending is None:
            self.send(ORDERS, answer)
            return
        pending.timer.cancel()
        for asker in pending.askers:
            self.send(asker, answer)
