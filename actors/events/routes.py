"""The table of subscriptions, and the routes that follow from it (pure)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...domain.candle_making import intervals_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...domain.candle_making import SymbolCandles
    from ...messages.events import Subscribe

JOURNAL_TOPIC: Final = "journal"
"""Topic of whole batches of journal records, in sequence."""

TOGETHER: Final = "Ticks"
"""Topic of ticks that came together in a live market: of all symbols, by those who hear `Tick` as well."""

ROUTES_CACHED_MAX: Final = 100_000
"""Combinations of topic and symbol in the cache; it is cleared when there are more."""


class TickRoute:
    """The route of one symbol's ticks."""

    __slots__ = ("apart", "candles", "names", "ticks")

    def __init__(
        self, names: tuple[str, ...], candles: SymbolCandles | None, *, together: tuple[str, ...] = ()
    ) -> None:
        self.names: Final = names
        self.apart: Final = tuple(name for name in names if name not in together)
        """Those of the names that get each tick by itself where several came together."""

        self.candles: Final = candles
        """None: nobody wants any."""

        self.ticks = 0
        """Sent to each of these names."""


class TickRoutes(dict[str, TickRoute]):
    """Routes by symbol, and how many ticks each subscriber was sent by them and by those before."""

    def __init__(self) -> None:
        super().__init__()
        self._before: dict[str, int] = {}

    def clear(self) -> None:
        """Forget the routes, not the counts."""
        self._before = self.published()
        super().clear()

    def forget(self, subscriber: str) -> int:
        """Forget the count of a subscriber that has unsubscribed, and return it; forget the routes."""
        self.clear()
        return self._before.pop(subscriber, 0)

    def published(self) -> dict[str, int]:
        """Count the ticks that were sent, by subscriber."""
        sent = self._before.copy()
        for route in self.values():
            for name in route.names:
                sent[name] = sent.get(name, 0) + route.ticks
        return sent


MARKET_TOPICS: Final = frozenset({"Tick", "Candle", TOGETHER})


class RouteTable:
    """Subscriptions by subscriber, and for each topic and symbol the names to deliver to, in order of subscription.

    A known route costs one dictionary access; every change of the subscriptions clears the cache of routes.
    """

    def __init__(self, subscriptions: Iterable[Subscribe] = ()) -> None:
        self._subscriptions: dict[str, Subscribe] = {}
        self._since_ns: dict[str, int] = {}
        self._routes: dict[tuple[str, str, int], tuple[str, ...]] = {}
        self.sequenced: frozenset[str] = frozenset()
        """Subscribers that get each fact in its record."""

        for subscription in subscriptions:
            self.add(subscription)

    def __len__(self) -> int:
        return len(self._subscriptions)

    @property
    def subscriptions(self) -> tuple[Subscribe, ...]:
        """Every subscription, in the order in which they were made."""
        return tuple(self._subscriptions.values())

    def add(self, subscription: Subscribe, since_ns: int = 0) -> None:
        """Subscribe; a subscriber has one subscription, the newest, and keeps its place in the order.

        Args:
            subscription: of one subscriber.
            since_ns: now; of one that is repeated as it was, the first time counts.
        """
        if self._subscriptions.get(subscription.subscriber) != subscription:
            self._since_ns[subscription.subscriber] = since_ns
        self._subscriptions[subscription.subscriber] = subscription
        self._changed()

    def remove(self, subscriber: str) -> None:
        """Unsubscribe; no effect for a name without a subscription."""
        self._subscriptions.pop(subscriber, None)
        self._since_ns.pop(subscriber, None)
        self._changed()

    def _changed(self) -> None:
        self._routes.clear()
        self.sequenced = frozenset(name for name, each in self._subscriptions.items() if each.sequenced)

    def names(self, topic: str, symbol: str = "", interval_ns: int = 0) -> tuple[str, ...]:
        """Return the subscribers of a topic; of those with certain symbols only if `symbol` is among them, or empty.

        The same for those with certain intervals. Facts that are sequenced come of all symbols.
        """
        route = self._routes.get((topic, symbol, interval_ns))
        if route is None:
            if len(self._routes) >= ROUTES_CACHED_MAX:
                self._routes.clear()
            route = self._routes[topic, symbol, interval_ns] = tuple(
                name
                for name, subscription in self._subscriptions.items()
                if topic in subscription.topics
                and not (topic == TOGETHER and subscription.symbols)
                and (not symbol or _is_of(subscription, symbol) or _is_sequenced(subscription, topic))
                and (not interval_ns or not subscription.intervals_ns or interval_ns in subscription.intervals_ns)
            )
        return route

    def intervals(self, symbol: str) -> dict[int, int]:
        """Return the intervals (ns) of candles that are wanted of a symbol, and since when each is."""
        return intervals_of(
            (subscription.intervals_ns, self._since_ns[name])
            for name, subscription in self._subscriptions.items()
            if "Candle" in subscription.topics and _is_of(subscription, symbol)
        )


def _is_of(subscription: Subscribe, symbol: str) -> bool:
    return not subscription.symbols or symbol in subscription.symbols


def _is_sequenced(subscription: Subscribe, topic: str) -> bool:
    """Tell whether the subscription is of facts of every symbol: an order of the subscriber may be of any."""
    return subscription.sequenced and topic not in MARKET_TOPICS
