"""One request at the wire, and what an endpoint may ask of the exchange."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias

from .answers import Answer

if TYPE_CHECKING:
    from ..account import Refused
    from .market import MarketShown


class Request(NamedTuple):
    """A request whose client is known."""

    parameters: Mapping[str, str]
    """Of the path, by name."""

    query: Mapping[str, str]
    body: bytes


class Exchange(Protocol):
    """What endpoints ask. All of it is answered in the account's order; nothing here is remembered."""

    @property
    def client_id(self) -> str:
        """Of the client that asks."""

    async def account(self, verb: str, *arguments: Any) -> Any:
        """Call a method of the account, and await until its changes are durable.

        Raises:
            Refused: the account refused.
            WireRefusal: the account is not there.
        """

    async def market(self, view: str, *arguments: Any) -> Any:
        """Call a method of `MarketShown`.

        Raises:
            WireRefusal: it is not there.
        """

    @property
    def listed(self) -> MarketShown:
        """The instruments, which do not change while it runs."""

    def now_ns(self) -> int:
        """The exchange's time: nanoseconds since 1970-01-01 UTC."""

    def refused(self, refusal: Refused) -> Answer:
        """Return the error that a refusal of the account is."""

    def renew_token(self) -> str:
        """Make a new token; the former is dead."""


Handler: TypeAlias = Callable[[Exchange, Request], Awaitable[Answer]]
"""An endpoint."""
