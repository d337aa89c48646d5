"""Each order is posted at most once, however often and from however many threads it is placed. No actor, no network.

Who asks first gets a future to fill; who asks again, at the same time or later, waits for the same one. An order that
certainly never left is forgotten, so that it may be placed later; one that may have left not before a day is over and
many others have followed it.
"""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import Future
from typing import Any, Final

import msgspec

from ....domain.time import DAY_NS
from ..left import to_forget

ORDERS_MAX: Final = 100_000
"""Two weeks of as many orders as a broker takes a day."""


class Posted(msgspec.Struct, kw_only=True):
    """An order that is being posted, or was."""

    content: Any
    """The order: the same id with another content is refused."""

    future: Future[Any]
    posted_ns: int
    """Nanoseconds since 1970-01-01 UTC."""

    posted_monotonic_ns: int
    """By the monotonic clock, which nobody sets: the age is measured by it."""


class Once:
    """The orders that were posted, by client order id; for many threads."""

    def __init__(self, orders_max: int = ORDERS_MAX) -> None:
        """Remember at most so many; one more takes the place of one that has a result, and was posted a day before."""
        self._guard: Final = threading.Lock()
        self._posted: Final[dict[str, Posted]] = {}
        self._orders_max: Final = orders_max

    def begin(self, client_order_id: str, content: Any, *, now_ns: int, monotonic_ns: int) -> tuple[Posted, bool] | str:
        """Return what is remembered of an order and whether the caller has to post it; or why nobody may."""
        with self._guard:
            known = self._posted.get(client_order_id)
            if known is not None:
                if known.content != content:
                    return f"client_order_id: one of its own wanted, found that of another order, {client_order_id}"
                return known, False
            if len(self._posted) >= self._orders_max and not self._makes_room(monotonic_ns):
                return f"at most {self._orders_max} orders of one adapter in a day wanted, found one more"
            posted = Posted(content=content, future=Future(), posted_ns=now_ns, posted_monotonic_ns=monotonic_ns)
            self._posted[client_order_id] = posted
            return posted, True

    def _makes_room(self, monotonic_ns: int) -> bool:
        """Forget the oldest with a result, of a day ago or longer; say whether there was one."""
        before_ns = monotonic_ns - DAY_NS
        old = itertools.takewhile(lambda each: each[1].posted_monotonic_ns <= before_ns, self._posted.items())
        settled = (client_order_id for client_order_id, posted in old if posted.future.done())
        over = to_forget(settled, self._orders_max)
        for client_order_id in over:
            del self._posted[client_order_id]
        return bool(over)

    def forget(self, client_order_id: str) -> None:
        """Forget one that never left."""
        with self._guard:
            del self._posted[client_order_id]

    def find(self, client_order_id: str) -> Posted | None:
        """Return what is remembered of an order."""
        with self._guard:
            return self._posted.get(client_order_id)

    def settle(self, client_order_id: str, result: Any) -> None:
        """Replace an unknown outcome by the known one."""
        future: Future[Any] = Future()
        future.set_result(result)
        with self._guard:
            if (posted := self._posted.get(client_order_id)) is not None:
                posted.future = future
