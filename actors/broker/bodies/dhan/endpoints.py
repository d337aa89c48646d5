"""The paths of Dhan's REST API, and what may be done with each: the only table of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import msgspec

from ....external import Call, Endpoint

LIVE_URL: Final = "https://api.dhan.co/v2"


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One path and method."""

    endpoint: Endpoint
    method: str

    path: str
    """Behind the base URL; `{order_id}` stands for what a call names."""

    urgent: bool = False
    """It makes a position or an exposure smaller: it overtakes others in the limiter."""

    def call(  # noqa: PLR0913  each is one part of the request
        self,
        base_url: str,
        names: Mapping[str, str] | None = None,
        *,
        deadline_s: float,
        body: bytes | None = None,
        query: tuple[tuple[str, str], ...] = (),
        key: str | None = None,
        urgent: bool = False,
    ) -> Call:
        """Return the request; `names` fill the path.

        Raises:
            KeyError: the path has a name that is not given.
        """
        path = self.path.format_map({name: quote(text, safe="") for name, text in (names or {}).items()})
        return Call(
            endpoint=self.endpoint,
            method=self.method,
            url=f"{base_url}{path}",
            query=query,
            body=body,
            key=key,
            urgent=self.urgent or urgent,
            deadline_s=deadline_s,
        )


def _read(name: str, path: str, *, kind: str = "others") -> Route:
    return Route(endpoint=Endpoint(name=name, kind=kind, read=True, attempts_max=3), method="GET", path=path)


def _write(name: str, method: str, path: str, *, kind: str = "orders", urgent: bool = False) -> Route:
    return Route(endpoint=Endpoint(name=name, kind=kind, read=False), method=method, path=path, urgent=urgent)


PLACE_ORDER: Final = _write("orders.place", "POST", "/orders")
MODIFY_ORDER: Final = _write("orders.modify", "PUT", "/orders/{order_id}")
CANCEL_ORDER: Final = _write("orders.cancel", "DELETE", "/orders/{order_id}", urgent=True)
ORDER_BOOK: Final = _read("orders.book", "/orders")
ORDER: Final = _read("orders.one", "/orders/{order_id}")
ORDER_BY_CORRELATION: Final = _read("orders.by_correlation", "/orders/external/{correlation_id}")
TRADE_BOOK: Final = _read("trades.book", "/trades")
TRADES_OF_ORDER: Final = _read("trades.of_order", "/trades/{order_id}")
TRADE_HISTORY: Final = _read("trades.history", "/trades/{from_date}/{to_date}/{page}")
POSITIONS: Final = _read("positions", "/positions")
