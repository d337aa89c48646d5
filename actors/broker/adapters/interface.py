"""`BrokerAdapter`: what can be asked of any broker."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    from ...external import Pending, PendingResult
    from .orders import BrokerCredentials, OrderRequest


class BrokerAdapter(ABC):
    """A client of one broker, for asyncio and for threads: what a method returns is awaited, or read by `result()`.

    It begins with `async with` or `with`, and ends there. What reads returns an `ExternalServiceResult`; what does
    something returns one of the four types of `results.py`. Nothing that a broker says raises.
    """

    @abstractmethod
    def authenticate(self, credentials: BrokerCredentials) -> Pending[bool]:
        """Use these credentials from now on, and ask the broker whether they are valid."""

    @abstractmethod
    def place_order(self, order: OrderRequest) -> PendingResult:
        """Place the order, once, however often this is called with it."""

    @abstractmethod
    def modify_order(self, order_id: str, order: OrderRequest) -> PendingResult:
        """Change an open order to all that `order` says but its client order id."""

    @abstractmethod
    def cancel_order(self, order_id: str) -> PendingResult:
        """Cancel what is open of an order."""

    @abstractmethod
    def resolve(self, order: OrderRequest) -> PendingResult:
        """Look up what became of an order: `OrderFound` or `OrderNotFound`; a look-up that failed is no success."""

    @abstractmethod
    def get_orders(self) -> PendingResult:
        """Read the orders of the day."""

    @abstractmethod
    def get_order(self, order_id: str) -> PendingResult:
        """Read one order; success without data: there is none of this number."""

    @abstractmethod
    def get_trades(self, order_id: str = "") -> PendingResult:
        """Read the trades of the day, or those of one order."""

    @abstractmethod
    def get_positions(self) -> PendingResult:
        """Read the positions of the day."""

    @abstractmethod
    def get_holdings(self) -> PendingResult:
        """Read what is held in the depository."""

    @abstractmethod
    def get_funds(self) -> PendingResult:
        """Read what money there is."""

    @abstractmethod
    def close(self) -> None:
        """Wait for pending answers, then close."""

    @abstractmethod
    def __enter__(self) -> Self: ...

    @abstractmethod
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    @abstractmethod
    async def __aenter__(self) -> Self: ...

    @abstractmethod
    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
