"""The owner of the socket of order updates: connects, and connects again.

Owns    one connection, read on another thread; and the wait before the next.
Hears   what that thread reads; from streams WireFound, where the broker is the paper exchange of this system.
Sends   to the broker session OrderUpdated for each update; UpdatesConnected when updates come from now on, and
        UpdatesLost after each connection, or attempt, that has ended.
Fails   not by what the service does: it is connected again after 1 to 30 s, and the session looks at its orders
        meanwhile. Restarted, it says that updates are lost, and connects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol, TypeAlias

import msgspec

from ...config.urls import is_loopback_url
from ...domain.reconnecting import Reconnecting
from ...domain.time import SECOND_NS
from ...messages.addresses import BROKER, STREAMS
from ...messages.broker import OrderUpdated, UpdatesConnected, UpdatesLost, UpdatesStatistics
from ...messages.exchange import FindWire, WireFound
from ..runtime import RuntimeActor, handles

if TYPE_CHECKING:
    from ..runtime import ActorAddress, Outcome

ANSWER_S: Final = 5.0
TOKEN_S: Final = 2.0
"""Seconds between two looks whether there is an access token: they cost no request."""

PENDING_MAX: Final = 10_000
"""Messages that may wait here; beyond that the connection is closed, and what was missed is read over HTTP."""

NO_SOCKET: Final = "the paper exchange serves no order updates"


class Connected(msgspec.Struct, frozen=True, gc=False):
    """The login is through, and the far end is alive."""


class Unreadable(msgspec.Struct, frozen=True, gc=False):
    """A message could not be read, or is of another account."""

    reason: str


class Ignored(msgspec.Struct, frozen=True, gc=False):
    """A message was about no order."""


SocketEvent: TypeAlias = Connected | OrderUpdated | Unreadable | Ignored


class Ending(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Why a connection has ended, or was not made."""

    reason: str
    has_no_token: bool = False
    """Nothing was sent: there is no access token that is alive."""

    is_told_to_wait: bool = False
    """The service said "too many"."""

    is_login_in_doubt: bool = False


class UpdatesSocket(Protocol):
    """One connection; as `bodies/dhan/updates.py` has it."""

    def run(self, tell: Callable[[SocketEvent], bool]) -> Ending:
        """Connect, and tell what comes until the end, or until `tell` returns False: too much waits. It blocks."""

    def stop(self) -> None:
        """End it; from any thread, before or while it runs."""


class UpdatesSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner needs."""

    url: str | None
    """None: it is asked of the paper exchange of this system, and has to be of this machine."""

    new_socket: Callable[[str], UpdatesSocket]
    """Makes a connection to a URL."""


class Heard(msgspec.Struct, frozen=True, gc=False):
    """To itself, from the connection's thread."""

    event: SocketEvent


class ConnectDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time for the next attempt."""


class Inbox:
    """Counts the waiting events: the connection's thread writes one number, the actor the other."""

    def __init__(self, arrive: Callable[[Any], None]) -> None:
        self._arrive: Final = arrive
        self._told = 0
        self.taken = 0

    def tell(self, event: SocketEvent) -> bool:
        """Take an event, on the connection's thread; False: too many wait."""
        self._told += 1
        self._arrive(Heard(event))
        return self._told - self.taken < PENDING_MAX


class UpdatesActor(RuntimeActor):
    """Keeps one connection."""

    background: ClassVar[bool] = True  # the job that reads never ends: a simulated market would wait for it for ever
    system_time: ClassVar[bool] = True  # the service knows nothing of a simulated market

    settings: UpdatesSettings

    def on_start(self) -> None:
        """Connect."""
        self._arrive = self.entrance()
        self._inbox = Inbox(self._arrive)
        self._socket: UpdatesSocket | None = None
        self._reconnecting = Reconnecting()
        self._connected_ns: int | None = None
        """Monotonic; None: it is not connected."""

        self._is_stopping = False
        self._since_ns = 0
        self._connections = self._failures = self._updates = self._without_id = self._ignored = self._refused = 0
        self._reason = "not yet connected"
        self.send(BROKER, UpdatesLost(reason=self._reason))
        self._connect()

    def on_stop(self) -> None:
        """End the connection."""
        self._end()

    def is_drained(self) -> bool:
        """End the connection, which would not end by itself."""
        self._is_stopping = True
        self._end()
        return True

    def statistics(self) -> UpdatesStatistics:
        """Return the counts."""
        return UpdatesStatistics(
            connected=self._connected_ns is not None,
            since_ns=self._since_ns,
            connections=self._connections,
            failures=self._failures,
            updates=self._updates,
            without_id=self._without_id,
            ignored=self._ignored,
            refused=self._refused,
            reason=self._reason,
        )

    @handles(ConnectDue)
    def connect(self, _: ConnectDue, __: ActorAddress) -> None:
        """Make the next attempt."""
        self._connect()

    @handles(Heard)
    def hear(self, heard: Heard, _: ActorAddress) -> None:
        """Count an event, and pass an update on to the session."""
        self._inbox.taken += 1
        match heard.event:
            case OrderUpdated() as update:
                self._updates += 1
                self._without_id += not update.client_order_id
                self.send(BROKER, update)
            case Connected():
                self._be_connected()
            case Ignored():
                self._ignored += 1
            case Unreadable(reason=reason):
                self._refused += 1
                self.log_bounded("update.refused", level="warning", reason=reason)

    # Helpers.

    def _connect(self) -> None:
        if self._is_stopping:
            return
        if self.settings.url is None:
            self.ask(STREAMS, FindWire(), timeout_s=ANSWER_S, then=self._be_told)
        else:
            self._connect_to(self.settings.url)

    def _be_told(self, outcome: Outcome) -> None:
        found = outcome.value
        if not isinstance(found, WireFound):
            self._ended(Ending(reason="the paper exchange did not say where it is"))
        elif not found.order_update:
            self._ended(Ending(reason=NO_SOCKET, is_told_to_wait=True))
        elif not is_loopback_url(found.order_update):
            self._ended(Ending(reason="a socket of this machine wanted, found one of another", is_told_to_wait=True))
        elif not self._is_stopping:
            self._connect_to(found.order_update)

    def _connect_to(self, url: str) -> None:
        self._inbox = Inbox(self._arrive)
        self._socket = self.settings.new_socket(url)
        self.offload(self._socket.run, self._inbox.tell, then=lambda outcome: self._ended(outcome.unwrap()))

    def _be_connected(self) -> None:
        self._connected_ns, self._since_ns = self.clock.monotonic_ns(), self.clock.now_ns()
        self._connections += 1
        self._reason = self.trouble = ""
        self.log("updates.connected", connections=self._connections)
        self.send(BROKER, UpdatesConnected())

    def _ended(self, ending: Ending) -> None:
        """Tell the session that updates are lost, and plan the next attempt."""
        self._socket = None
        lived_s = 0.0
        if self._connected_ns is not None:
            lived_s = (self.clock.monotonic_ns() - self._connected_ns) / SECOND_NS
            self._since_ns = self.clock.now_ns()
            self._connected_ns = None
        elif not ending.has_no_token:
            self._failures += 1
        if self._is_stopping:
            return
        if ending.reason != self._reason:
            self.log("updates.lost", level="warning", reason=ending.reason, lived_s=round(lived_s, 1))
        self._reason = ending.reason
        if ending.reason != NO_SOCKET:  # else nothing is wrong
            self.trouble = f"no order updates ({ending.reason}): open orders are looked at more often"
        self.send(BROKER, UpdatesLost(reason=ending.reason, is_login_in_doubt=ending.is_login_in_doubt))
        if ending.has_no_token:
            self.after(TOKEN_S, ConnectDue())
            return
        self._reconnecting = self._reconnecting.after(lived_s=lived_s)
        wait_s = self._reconnecting.wait_s(chance=self.random.random(), is_told_to_wait=ending.is_told_to_wait)
        self.after(wait_s, ConnectDue())

    def _end(self) -> None:
        if self._socket is not None:
            self._socket.stop()
