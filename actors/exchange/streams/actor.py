"""The streams actor: the paper exchange's sockets.

Owns    one StreamServer: its listening socket, its connections, and the thread that serves them.
Hears   Tick; Journaled, for the orders and trades of the account; FindWire; Subscribed of events; Failed and
        Unavailable of either, and the other answers of the wire.
Sends   Subscribe to events when it begins; ShowInstrument to the wire, for a symbol whose number it does not know; to
        who asked WireFound.
Fails   when the address cannot be listened on, or the server ends unasked; not by what a client does. Restarted, it has
        its listening socket again (hand-over); open sockets are lost, as they are at the broker.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, ClassVar, Final

import msgspec

from ....domain.dhan.streams import packets
from ....messages.addresses import EVENTS, WIRE
from ....messages.events import Subscribe, Subscribed
from ....messages.exchange import AccountOrder, AccountTrade, FindWire, WireFound
from ....messages.instruments import InstrumentDefinition, InstrumentShown, ShowInstrument
from ....messages.journal import Journaled
from ....messages.market import Tick
from ....messages.supervision import Failed, Unavailable
from ....messages.system import ActorStatistics
from ...runtime import RuntimeActor, handles
from ..account import EXPIRY, Listing
from ..served_token import ServedToken
from ..stream_faults import StreamFaults
from .encoding import Number
from .server import StreamServer
from .turns import Turns
from .updates import update_of

if TYPE_CHECKING:
    import socket

    from ...runtime import ActorAddress, Outcome

ASK_TIMEOUT_S: Final = 30.0
WAITING_MAX: Final = 1_000
"""Ticks of symbols whose number is being asked for."""


class StreamsActorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where it listens, and for whom."""

    token: ServedToken
    client_id: str
    host: str = "127.0.0.1"
    port: int = 0
    definitions: tuple[InstrumentDefinition, ...] = ()
    faults: StreamFaults | None = None
    """That sockets meet, where they may be asked for."""

    topics: tuple[str, ...] = ()
    """That it subscribes to when it begins: nothing is sent to it before."""


class StreamsActor(RuntimeActor):
    """Hands ticks and orders to the server."""

    background: ClassVar[bool] = True  # the job that serves never ends: a simulated market would wait for it for ever
    settings: StreamsActorSettings

    def on_start(self) -> None:
        """Listen and serve."""
        settings = self.settings
        self._numbers: dict[str, Number | None] = {}
        """By symbol; None: it is being asked for, or has none."""

        self._listings: dict[str, Listing] = {}
        self._early: list[Tick] = []
        self._turns = Turns()
        self._modified: dict[str, int] = {}
        self._trades: dict[str, AccountTrade] = {}
        for definition in settings.definitions:
            self._know(definition)

        def knows(token: str, client_id: str) -> bool:
            return settings.token.is_right(token.encode()) and client_id == settings.client_id

        def knows_partner(partner_id: str, secret: str) -> bool:
            return settings.token.is_partner(partner_id.encode(), secret.encode())

        inherited: socket.socket | None = self.inherited
        self._server = StreamServer(
            host=settings.host,
            port=settings.port,
            knows=knows,
            knows_partner=knows_partner,
            wait_s=lambda token: settings.token.wait_s(token.encode()),
            listener=inherited,
            faults=settings.faults,
        )
        self.offload(self._server.serve, then=self._served)
        self.log("streams.opened", port=self._server.port)
        if settings.topics:
            self.send(EVENTS, Subscribe(subscriber=self.name, topics=settings.topics))

    def snapshot(self) -> socket.socket:
        """Hand the listening socket over."""
        return self._server.listener_copy()

    def restore(self, state: socket.socket) -> None:
        """Do nothing: `on_start` has taken it."""

    def on_stop(self) -> None:
        """Close the server."""
        self._server.close()

    def is_drained(self) -> bool:
        """Serve no more, which would not end by itself."""
        self._server.close()
        return True

    @handles(Subscribed)
    def note_subscribed(self, _answer: Subscribed, _sender: ActorAddress) -> None:
        """Do nothing: whoever logs in from now on is told."""

    @handles(Tick)
    def show(self, tick: Tick, _sender: ActorAddress) -> None:
        """Show a tick; before the first one after an opening or a close, tell of that."""
        if tick.exchange_ns >= self._turns.next_ns:
            self._server.tell_status(self._turns.passed(tick.exchange_ns))
        symbol = tick.symbol
        number = self._numbers.get(symbol)
        if number is not None:
            self._server.publish(number, tick)
        elif symbol not in self._numbers:
            self._numbers[symbol] = None
            self._early.append(tick)
            self.ask(
                WIRE,
                ShowInstrument(name=symbol),
                timeout_s=ASK_TIMEOUT_S,
                then=functools.partial(self._hear_of, symbol),
            )
        elif len(self._early) < WAITING_MAX:
            self._early.append(tick)

    @handles(Journaled)
    def hear(self, journaled: Journaled, _sender: ActorAddress) -> None:
        """Keep the newest trade of each order, and tell of orders: one message for all that became durable at once."""
        for record in journaled.records:
            fact = record.fact
            if isinstance(fact, AccountOrder):
                self._tell_order(fact)
            elif isinstance(fact, AccountTrade):
                self._trades[fact.order_id] = fact

    def _tell_order(self, order: AccountOrder) -> None:
        """Tell of an order to whoever has logged in."""
        is_modified = order.modifications > self._modified.get(order.order_id, 0) and order.is_open
        if order.is_open:
            self._modified[order.order_id] = order.modifications
        else:
            self._modified.pop(order.order_id, None)
        trade = self._trades.get(order.order_id) if order.is_open else self._trades.pop(order.order_id, None)
        if not self._server.order_sockets or order.source == EXPIRY:  # a message is a fifth of what an order costs
            return
        self._server.tell(
            update_of(
                order,
                client_id=self.settings.client_id,
                listing=self._listings.get(order.symbol),
                trade=trade,
                is_modified=is_modified,
            )
        )

    @handles(FindWire, from_outside=True)
    def tell_where(self, _message: FindWire, sender: ActorAddress) -> None:
        """Tell where the sockets are."""
        url = self._server.url
        found = WireFound(
            rest="",
            client_id=self.settings.client_id,
            order_update=url("/order-update"),
            feed=url("/feed"),
            depth=url("/twentydepth"),
            depth_200=url("/twohundreddepth"),
        )
        self.send(sender, found)

    @handles(Failed, Unavailable)
    def hear_of_failure(self, answer: Failed | Unavailable, _sender: ActorAddress) -> None:
        """Log that another actor could not take what was sent."""
        self.log("streams.not_heard", level="warning", by=answer.actor, reason=answer.reason)

    def statistics(self) -> ActorStatistics:
        """Count messages."""
        return ActorStatistics(handled=self.host.handled, failures=self.host.failures)

    def _know(self, definition: InstrumentDefinition) -> None:
        segment = packets.SEGMENT_NUMBERS.get(definition.segment)
        if segment is not None and definition.security_id.isdecimal():
            self._numbers[definition.symbol] = Number(segment, int(definition.security_id))
        self._listings[definition.symbol] = Listing.of(definition)

    def _hear_of(self, symbol: str, outcome: Outcome) -> None:
        told = outcome.value
        early, self._early = self._early, []
        if isinstance(told, InstrumentShown):
            self._know(told.instrument)
        number = self._numbers.get(symbol)
        for tick in early:
            if tick.symbol != symbol:
                self._early.append(tick)
            elif number is not None:
                self._server.publish(number, tick)

    def _served(self, outcome: Outcome) -> None:
        outcome.unwrap()
