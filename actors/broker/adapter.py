"""What a broker's body must be able to do, and what the session gives it to do it with.

A body knows one broker's language and nothing else. It answers each wish by saying *once* what came of it to
`line.report`, at once or later; what the exchange says unasked goes there too. The session keeps the promises: nothing
is placed twice, and a wish without an answer in time is in doubt.

    PlaceOrder    -> OrderPlaced | OrderNotPlaced | OrderInDoubt
    FindOrder     -> OrderFound | OrderNotFound | LookupFailed
    WithdrawOrder -> ExecutionReport CANCELLED | CANCEL_REJECTED
    unasked          ExecutionReport

What a body says is looked at before anyone hears it (`intake.py`): a TRADE has an id, at least 1 share and a finite
price above 0, and all trades of an order are no more shares than were ordered. Where a broker tells what it is of,
the body passes on the symbol, by our own name, and the side: if they are not those of the order, nothing is believed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

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

Placing: TypeAlias = OrderPlaced | OrderNotPlaced | OrderInDoubt
"""What can come of `PlaceOrder`."""

Finding: TypeAlias = OrderFound | OrderNotFound | LookupFailed
"""What can come of `FindOrder`."""

News: TypeAlias = Placing | Finding | ExecutionReport


class Line(Protocol):
    """The session's side, as a body sees it; in a test any object with these three methods."""

    def send(self, target: str, message: Any) -> None:
        """Send a message to another actor: an exchange in this process, or the owner of a socket."""

    def offload(self, function: Callable[..., Any], *arguments: Any, then: Callable[[Any], None], lane: str) -> None:
        """Run what blocks, such as an HTTP request; `then(outcome)` runs in the session. One lane keeps its order."""

    def report(self, news: News) -> None:
        """Say what came of a wish, or what happened unasked."""


class BrokerAdapter(Protocol):
    """One broker's language. Nothing here blocks, and nothing is repeated."""

    def __init__(self, settings: BrokerSettings, line: Line) -> None:
        """Remember both; nothing is sent yet."""

    def open(self) -> None:
        """Begin the session."""

    def close(self) -> None:
        """End it, and release what `open` took."""

    def place(self, order: PlaceOrder) -> None:
        """Send the order, once."""

    def withdraw(self, request: WithdrawOrder) -> None:
        """Ask for the cancellation of what is open."""

    def find(self, request: FindOrder) -> None:
        """Ask what the broker knows of the order."""

    def hear(self, message: Any) -> None:
        """Take in what another actor sent to the session."""
