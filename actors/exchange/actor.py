"""The exchange actor: the paper exchange, with the same ticks as the strategies.

Owns    one Matching (see matching.py), and the sender of each open order.
Hears   Tick, NewOrder, ReplaceRequest, CancelRequest, OrderStatusRequest; JournalPage as the answer to what it asks.
Sends   ExecutionReport to the sender of the order: NEW or REJECTED at once, TRADE when it happens; REPLACED or
        CANCEL_REJECTED to the sender of the ReplaceRequest; CANCELLED or CANCEL_REJECTED to that of the CancelRequest;
        EXPIRED at the end of the order's day, of a stop order at that of continuous trading; OrderFound or
        OrderNotFound to the sender of the OrderStatusRequest. ReadJournal to the journal.
Fails   on no expected input: a bad order is rejected. Restarted, it has its book again (hand-over); in a new process
        the open orders of its account rest again, by the facts in the journal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ...domain.time import SECOND_NS
from ...domain.venues import day_order_ends_ns_of
from ...messages.addresses import BROKER
from ...messages.broker import (
    CancelRequest,
    ExchangeStatistics,
    ExecutionReport,
    NewOrder,
    OrderStatusRequest,
    ReplaceRequest,
)
from ...messages.journal import ReadJournal
from ...messages.market import Tick
from ...messages.units import INTEGER_MAX
from ..runtime import READS_BACK_S, JournalPages, RuntimeActor, handles
from .matching import FillModel, Matching
from .recovery import TYPES, Remembered
from .settings import ExchangeActorSettings

if TYPE_CHECKING:
    from ...messages.journal import JournalRecord
    from ..runtime import ActorAddress, Timer


PAGE_RECORDS: Final = 10_000
PAGE_S: Final = 5.0
"""Seconds that the journal may take for a page: a restart of it drops requests."""

RETRY_S: Final = 1.0


class Open(msgspec.Struct, frozen=True, gc=False):
    """To itself: read the journal, unless the failed instance has handed its book over."""


class LetIn(msgspec.Struct, frozen=True, gc=False):
    """To itself: the latency of an order is over."""


class DayOver(msgspec.Struct, frozen=True, gc=False):
    """To itself: the day of an order is over, or the time in which its trigger could be met."""


class ExchangeActor(RuntimeActor):
    """Passes every message to the matching, and every report to the sender of its order."""

    start_s = READS_BACK_S
    ready_when_told = True
    settings: ExchangeActorSettings

    def on_start(self) -> None:
        """Begin to read the resting orders; the start is complete when they are known."""
        self._matching: Matching | None = None
        self._owners: dict[str, ActorAddress | str] = {}
        self._remembered = Remembered(self.settings.account)
        self._pages = JournalPages(
            self,
            ReadJournal(
                after_sequence=INTEGER_MAX if self.settings.account == "new" else 0,
                types=TYPES,
                records_max=PAGE_RECORDS,
            ),
            timeout_s=PAGE_S,
            take=self._remember,
            done=self._begin,
            unanswered=lambda _: self.after(RETRY_S, Open()),
        )
        self._heard_ns = self._timer_ns = 0
        self._timer: Timer | None = None
        self._latency_ns = FillModel.of(self.settings.limits).latency_ns
        self.send(self.myAddress, Open())

    def snapshot(self) -> tuple[Matching | None, dict[str, ActorAddress | str]]:
        """Hand the book over."""
        return self._matching, self._owners

    def restore(self, state: tuple[Matching | None, dict[str, ActorAddress | str]]) -> None:
        """Take the book over."""
        self._matching, self._owners = state
        if self._matching is not None:
            self._await_end_of_day()

    # Opening.

    @handles(Open)
    def open(self, _message: Open, _sender: ActorAddress) -> None:
        """Read the resting orders from the journal; a new account has none, and needs only the newest sequence."""
        if self._matching is None:
            self._pages.read()
        else:
            self.ready()

    def _remember(self, record: JournalRecord) -> None:
        self._remembered.apply(record.fact)
        self._heard_ns = record.recorded_ns

    def _begin(self) -> None:
        resting = self._remembered.orders()
        self._take_book(
            Matching(
                tick_size_rupees=self.settings.limits.tick_size_rupees,
                run=self._pages.newest,
                now_ns=self.clock.now_ns(),
                resting=resting,
                since_ns=self._heard_ns,
                model=FillModel.of(self.settings.limits),
                has_auctions=self.settings.has_auctions,
                day_ends_ns=day_order_ends_ns_of,
            )
        )
        self._owners.update((order.request.client_order_id, BROKER) for order in resting if order.is_open)
        if resting:
            self.log("exchange.orders_rest", count=len(resting))
            self._await_end_of_day()
        self.ready()

    def _take_book(self, matching: Matching) -> None:
        """Go on with this book. A simulation overrides it: its exchange outlives the process."""
        self._matching = matching

    @property
    def _book(self) -> Matching:
        assert self._matching is not None, "orders and ticks come only after the start"
        return self._matching

    # Trading.

    @handles(Tick)
    def move(self, tick: Tick, _sender: ActorAddress) -> None:
        """Move the market, and report the trades of resting orders."""
        book = self._matching
        assert book is not None, "ticks come only after the start"
        if book.next_end_ns and tick.exchange_ns >= book.next_end_ns:
            self._end_day(tick.exchange_ns)
        for report in book.move(tick):
            self._deliver(report)

    def newest_is_enough(self, tick: Tick) -> bool:
        """Whether no order could meet a tick, and no closing auction counts it, so that only the newest matters."""
        return self._matching is not None and self._matching.only_remembers(tick)

    def defers(self, message: Tick) -> bool:
        """Whether no order could meet a tick."""
        del message
        return self._matching is not None and not self._matching.resting

    def catch_up(self, ticks: list[Tick]) -> None:
        """Move the market by ticks that met no order."""
        self._book.pass_over(ticks, self.clock.now_ns())

    @handles(NewOrder)
    def place(self, request: NewOrder, sender: ActorAddress) -> None:
        """Accept or reject the order, and match it with the current tick."""
        self._pass_time()
        for report in self._book.place(request):
            if report.execution_type == "NEW":
                self._owners[request.client_order_id] = sender
                if self._latency_ns:  # half a nanosecond more, since a timer's length is cut to whole ones
                    self.after((self._latency_ns + 0.5) / SECOND_NS, LetIn())
            if report.execution_type == "REJECTED":
                self.send(sender, report)
            else:
                self._deliver(report)
        self._await_end_of_day()

    @handles(DayOver)
    def end_day(self, _message: DayOver, _sender: ActorAddress) -> None:
        """Let the orders end whose day is over."""
        self._timer = None
        self._end_day(self.clock.now_ns())
        self._await_end_of_day()

    @handles(LetIn)
    def let_in(self, _message: LetIn, _sender: ActorAddress) -> None:
        """Let the order into the book as it is now, and report its trades."""
        for report in self._book.let_in(self.clock.now_ns()):
            self._deliver(report)

    @handles(ReplaceRequest)
    def replace(self, request: ReplaceRequest, sender: ActorAddress) -> None:
        """Change an open order, report that to the sender, and then the trades that it leads to."""
        self._pass_time()
        answer, *reports = self._book.replace(request)
        self.send(sender, answer)
        for report in reports:
            self._deliver(report)
        self._await_end_of_day()

    @handles(CancelRequest)
    def cancel(self, request: CancelRequest, sender: ActorAddress) -> None:
        """Cancel the open quantity of an order, and report the outcome to the sender."""
        self._pass_time()
        report = self._book.cancel(request)
        if report.execution_type == "CANCELLED":
            del self._owners[request.client_order_id]
        self.send(sender, report)

    @handles(OrderStatusRequest)
    def find(self, request: OrderStatusRequest, sender: ActorAddress) -> None:
        """Answer the state of an order."""
        self.send(sender, self._book.find(request.client_order_id))

    def statistics(self) -> ExchangeStatistics:
        """Return the counts of the matching; zeros before the exchange is open."""
        matching = self._matching
        if matching is None:
            return ExchangeStatistics(ticks=0, orders=0, trades=0, resting_orders=0)
        return ExchangeStatistics(
            ticks=matching.ticks, orders=matching.orders, trades=matching.trades, resting_orders=matching.resting
        )

    def _pass_time(self) -> None:
        now_ns = self.clock.now_ns()
        self._end_day(now_ns)
        self._book.pass_time(now_ns)

    def _end_day(self, now_ns: int) -> None:
        for report in self._book.end_day(now_ns):
            self._deliver(report)

    def _await_end_of_day(self) -> None:
        """Have the end of the day come in time: without a timer it would with the first tick of the next one."""
        end_ns = self._book.next_end_ns
        if self._timer is not None and 0 < end_ns < self._timer_ns:  # a stop order ends before its day
            self._timer.cancel()
            self._timer = None
        if end_ns and self._timer is None:
            self._timer_ns = end_ns
            self._timer = self.after(max(end_ns - self.clock.now_ns(), 0) / SECOND_NS, DayOver())

    def _deliver(self, report: ExecutionReport) -> None:
        self.join_trace(report.client_order_id)
        self.send(self._owners[report.client_order_id], report)
        if not report.leaves_quantity:
            del self._owners[report.client_order_id]
