"""The names of the system's own actors, to send messages to. No strategy or actor of a user may have one of them."""

from typing import Final

SYSTEM: Final = "system"
"""The root of the supervision tree."""

JOURNAL: Final = "journal"
DATABASE: Final = "database"
EVENTS: Final = "events"
DELIVERY: Final = "delivery"
"""Who publishes domain events, and delivers them."""

TRANSPORT: Final = "transport"
"""Who carries events to other systems and theirs in, where there are any."""

NODES: Final = "nodes"
"""Who speaks with the other machines of a play, where there are any."""

EXCHANGE: Final = "exchange"
INSTRUMENTS: Final = "instruments"
BROKER: Final = "broker"
"""The broker session."""

BROKER_SERVICE: Final = "broker-service"
"""The owner of the HTTP calls to the broker, where it is reached by HTTP."""

BROKER_GROUP: Final = "broker-group"
"""The supervisor of the session and of what it needs, where it needs any."""

BROKER_TOKENS: Final = "broker-tokens"
"""The keeper of the access token, where the broker has one."""

BROKER_UPDATES: Final = "broker-updates"
"""The owner of the socket of order updates, where the broker has one."""

ORDERS: Final = "orders"

CHECKPOINTS: Final = "checkpoints"
"""Who keeps what orders would have to read again at a start."""

FLATTENER: Final = "flattener"
"""Who closes positions for a person or the kill switch."""

HEART: Final = "heart"
"""Who proves that orders and the journal work, where a dead-man's switch may listen."""

KILL_SWITCH: Final = "kill-switch"
"""The owner of the file that halts everything."""

LOSS_EXIT: Final = "loss-exit"
"""Who has the broker close the account at a loss of the day, where orders are real."""

RECONCILIATION: Final = "reconciliation"
"""Who compares the broker's books with ours, where the broker has any."""

STRATEGIES: Final = "strategies"
"""The supervisor of all strategies."""

WIRE: Final = "wire"
"""Who speaks a broker's protocol for the paper exchange, where that is served."""

STREAMS: Final = "streams"
"""The sockets of the paper exchange, where it is served."""

WEB: Final = "web"
"""The HTTP server, where something is served."""

CONTROL: Final = "control"

SETTINGS: Final = "settings"
"""Who has the settings read anew, where the system may be asked from outside."""

ALARMS: Final = "alarms"
"""Who tells a person what cannot wait."""

TELEMETRY: Final = "telemetry"
"""Who posts spans to a collector, where one is named."""

CONTROL_WEB: Final = "control-web"
"""The HTTP server of the operations, where they are served over HTTP."""

FEED: Final = "feed"

HISTORY: Final = "history"
"""Who reads the broker's charts, where there are any."""

CHARTS_SERVICE: Final = "charts-service"
"""The owner of its calls, where orders go elsewhere."""

NAMES: Final = frozenset(
    {
        *(
            SYSTEM,
            JOURNAL,
            DATABASE,
            EVENTS,
            INSTRUMENTS,
            EXCHANGE,
            BROKER,
            BROKER_SERVICE,
            BROKER_GROUP,
            BROKER_TOKENS,
        ),
        *(BROKER_TOKENS, BROKER_UPDATES, ORDERS, STRATEGIES, WIRE, STREAMS, WEB, CONTROL, FEED, HISTORY),
        CHARTS_SERVICE,
        CHECKPOINTS,
        SETTINGS,
        TRANSPORT,
        NODES,
        CONTROL_WEB,
        TELEMETRY,
        DELIVERY,
        *(FLATTENER, HEART, KILL_SWITCH, LOSS_EXIT, ALARMS, RECONCILIATION),
    }
)

CLOSING: Final = "flat"
"""The name in the client order ids of who closes positions, whosever these are."""

TAKEN: Final = NAMES | {CLOSING, ""}
"""What no strategy is called: its orders would be taken for another's."""
