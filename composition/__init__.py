"""The supervision tree: which actors are started, in which order, and with which subscriptions.

trading   the whole system (`children`); docs/architecture.md draws it
choices   what settings choose: where orders go, whose time it is, what runs elsewhere
market    the feed, candles, charts
broker    the broker session and who keeps its token
orders    orders, checkpoints, reconciliation, the kill switch
exchange  the paper exchange, within a system and by itself
events    first subscriptions, delivery, the way to other systems
nodes     several machines in one play
control   those that are asked from outside
stopping  how long a stop may take
"""

from .broker import UNLIMITED, broker_session, halted_by
from .choices import notes_on, seed_of
from .events import DELIVERED, events_children, subscriptions
from .exchange import exchange_children
from .market import candles_wanted
from .nodes import node_children
from .orders import kill_switch, orders_settings
from .stopping import actors_stop_s
from .trading import children

__all__ = [
    "DELIVERED",
    "UNLIMITED",
    "actors_stop_s",
    "broker_session",
    "candles_wanted",
    "children",
    "events_children",
    "exchange_children",
    "halted_by",
    "kill_switch",
    "node_children",
    "notes_on",
    "orders_settings",
    "seed_of",
    "subscriptions",
]
