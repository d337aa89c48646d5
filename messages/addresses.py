"""The names of the system's own actors, to send messages to. No strategy or actor of a user may have one of them."""

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

WEB: Final = "web"
"""The HTTP server, where something is served."""

CONTROL: Final = "control"
FEED: Final = "feed"

NAMES: Final = frozenset({SYSTEM, JOURNAL, DATABASE, EVENTS, EXCHANGE, BROKER, ORDERS, STRATEGIES, WEB, CONTROL, FEED})
