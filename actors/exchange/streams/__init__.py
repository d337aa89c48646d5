"""The sockets of the paper exchange, as Dhan's: market feed, depth of 20 and 200 levels, order updates.

actor       owner of the server; hears ticks and orders, and hands them to its thread
server      one listening socket for all paths, on a thread of its own; who gets what
sockets     what the sockets of all kinds have in common
market_sockets  those of market data: what a client may subscribe to, and what it is told
order_socket    that of order updates
faulty      a socket's way out where faults may be asked for
frames      how a frame begins (pure)
turns       when an exchange opens and closes, by the times of its ticks (pure)
encoding    packets of what the market has shown (pure)
updates     an order as the socket of order updates tells it (pure)
"""

from .actor import StreamsActor, StreamsActorSettings

__all__ = ["StreamsActor", "StreamsActorSettings"]
