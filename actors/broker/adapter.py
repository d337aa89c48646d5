"""The interface between the broker session and its body: what a body must do, and what it may call.

A body knows one broker's protocol and nothing else. It answers each request by calling `session.report` *once* with the
outcome, at once or later, and calls it for unsolicited execution reports, too. The session keeps the promises: no order
is placed twice, and a request without an answer in time is in doubt.

    PlaceOrder    -> OrderPlaced | OrderNotPlaced | OrderInDoubt
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

from ...config.sections.broker import BrokerSettings
from ...messages.broker import (
    ExecutionReport,
    FindOrder,
    LookupFailed,
    OrderFound,
    OrderInDoubt,
    OrderNotFound,
    OrderNotPlaced,
    OrderPlaced,
    PlaceOrder,
    WithdrawOrder,
)

if TYPE_CHECKING:
    import msgspec

PlaceAnswer: TypeAlias = OrderPlaced | OrderNotPlaced | OrderInDoubt
"""The answers to `PlaceOrder`."""

FindAnswer: TypeAlias = OrderFound | OrderNotFound | LookupFailed
"""The answers to `FindOrder`."""

BrokerEvent: TypeAlias = PlaceAnswer | FindAnswer | ExecutionReport
"""Everything that a body may report."""


class BrokerSession(Protocol):
    """The session, as a body may use it; in a test any object with these three methods."""

    def send(self, target: str, message: Any) -> None:
        """Send a message to another actor: an exchange in this process, or the owner of a socket."""

    def offload(self, function: Callable[..., Any], *arguments: Any, then: Callable[[Any], None], lane: str) -> None:
        """Run a call that blocks, such as an HTTP request; `then(outcome)` runs in the session. A lane keeps order."""

    def report(self, event: BrokerEvent) -> None:
        """Report the answer to a request, or an unsolicited execution report."""


class BrokerAdapter(Protocol):
    """One broker's protocol. No method blocks, and none sends anything twice."""

    OPTIONS: ClassVar[type[msgspec.Struct]]
    """Struct of the options that only this broker has (`broker.options`); `NoOptions` if it has none."""

    def __init__(self, settings: BrokerSettings, options: Any, session: BrokerSession) -> None:
        """Keep them; nothing is sent yet. The options are of the type `OPTIONS`."""

    def open(self) -> None:
        """Begin the session."""

    def close(self) -> None:
        """End the session, and release what `open` acquired."""

    def place(self, order: PlaceOrder) -> None:
        """Send the order, once."""

    def withdraw(self, request: WithdrawOrder) -> None:
        """Request the cancellation of the open quantity."""

    def find(self, request: FindOrder) -> None:
        """Look the order up at the broker."""

    def hear(self, message: Any) -> None:
        """Handle a message of another actor to the session."""
