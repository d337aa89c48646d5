"""The interface between the broker session and its body: what a body must do, and what it may call.

A body knows one broker's protocol and nothing else. It answers each request by calling `session.report` *once* with the
outcome, at once or later, and calls it for unsolicited execution reports, too. The session keeps the promises: no order
is placed twice, and a request without an answer in time is in doubt. A restart of the session makes a new body; what
the one before was waiting for, a timer or an answer, never comes, and `restore` hands over what it knew.

    PlaceOrder    -> OrderPlaced | OrderNotPlaced | OrderInDoubt
    ReplaceOrder  -> OrderReplaced | OrderNotReplaced | ReplaceInDoubt
    FindOrder     -> OrderFound | OrderNotFound | LookupFailed
    WithdrawOrder -> ExecutionReport CANCELLED | CANCEL_REJECTED
    unsolicited      ExecutionReport

Every event of a body is checked before it is passed on (`intake.py`): a TRADE has an id, at least 1 share and a finite
price above 0, and the trades of an order add up to no more shares than were ordered. Where the broker reports symbol
and side, the body passes them on (the symbol as natya names it); if they are not those of the order, the event is
refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeAlias

import msgspec

from ...config.sections.broker import BrokerSettings
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
    PlaceOrder,
    ReplaceInDoubt,
    ReplaceOrder,
    WithdrawOrder,
)
from ...messages.kill_switch import LossExitSet, SetLossExit
from ...messages.reconciliation import AccountBookNotRead, AccountBookRead, ReadAccountBook

if TYPE_CHECKING:
    from ..external import ExternalSettings
    from ..runtime import Outcome, Timer
    from ..runtime.clock import Clock
    from .access_token import AccessToken, TokenSource
    from .updates import UpdatesSettings

PlaceAnswer: TypeAlias = OrderPlaced | OrderNotPlaced | OrderInDoubt
"""The answers to `PlaceOrder`."""

FindAnswer: TypeAlias = OrderFound | OrderNotFound | LookupFailed
"""The answers to `FindOrder`."""

ReplaceAnswer: TypeAlias = OrderReplaced | OrderNotReplaced | ReplaceInDoubt
"""The answers to `ReplaceOrder`."""

AccountAnswer: TypeAlias = AccountBookRead | AccountBookNotRead
"""The answers to `ReadAccountBook`."""

BrokerEvent: TypeAlias = PlaceAnswer | ReplaceAnswer | FindAnswer | ExecutionReport
"""Everything that a body may report."""


class BrokerSession(Protocol):
    """The session, as a body may use it; in a test any object with these methods."""

    clock: Clock
    """In a simulated market that of the market."""

    def send(self, target: str, message: Any) -> None:
        """Send a message to another actor; an answer comes to `hear`."""

    def ask(self, target: str, message: Any, *, timeout_s: float, then: Callable[[Outcome], None]) -> None:
        """Ask another actor: the owner of the calls to a service, of its limits and its breaker, or of instruments.

        `then(outcome)` runs in the session, once: with the answer, be it `Failed` or `Unavailable`, or with the error
        that none came in time.
        """

    def after(self, seconds: float, message: Due) -> Timer:
        """Call what is due after so many seconds, in the session."""

    def offload(self, function: Callable[..., Any], *arguments: Any, then: Callable[[Any], None], lane: str) -> None:
        """Run a call that blocks; `then(outcome)` runs in the session. A lane keeps order."""

    def entrance(self) -> Callable[[Any], None]:
        """Return a function by which any thread may have what is `Due` called in the session."""

    def log(self, event: str, *, level: str = "info", **fields: Any) -> None:
        """Log an event; never a secret."""

    def tell_trouble(self, reason: str) -> None:
        """Show people why orders cannot be placed although the session runs; empty: they can."""

    def tell_skew(self, skew_s: float) -> None:
        """Tell how far our clock is ahead of the broker's, by an answer that has just come."""

    def left(self, client_order_id: str) -> None:
        """Count a request that places an order, by the id that it has itself; told wherever one is sent."""

    def changed(self, client_order_id: str, broker_order_id: str) -> None:
        """Count a request that changes an order, by the broker's id that it has itself; told wherever one is sent."""

    def report(self, event: BrokerEvent) -> None:
        """Report the answer to a request, or an unsolicited execution report."""


class Due(msgspec.Struct, frozen=True):
    """To the session itself, for its body: call this."""

    call: Callable[[], object]


class BrokerBody(Protocol):
    """One broker's protocol. No method blocks, and none sends anything twice."""

    OPTIONS: ClassVar[type[msgspec.Struct]]
    """Struct of the options that only this broker has (`broker.options`); `NoOptions` if it has none. It may have
    `problem()`, which says what is wrong with them."""

    IS_PAPER: ClassVar[bool]
    """Whether no order of it costs money, so that it needs no `broker.live`."""

    @classmethod
    def service(cls, settings: BrokerSettings, options: Any, token: AccessToken) -> ExternalSettings | None:
        """Return the settings of the owner of its calls over HTTP, named `broker-service`; None: it makes none."""

    @classmethod
    def updates(cls, settings: BrokerSettings, options: Any, token: AccessToken) -> UpdatesSettings | None:
        """Return the settings of the owner of its socket of order updates, named `broker-updates`; None: it has none.

        What that reads comes to `hear`: OrderUpdated, UpdatesConnected, UpdatesLost.
        """

    @classmethod
    def token_source(cls, settings: BrokerSettings, now_ns: Callable[[], int]) -> TokenSource | None:
        """Return where access tokens come from; None: it has none."""

    def __init__(self, settings: BrokerSettings, options: Any, session: BrokerSession) -> None:
        """Keep them; nothing is sent yet. The options are of the type `OPTIONS`."""

    def open(self) -> None:
        """Begin the session."""

    def rest(self) -> None:
        """Begin nothing of its own any more: the session is about to stop."""

    def close(self) -> None:
        """End the session, and release what `open` acquired."""

    def place(self, order: PlaceOrder) -> None:
        """Send the order, once."""

    def replace(self, request: ReplaceOrder) -> None:
        """Restate an order, once."""

    def withdraw(self, request: WithdrawOrder) -> None:
        """Request the cancellation of the open quantity."""

    def find(self, request: FindOrder) -> None:
        """Look the order up at the broker."""

    def read_account(self, request: ReadAccountBook, then: Callable[[AccountAnswer], object]) -> None:
        """Read all that the account has, and give it, or why that is not known, to `then`, once."""

    def stop_trading(self, then: Callable[[str], object]) -> None:
        """Have the broker take no order for the rest of the day.

        `then` is called once: with why that is not certain, or with an empty text.
        """

    def set_loss_exit(self, wanted: SetLossExit, then: Callable[[LossExitSet], object]) -> None:
        """Have the broker close all of the account at a loss of the day; give how that stands to `then`, once."""

    def count(self, times_ns: tuple[int, ...]) -> None:
        """Count requests of a process before this one against the broker's limits; told before anything is placed."""

    def hear(self, message: Any) -> None:
        """Handle a message of another actor to the session."""

    def snapshot(self) -> Any:
        """Return what the next body needs to know, when the session has failed; None: nothing."""

    def restore(self, state: Any) -> None:
        """Take over what the body before handed over; after `open`."""
