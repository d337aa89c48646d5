"""The exchange actor: the paper exchange, fed by the same ticks as everyone else.

Owns    one Matching (see matching.py), and who placed each open order.
Hears   Tick, NewOrder, CancelRequest, OrderStatusRequest; JournalPage, Failed and Unavailable of the journal.
Sends   ExecutionReport to who placed the order: NEW or REJECTED at once, TRADE when it happens, CANCELLED or
        CANCEL_REJECTED to who asked for it; OrderFound or OrderNotFound to the asker. ReadJournal to the journal.
Fails   on nothing it expects: what it refuses, it rejects. Restarted, it has its book again (hand-over); in a new
        process the open orders of its account rest again, as the journal's facts left them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ...messages.addresses import BROKER, JOURNAL
from ...messages.broker import (
    CancelRequest,
    ExchangeStatistics,
    ExecutionReport,
    NewOrder,
    OrderStatusRequest,
)
from ...messages.journal import JournalPage, ReadJournal
from ...messages.market import Tick
from ...messages.supervision import Failed, Unavailable
from ..runtime import RuntimeActor, handles
from .matching import Matching
from .recovery import TYPES, Remembered
from .settings import ExchangeActorSettings

if TYPE_CHECKING:
    from ..runtime import ActorAddress


PAGE_RECORDS: Final = 10_000
RETRY_S: Final = 1.0


class Open(msgspec.Struct, frozen=True, gc=False):
    """To itself: read the journal, unless the life before has handed its book over."""


class ExchangeActor(RuntimeActor):
    """Hands every message to the matching, and every report to whom it concerns."""

    ready_when_told = True
    settings: ExchangeActorSettings

    def on_start(self) -> None:
        """Open when it is known what rests; each market begins with its first tick."""
        self._matching: Matching | None = None
        self._owners: dict[str, ActorAddress | str] = {}
        self._remembered = Remembered(self.settings.account)
        self._read_sequence = self._heard_ns = 0
        self.send(self.myAddress, Open())

    def snapshot(self) -> tuple[Matching | None, dict[str, ActorAddress | str]]:
        """Keep the book."""
        return self._matching, self._owners

    def restore(self, state: tuple[Matching | None, dict[str, ActorAddress | str]]) -> None:
        """Take the book over."""
        self._matching, self._owners = state

    # Opening.

    @handles(Open)
    def open(self, _message: Open, _sender: ActorAddress) -> None:
        """Ask the journal what rests; nothing does in a new account, but the journal says how far it is."""
        if self._matching is None:
            is_new = self.settings.account == "new"
            self.send(
                JOURNAL,
                ReadJournal(after_sequence=self._read_sequence, types=TYPES, records_max=1 if is_new else PAGE_RECORDS),
            )
        else:
            self.ready()

    @handles(JournalPage)
    def read_page(self, page: JournalPage, _sender: ActorAddress) -> None:
        """Remember, page by page; behind the last one the market may come."""
        if self._matching is not None:
            return
        for record in page.records:
            if record.sequence > self._read_sequence:  # a life before may have asked, too
                self._remembered.apply(record.fact)
                self._read_sequence, self._heard_ns = record.sequence, record.recorded_ns
        if len(page.records) == PAGE_RECORDS and self.settings.account != "new":
            self.open(Open(), self.myAddress)
            return
        resting = self._remembered.orders()
        self._take_book(
            Matching(
                tick_size_rupees=self.settings.limits.tick_size_rupees,
                run=page.last_sequence,
                now_ns=self.clock.now_ns(),
                resting=resting,
                since_ns=self._heard_ns,
            )
        )
        self._owners.update((order.request.client_order_id, BROKER) for order in resting)
        if resting:
            self.log("exchange.orders_rest", count=len(resting))
        self.ready()

    @handles(Failed, Unavailable)
    def ask_again_later(self, answer: Failed | Unavailable, _sender: ActorAddress) -> None:
        """Wait for the journal to come back."""
        if self._matching is None and answer.actor == JOURNAL:
            self.after(RETRY_S, Open())

    def _take_book(self, matching: Matching) -> None:
        self._matching = matching

    @property
    def _book(self) -> Matching:
        assert self._matching is not None, "whoever sends orders or ticks starts later"
        return self._matching

    # Trading.

    @handles(Tick)
    def move(self, tick: Tick, _sender: ActorAddress) -> None:
        """Move the market; whose resting orders traded hears of it."""
        for report in self._book.move(tick):
            self._deliver(report)

    @handles(NewOrder)
    def place(self, request: NewOrder, sender: ActorAddress) -> None:
        """Take or reject the order, and trade it as far as it goes."""
        self._book.pass_time(self.clock.now_ns())
        for report in self._book.place(request):
            if report.execution_type == "NEW":
                self._owners[request.client_order_id] = sender
            if report.execution_type == "REJECTED":
                self.send(sender, report)
            else:
                self._deliver(report)

    @handles(CancelRequest)
    def cancel(self, request: CancelRequest, sender: ActorAddress) -> None:
        """Withdraw what is open of an order; who asks hears what came of it."""
        self._book.pass_time(self.clock.now_ns())
        report = self._book.cancel(request)
        if report.execution_type == "CANCELLED":
            del self._owners[request.client_order_id]
        self.send(sender, report)

    @handles(OrderStatusRequest)
    def find(self, request: OrderStatusRequest, sender: ActorAddress) -> None:
        """Tell what is known of an order."""
        self.send(sender, self._book.find(request.client_order_id))

    def statistics(self) -> ExchangeStatistics:
        """Count what the matching did; nothing before it is open."""
        matching = self._matching
        if matching is None:
            return ExchangeStatistics(ticks=0, orders=0, trades=0, resting_orders=0)
        return ExchangeStatistics(
            ticks=matching.ticks, orders=matching.orders, trades=matching.trades, resting_orders=matching.resting
        )

    def _deliver(self, report: ExecutionReport) -> None:
        self.join_trace(report.client_order_id)
        self.send(self._owners[report.client_order_id], report)
        if not report.leaves_quantity:
            del self._owners[report.client_order_id]
