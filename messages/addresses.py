"""The names of the actors of a system: whom a message is sent to. No strategy has one of them."""

from __future__ import annotations

from typing import Final

SYSTEM: Final = "system"
"""The root of the supervision tree."""

JOURNAL: Final = "journal"
DATABASE: Final = "database"
EVENTS: Final = "events"
EXCHANGE: Final = "exchange"
BROKER: Final = "broker"
ORDERS: Final = "orders"

STRATEGIES: Final = "strategies"
"""The supervisor of all strategies."""

CONTROL: Final = "control"
FEED: Final = "feed"

NAMES: Final = frozenset({SYSTEM, JOURNAL, DATABASE, EVENTS, EXCHANGE, BROKER, ORDERS, STRATEGIES, CONTROL, FEED})
