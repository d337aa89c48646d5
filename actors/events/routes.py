"""Who hears what: the table of subscriptions, as a pure rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...messages.events import Subscribe

JOURNAL_TOPIC: Final = "journal"
"""Topic of whole batches of journal records, in sequence."""

ROUTES_CACHED_MAX: Final = 100_000
"""Combinations of topic and symbol that are remembered; the table is rebuilt from nothing when there are more."""


class RouteTable:
    """Subscriptions by subscriber, and for each topic and symbol the names to deliver to, in order of subscription.

    A look-up of a route seen before is one dictionary access; every change of the subscriptions forgets the routes.
    """

    def __init__(self, subscriptions: Iterable[Subscribe] = ()) -> None:
        self._subscriptions: dict[str, Subscribe] = {}
        self._routes: dict[tuple[str, str], tuple[str, ...]] = {}
        for subscription in subscriptions:
            self.add(subscription)

    def __len__(self) -> int:
        return len(self._subscriptions)

    @property
    def subscriptions(self) -> tuple[Subscribe, ...]:
        """Every subscription, in the order in which they were made."""
        return tuple(self._subscriptions.values())

    def add(self, subscription: Subscribe) -> None:
        """Subscribe; a subscriber has one subscription, the newest, and keeps its place in the order."""
        self._subscriptions[subscription.subscriber] = subscription
        self._routes.clear()

    def remove(self, subscriber: str) -> None:
        """Unsubscribe; of a name without a subscription there is nothing to remove."""
        self._subscriptions.pop(subscriber, None)
        self._routes.clear()

    def names(self, topic: str, symbol: str = "") -> tuple[str, ...]:
        """Name the actors that hear `topic`; those that asked for certain symbols only if `symbol` is one of them."""
        route = self._routes.get((topic, symbol))
        if route is None:
            if len(self._routes) >= ROUTES_CACHED_MAX:
                self._routes.clear()
            route = self._routes[topic, symbol] = tuple(
                name
                for name, subscription in self._subscriptions.items()
                if topic in subscription.topics
                and (not symbol or not subscription.symbols or symbol in subscription.symbols)
            )
        return route
