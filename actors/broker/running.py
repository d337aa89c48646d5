"""The broker as a running system has it: `TradingSystem.broker`.

It only reads. Orders are placed by strategies, under every risk rule; a client that speaks to the broker itself is
`natya.DhanBrokerAdapter`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

from ...messages.addresses import BROKER
from ...messages.broker import BrokerStatistics, FindOrder, LookupFailed, OrderFound, OrderNotFound
from ...messages.reconciliation import AccountBookNotRead, AccountBookRead, ReadAccountBook
from ...messages.system import Ping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...config.sections.broker import BrokerSettings

Account: TypeAlias = AccountBookRead | AccountBookNotRead
Found: TypeAlias = OrderFound | OrderNotFound | LookupFailed

ANSWER_S: Final = 30.0
"""Seconds that a broker may take for its lists, the wait for its rate limits included."""


class Asked(Protocol):
    """The part of a running system that is used here."""

    def request(self, actor: str, message: Any, *, timeout_s: float) -> Any:
        """Ask an actor, and wait."""

    async def request_async(self, actor: str, message: Any, *, timeout_s: float) -> Any:
        """The same, awaited."""


class RunningBroker:
    """Asks the owner of the session. Methods raise `RequestTimedOut` where no answer comes in `timeout_s`."""

    def __init__(self, system: Asked, settings: BrokerSettings) -> None:
        self._system: Final = system
        self._settings: Final = settings

    @property
    def name(self) -> str:
        """Which broker: `paper`, `dhan`."""
        return self._settings.name

    @property
    def is_live(self) -> bool:
        """Whether orders leave for it; of a real broker without it, each is held back (a dry run)."""
        return self._settings.live

    def statistics(self, *, timeout_s: float = ANSWER_S) -> BrokerStatistics:
        """Return the counts of the session: orders sent, and their outcomes."""
        found: BrokerStatistics = self._system.request(BROKER, Ping(), timeout_s=timeout_s).statistics
        return found

    def account(self, symbols: Sequence[str] = (), *, timeout_s: float = ANSWER_S) -> Account:
        """Read all orders of the day, positions and funds from the broker, whoever ordered.

        Args:
            symbols: what the broker has of these is told by these names, of others in the broker's words.
            timeout_s: how long it may take.
        """
        found: Account = self._system.request(BROKER, ReadAccountBook(symbols=tuple(symbols)), timeout_s=timeout_s)
        return found

    async def account_async(self, symbols: Sequence[str] = (), *, timeout_s: float = ANSWER_S) -> Account:
        """As `account`, awaited."""
        found: Account = await self._system.request_async(
            BROKER, ReadAccountBook(symbols=tuple(symbols)), timeout_s=timeout_s
        )
        return found

    def find(self, client_order_id: str, *, timeout_s: float = ANSWER_S) -> Found:
        """Look an order up at the broker: what it knows of it, with its trades."""
        found: Found = self._system.request(BROKER, FindOrder(client_order_id=client_order_id), timeout_s=timeout_s)
        return found

    async def find_async(self, client_order_id: str, *, timeout_s: float = ANSWER_S) -> Found:
        """As `find`, awaited."""
        found: Found = await self._system.request_async(
            BROKER, FindOrder(client_order_id=client_order_id), timeout_s=timeout_s
        )
        return found
