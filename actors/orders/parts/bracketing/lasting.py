"""For how long the market has been where an order waits for it, by its prices (plain).

What a price says has to be fresh, to be said by a later one, too, and to last: one tick that is wrong moves nothing,
and neither does a feed that stands still.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .....domain.freshness import age_fault
from .....domain.time import SECOND_NS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..context import OrdersContext


class Lasting:
    """Remembers since when, from one look to the next."""

    def __init__(self, context: OrdersContext) -> None:
        """Begin with nothing seen."""
        self._context: Final = context
        self._since: dict[str, tuple[int, int]] = {}
        """By client order id: since when, in nanoseconds of the second clock, and the time of the price that showed
        it."""

    def look(self, found: Mapping[str, int]) -> dict[str, float]:
        """Return the seconds that it lasts, by client order id; 0 while no later price says so, too.

        Args:
            found: the time of the price that says it now, by the same; of which it is not said is forgotten.
        """
        now_ns, before = self._context.elapsed_ns(), self._since
        self._since = {name: before.get(name, (now_ns, price_ns)) for name, price_ns in found.items()}
        return {
            name: (now_ns - since_ns) / SECOND_NS if found[name] > first_ns else 0.0
            for name, (since_ns, first_ns) in self._since.items()
        }

    def is_old(self, price_ns: int) -> bool:
        """Say whether a price is too old to be believed."""
        limit_s = self._context.settings.price_age_max_s
        return bool(limit_s and age_fault("a price", price_ns, self._context.now_ns(), age_max_s=limit_s))
