"""The events router: delivers market data and journaled facts to their subscribers.

Owns    the table of subscriptions, the open candles of the intervals that are subscribed to, the count of dead letters;
        what is kept for a subscriber that is held.
Hears   Tick, Ticks, Candle, Journaled, JournalPage, Subscribe, Unsubscribe, HoldSubscription, ResumeSubscription,
        DeadLetter; DeliverRecord of the keeper of a strategy node; Failed and Unavailable of the journal.
Sends   ticks, candles and facts to their subscribers by name, whole Journaled batches to those of topic `journal`;
        candles that a recording does not have it makes of ticks, and sends each once, when it is closed: before the
        tick that closes it, or when its time is over (in a simulated market by that market's clock);
        ReadJournal when records are missing; Subscribed, Unsubscribed, SubscriptionHeld and SubscriptionResumed to the
        sender.
Fails   on no expected input; restarted, it has its subscriptions, what it holds, its open candles and its journal
        cursor again (hand-over), and reads from the journal what it missed. A tick that it was handling is lost, with
        those that came together with it, and counted as a dead letter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ...messages.events import (
    DeliverRecord,
    EventsStatistics,
    HoldSubscription,
    Published,
    ResumeSubscription,
    Subscribe,
    Subscribed,
    SubscriptionHeld,
    SubscriptionResumed,
    Unsubscribe,
    Unsubscribed,
)
from ...messages.journal import Journaled, JournalPage, JournalRecord, ReadJournal
from ...messages.market import Candle, FeedGapped, Tick, Ticks
from ...messages.supervision import DeadLetter, Failed, Unavailable
from ..runtime import RuntimeActor, handles
from .candles import CandlesInTime, CloseCandles, fault_of
from .held import HeldMessages
from .routes import JOURNAL_TOPIC, ROUTES_CACHED_MAX, TOGETHER, RouteTable, TickRoute, TickRoutes
from .sequence import SequenceGate
from .speaking import may_speak_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ...domain.candle_making import CandleMaker
    from ..runtime import ActorAddress, Timer
    from .settings import EventsSettings


class ReadMissing(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to ask the journal again."""


class Handover(msgspec.Struct, frozen=True):
    """What a restart hands over to the next instance."""

    routes: RouteTable
    delivered: int | None
    """The newest sequence that was sent to all its subscribers; None: no record has come yet."""

    dead_letters: int
    candles: CandleMaker
    ticks_to: TickRoutes
    held: dict[str, HeldMessages]


class EventsActor(RuntimeActor):
    """Routes by message type and symbol."""

    settings: EventsSettings

    def on_start(self) -> None:
        """Begin with the subscriptions in the settings."""
        self._routes = RouteTable(self.settings.subscriptions)
        self._ticks_to = TickRoutes()
        self._candles = CandlesInTime(self, self.settings, self._tell)
        self._held: dict[str, HeldMessages] = {}
        self._post: Callable[[str, Any], None] = self.send
        """Sends to a subscriber, or keeps for one that is held; plain `send` while none is held."""

        self._gate = SequenceGate()
        self._catching_up: Timer | None = None
        """Set while a request to the journal is pending; when it fires, the request is repeated."""

        self._heard = 0
        self._delivered_to_all: int | None = None
        """None: no record has come yet."""

        self._dead_letters_counted = 0
        self._ticks = self._facts = self._delivered = 0

    def snapshot(self) -> Handover:
        """Hand over subscriptions, what is held, the journal cursor, the count of dead letters, the open candles."""
        return Handover(
            self._routes,
            self._delivered_to_all,
            self._dead_letters_counted,
            self._candles.maker,
            self._ticks_to,
            self._held,
        )

    def restore(self, state: Handover) -> None:
        """Take them over, and read the records that came meanwhile."""
        self._routes, delivered = state.routes, state.delivered
        self._dead_letters_counted = state.dead_letters
        self._gate = SequenceGate(delivered)
        self._delivered_to_all = delivered
        if delivered is not None:
            self._read_missing()
        self._candles.take_over(state.candles)
        self._ticks_to = state.ticks_to
        self._held = state.held
        self._held_changed()

    @handles(Tick)
    def route_tick(self, tick: Tick, _sender: ActorAddress) -> None:
        """Deliver to the subscribers of this symbol. The most frequent handler of the system."""
        self._ticks += 1
        route = self._ticks_to.get(tick.symbol)
        if route is None:
            route = self._route_of(tick.symbol)
        if route.candles is not None:
            self._candles.grow(route.candles, tick)
        route.ticks += 1
        send = self._post
        for name in route.names:
            send(name, tick)

    @handles(Ticks)
    def route_ticks(self, together: Ticks, _sender: ActorAddress) -> None:
        """Deliver each tick as `route_tick` does; its code is repeated here, since a live market calls this often."""
        ticks, ticks_to, send = together.ticks, self._ticks_to, self._post
        self._ticks += len(ticks)
        for tick in ticks:
            route = ticks_to.get(tick.symbol)
            if route is None:
                route = self._route_of(tick.symbol)
            if route.candles is not None:
                self._candles.grow(route.candles, tick)
            route.ticks += 1
            for name in route.apart:
                send(name, tick)
        for name in self._routes.names(TOGETHER):
            send(name, together)

    @handles(Candle)
    def route_candle(self, candle: Candle, _sender: ActorAddress) -> None:
        """Deliver a recorded candle to the subscribers of this symbol and interval; none is made of ticks beside it."""
        if self._candles.is_recorded(candle):
            self._route_of(candle.symbol)
        self._tell((candle,))

    @handles(CloseCandles)
    def close_candles(self, _message: CloseCandles, _sender: ActorAddress) -> None:
        """Send the candles whose time is over."""
        self._candles.close()

    @handles(Journaled)
    def route_records(self, batch: Journaled, _sender: ActorAddress) -> None:
        """Deliver in sequence; where records are missing, read them first (this batch is among them then)."""
        if not batch.records:  # the journal never sends an empty batch
            return
        if self._delivered_to_all is None:  # a crash at the first records of all is made up for, too
            self._delivered_to_all = batch.records[0].sequence - 1
        self._heard = max(self._heard, batch.records[-1].sequence)
        if self._catching_up:
            return
        fresh = self._gate.admit(batch.records)
        if fresh is None:
            self._read_missing()
        elif fresh:
            self._deliver(fresh)

    @handles(JournalPage)
    def route_missing(self, page: JournalPage, _sender: ActorAddress) -> None:
        """Deliver the missing records, and read on until none is missing; newer ones may not be on a page yet."""
        if fresh := self._gate.admit(page.records):
            self._deliver(fresh)
        self._end_catching_up()
        if self._gate.delivered < max(page.last_sequence, self._heard):
            if page.records:
                self._read_missing()
            else:
                self._ask_within(self.settings.retry_s)

    @handles(Failed, Unavailable)
    def ask_again_later(self, answer: Failed | Unavailable, _sender: ActorAddress) -> None:
        """Read the journal again later: the missing records are still in it.

        Also when none seems to be missing: a page requested by an earlier instance may have come in between.
        """
        if answer.actor == self.settings.journal:
            self._ask_within(self.settings.retry_s)

    @handles(ReadMissing)
    def ask_again(self, _message: ReadMissing, _sender: ActorAddress) -> None:
        """Read the journal again: it failed, or was restarted before it answered."""
        self._read_missing()

    @handles(Subscribe)
    def subscribe(self, request: Subscribe, sender: ActorAddress) -> None:
        """Deliver from the next message on."""
        if not may_speak_for(self, sender, request):
            return
        if fault := fault_of(request.intervals_ns):
            self.turn_away(request, sender, fault)
            return
        self._routes.add(request, self._candles.since_ns)
        self._ticks_to.clear()
        self.send(sender, Subscribed(subscriber=request.subscriber))

    @handles(Unsubscribe)
    def unsubscribe(self, request: Unsubscribe, sender: ActorAddress) -> None:
        """Deliver nothing more."""
        if not may_speak_for(self, sender, request):
            return
        self._routes.remove(request.subscriber)
        self._held.pop(request.subscriber, None)
        self._held_changed()
        self._delivered += self._ticks_to.forget(request.subscriber)
        self.send(sender, Unsubscribed(subscriber=request.subscriber))

    @handles(HoldSubscription)
    def hold(self, request: HoldSubscription, sender: ActorAddress) -> None:
        """Keep messages for a subscriber that is being replaced."""
        self._held.setdefault(request.subscriber, HeldMessages())
        self._held_changed()
        self.send(sender, SubscriptionHeld(subscriber=request.subscriber))

    @handles(ResumeSubscription)
    def resume(self, request: ResumeSubscription, sender: ActorAddress) -> None:
        """Send what was kept for a subscriber, and then what comes."""
        held = self._held.pop(request.subscriber, None) or HeldMessages()
        self._held_changed()
        cause, sent = self.trace, len(held)
        for message, _, trace in held.take():
            self.trace = trace
            self.send(request.subscriber, message)
        self.trace = cause
        answer = SubscriptionResumed(subscriber=request.subscriber, sent=sent, conflated=held.conflated)
        self.send(sender, answer)

    @handles(DeliverRecord)
    def deliver_record(self, request: DeliverRecord, _sender: ActorAddress) -> None:
        """Send a record to one subscriber, or keep it."""
        self._facts += 1
        self._delivered += 1
        self._post(request.subscriber, request.record)

    @handles(DeadLetter)
    def count_dead_letter(self, letter: DeadLetter, _sender: ActorAddress) -> None:
        """Count a dead letter, and log it: the newest are in `dead_letters.last` of the system's base."""
        self._dead_letters_counted += 1
        self.log_bounded(
            "message.dead_lettered",
            level="warning",
            recipient=letter.actor,
            message_type=letter.message_type,
            error=letter.error,
            reason=letter.reason,
        )

    def is_drained(self) -> bool:
        """Whether no request to the journal is pending."""
        return self._catching_up is None

    def statistics(self) -> EventsStatistics:
        """Return the counts."""
        published = self._ticks_to.published()
        return EventsStatistics(
            ticks=self._ticks,
            facts=self._facts,
            delivered=self._delivered + sum(published.values()),
            subscribers=len(self._routes),
            dead_letters=self._dead_letters_counted,
            last_sequence=self._gate.delivered,
            candles=self._candles.maker.made,
            late_ticks=self._candles.maker.late,
            partial_candles=self._candles.maker.partial,
            published=tuple(Published(subscriber=name, ticks=ticks) for name, ticks in published.items()),
        )

    def _route_of(self, symbol: str) -> TickRoute:
        if len(self._ticks_to) >= ROUTES_CACHED_MAX:
            self._ticks_to.clear()
        candles = self._candles.maker.of(symbol, self._routes.intervals(symbol))
        known = self._ticks_to.get(symbol)
        route = self._ticks_to[symbol] = TickRoute(
            self._routes.names("Tick", symbol), candles, together=self._routes.names(TOGETHER)
        )
        route.ticks = 0 if known is None else known.ticks
        return route

    def _tell(self, candles: Iterable[Candle]) -> None:
        for candle in candles:
            for name in self._routes.names("Candle", candle.symbol, candle.interval_ns):
                self._post(name, candle)
                self._delivered += 1

    def _held_changed(self) -> None:
        self._post = self._send_or_keep if self._held else self.send

    def _send_or_keep(self, name: str, message: Any) -> None:
        held = self._held.get(name)
        if held is None:
            self.send(name, message)
        else:
            held.add(message, self.myAddress, self.trace)

    def _read_missing(self) -> None:
        # Not by `JournalPages`, whose records come one by one: a page is routed as a whole, as a commit is.
        delivered = self._gate.delivered
        self._ask_within(self.settings.answer_s)
        self.log("events.gap_found", level="warning", after_sequence=delivered)
        self.send(self.settings.journal, ReadJournal(after_sequence=delivered))

    def _ask_within(self, seconds: float) -> None:
        self._end_catching_up()
        self._catching_up = self.after(seconds, ReadMissing())

    def _end_catching_up(self) -> None:
        if self._catching_up is not None:
            self._catching_up.cancel()
            self._catching_up = None

    def _deliver(self, records: tuple[JournalRecord, ...]) -> None:
        self._facts += len(records)
        for name in self._routes.names(JOURNAL_TOPIC):
            self._post(name, Journaled(records=records))
            self._delivered += 1
        joined = ""
        for record in records:
            fact = record.fact
            if isinstance(fact, FeedGapped):
                self._candles.maker.gapped(fact.symbols, fact.end_ns)
            names = self._routes.names(type(fact).__name__, getattr(fact, "symbol", ""))
            correlation_id = record.correlation_id
            if names and (not correlation_id or correlation_id != joined):  # those of one append: one conversation
                joined = correlation_id
                self.join_trace(correlation_id)
            for name in names:
                self._post(name, record if name in self._routes.sequenced else fact)
                self._delivered += 1
        self._delivered_to_all = records[-1].sequence
