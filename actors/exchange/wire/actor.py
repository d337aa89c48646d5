"""The wire's actor: what the market has shown, and the application that speaks Dhan's protocol about it.

Owns    one MarketShown, and one WireApplication, which the web server serves.
Hears   Tick; ShowMarket, SetPrice, ListInstrument and ListNumber of the application; Mounted and MountRefused of the
        web server; MarketEnded of the feed; FindWire and ShowInstrument; Failed and Unavailable, and the other answers
        of the list of instruments.
Sends   Mount to the web server; MarketTold or HandRefused, WireFound, InstrumentShown or InstrumentUnknown to who
        asked; ShowInstrument and FindInstrument to the list of instruments, of what is not listed yet; AddListings to
        the exchange, also of symbols that no list knows; a Tick to events for each price that is set by hand;
        TicksRecorded to the feed where no database records what it sends.
Fails   when the web server does not serve it. Restarted, market, token and counts of requests are what they were
        (hand-over).

After the end of a recording the exchange goes on: it has the last prices, and its time moves on at the market's speed.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from ....domain.instruments import is_symbol
from ....domain.time import SECOND_NS
from ....messages.addresses import EVENTS, EXCHANGE, FEED, WEB
from ....messages.exchange import FindWire, WireFound
from ....messages.instruments import InstrumentList, InstrumentShown, InstrumentUnknown, ShowInstrument
from ....messages.market import AwaitMarketEnd, MarketEnded, Tick, TicksRecorded
from ....messages.supervision import Failed, Unavailable
from ....messages.system import ActorStatistics
from ...runtime import RuntimeActor, SystemClock, handles
from ...web import Mount, Mounted
from ...web.mounting import MountRefused
from ..calls import AddListings, Answered, Call
from .application import WireApplication
from .asking import HandRefused, ListInstrument, ListNumber, MarketTold, SetPrice, ShowMarket
from .by_hand import tick_of
from .carrying import Carrier
from .finding import Finder
from .market import MarketShown
from .routes import BASE
from .settings import WireActorSettings

if TYPE_CHECKING:
    from ....messages.instruments import InstrumentDefinition
    from ...runtime import ActorAddress, Outcome

VIEWS: Final = frozenset({"last_prices", "ohlc", "quotes", "chart", "daily", "expiries", "chain", "listed"})
BEAT_S: Final = 0.01
LISTED_TIMEOUT_S: Final = 60.0
OF_UNDERLYINGS: Final = frozenset({"expiries", "chain"})
"""Views that are about an underlying, their first argument."""


class Beat(msgspec.Struct, frozen=True, gc=False):
    """To itself, in real time: let the time of the market go on."""


class Passed(msgspec.Struct, frozen=True, gc=False):
    """To itself: it has."""


class NotServedError(Exception):
    """The account is not there, or the web server serves something else at the exchange's path."""


class WireActor(RuntimeActor):
    """Shows the market, and gives the web server the application."""

    ready_when_told: ClassVar[bool] = True  # by the web server: where it is served

    settings: WireActorSettings

    def on_start(self) -> None:
        """Make market and application, and have it served."""
        settings = self.settings
        inherited: tuple[MarketShown, WireApplication] | None = self.inherited
        if inherited is None:
            limits = settings.limits
            market = MarketShown(
                settings.definitions,
                tick_size_rupees=limits.tick_size_rupees,
                band_percent=limits.price_band_percent,
            )
            application = WireApplication(
                client_id=settings.client_id,
                token=settings.token,
                market=market,
                market_actor=self.name,
                ask=self.requester(),
                now_ns=self.clock.now_ns,
                machine=SystemClock(),
                is_limited=settings.is_limited,
                carrier=Carrier(settings.stream_faults) if settings.has_faults else None,
                consent_redirect=settings.consent_redirect,
            )
        else:
            market, application = inherited
        self._market, self._application = market, application
        self._finder = Finder(market, ask=self.ask, now_ns=self.clock.now_ns, listed=self._list_at_account)
        self._sought: set[str] = set()
        """Symbols that the list of instruments was asked for."""

        self._source = f"by-hand-{self.clock.now_ns()}"
        self._by_hand = 0
        self._played: set[str] = set()
        """Symbols that a market moves."""

        self._by_hand_told: dict[int, ActorAddress] = {}
        """Who waits until a price that was set by hand has reached the exchange, by its number."""

        self.url = ""
        self.ask(EXCHANGE, Call("listed"), timeout_s=LISTED_TIMEOUT_S, then=self._remember)
        self._awaits_end = False

    def snapshot(self) -> tuple[MarketShown, WireApplication]:
        """Hand over the market, the token and the counts."""
        return self._market, self._application

    def restore(self, state: tuple[MarketShown, WireApplication]) -> None:
        """Do nothing: `on_start` has taken it."""

    @handles(Tick)
    def move(self, tick: Tick, _sender: ActorAddress) -> None:
        """Show a tick."""
        symbol = tick.symbol
        if symbol not in self._sought and self._market.listings.of_symbol(symbol) is None:
            self._sought.add(symbol)
            self._finder.symbol(symbol, functools.partial(self._list_anyway, symbol))
        self._market.move(tick)
        if tick.source == self._source:  # events sends to the exchange first: whoever asks it now finds it moved
            sender = self._by_hand_told.pop(tick.sequence, None)
            if sender is not None:
                self.send(sender, MarketTold({"symbol": tick.symbol, "price": tick.price}))
            return
        self._played.add(tick.symbol)
        if self.settings.records:
            self.send(FEED, TicksRecorded(source=tick.source, sequence=tick.sequence))
        if not self._awaits_end:  # the feed starts last: only now it is certainly there
            self._awaits_end = True
            self.send(FEED, AwaitMarketEnd())

    @handles(ShowMarket)
    def show(self, question: ShowMarket, sender: ActorAddress) -> None:
        """Tell what was shown."""
        if question.view not in VIEWS:
            self.turn_away(question, sender, f"one of {', '.join(sorted(VIEWS))} wanted, found {question.view!r}")
            return
        if question.view in OF_UNDERLYINGS:
            self._finder.options(question.arguments[0], functools.partial(self._tell, question, sender))
        else:
            self._tell(question, sender)

    @handles(SetPrice)
    def set_price(self, wanted: SetPrice, sender: ActorAddress) -> None:
        """Send a tick as the feed does, so that everybody hears it."""
        then = functools.partial(self._set_price, wanted, sender)
        if wanted.symbol:
            self._finder.symbol(wanted.symbol, then)
        else:
            self._finder.number((wanted.exchange_segment, wanted.security_id), then)

    @handles(ListNumber)
    def list_number(self, wanted: ListNumber, sender: ActorAddress) -> None:
        """List an instrument at the account, if any list knows it."""
        self._finder.number(wanted.instrument, functools.partial(self._tell_listed, wanted, sender))

    @handles(ListInstrument)
    def list_instrument(self, wanted: ListInstrument, sender: ActorAddress) -> None:
        """List an instrument, here and at the account."""
        definition = wanted.definition
        try:
            self._market.list_instrument(definition)
        except ValueError as fault:
            self.send(sender, HandRefused(str(fault)))
            return
        self._list_at_account(definition)
        self.send(sender, MarketTold({"symbol": definition.symbol, "securityId": definition.security_id}))

    def _set_price(self, wanted: SetPrice, sender: ActorAddress) -> None:
        try:
            tick = self._tick_of(wanted)
        except ValueError as fault:
            self.send(sender, HandRefused(str(fault)))
            return
        self._by_hand_told[tick.sequence] = sender
        self.send(EVENTS, tick)

    @handles(Mounted)
    def be_served(self, mounted: Mounted, _sender: ActorAddress) -> None:
        """Note where; the start is complete."""
        self.url = mounted.url
        self.log("exchange.served", url=mounted.url)
        self.ready()

    @handles(FindWire, from_outside=True)
    def tell_where(self, _message: FindWire, sender: ActorAddress) -> None:
        """Tell where the protocol is spoken."""
        self.send(sender, WireFound(rest=f"{self.url}{BASE}", client_id=self.settings.client_id))

    @handles(ShowInstrument)
    def show_instrument(self, question: ShowInstrument, sender: ActorAddress) -> None:
        """Tell how a symbol is listed here; one that no list knows is listed now."""
        if not is_symbol(question.name):
            self.send(sender, InstrumentUnknown(name=question.name, reason="a symbol wanted, found none"))
            return
        self._finder.symbol(question.name, functools.partial(self._show_instrument, question, sender))

    def _show_instrument(self, question: ShowInstrument, sender: ActorAddress) -> None:
        self._list_anyway(question.name)
        listing = self._market.listings.of_symbol(question.name)
        assert listing is not None, "it is listed now"
        shown = InstrumentShown(
            name=question.name,
            instrument=listing.reference.definition(),
            of=InstrumentList(source="paper exchange"),
        )
        self.send(sender, shown)

    @handles(MountRefused)
    def fail(self, refusal: MountRefused, _sender: ActorAddress) -> None:
        """Fail: without a server nothing can be served."""
        raise NotServedError(str(refusal.error)) from refusal.error

    @handles(MarketEnded, Beat)
    def go_on(self, _message: MarketEnded | Beat, _sender: ActorAddress) -> None:
        """Let the market's time go on after its last message, as it would if it still sent some."""
        self._played.clear()
        if self.market_rules:
            self.when_quiet(Passed(), self.fact_clock.now_ns() + round(BEAT_S * SECOND_NS))

    @handles(Passed)
    def beat_again(self, _message: Passed, _sender: ActorAddress) -> None:
        """Go on in a moment of real time."""
        self.after_on_machine(BEAT_S, Beat())

    @handles(Failed, Unavailable)
    def hear_of_failure(self, answer: Failed | Unavailable, _sender: ActorAddress) -> None:
        """Log that another actor could not take what was sent."""
        self.log("exchange.not_heard", level="warning", by=answer.actor, reason=answer.reason)

    def statistics(self) -> ActorStatistics:
        """Count messages."""
        return ActorStatistics(handled=self.host.handled, failures=self.host.failures)

    def _tell(self, question: ShowMarket, sender: ActorAddress) -> None:
        self.send(sender, MarketTold(getattr(self._market, question.view)(*question.arguments)))

    def _tell_listed(self, wanted: ListNumber, sender: ActorAddress) -> None:
        listing = self._market.listings.find(wanted.instrument)
        if listing is not None:  # of the options of an underlying, the account knows only those that were asked for
            self._list_at_account(listing.reference.definition())
        self.send(sender, MarketTold(listing is not None))

    def _list_anyway(self, symbol: str) -> None:
        added = self._market.list_unknown(symbol)
        if added is not None:
            self._list_at_account(added)

    def _list_at_account(self, definition: InstrumentDefinition) -> None:
        self.send(EXCHANGE, AddListings((definition,)))

    def _remember(self, outcome: Outcome) -> None:
        """Know what was listed in earlier runs, and be served."""
        told = outcome.unwrap()
        if not isinstance(told, Answered):
            raise NotServedError(f"the account's instruments wanted, found {type(told).__name__}")
        for definition in told.value:
            self._market.remember(definition)
        self.send(WEB, Mount(path="", application=self._application, owner=self.name))  # answered: then it is ready

    def _tick_of(self, wanted: SetPrice) -> Tick:
        listings = self._market.listings
        if wanted.symbol:
            listing = listings.of_symbol(wanted.symbol)
        else:
            listing = listings.find((wanted.exchange_segment, wanted.security_id))
        if listing is None:
            found = wanted.symbol or f"{wanted.exchange_segment} {wanted.security_id}"
            raise ValueError(
                f"a symbol, or exchangeSegment and securityId, of a listed instrument wanted, found {found!a}"
            )
        if listing.symbol in self._played:
            raise ValueError(
                f"symbol: one that no market moves wanted, found {listing.symbol!a} (--by-hand plays no market)"
            )
        tick = tick_of(wanted, listing, now_ns=self.clock.now_ns(), source=self._source, sequence=self._by_hand + 1)
        self._by_hand += 1
        return tick
