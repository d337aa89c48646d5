"""One play on several machines: a broker node, and nodes that run its strategies.

settings   where they meet, and which strategies are concerned
server     what they keep there: leases, streams of frames, ticks (plain)
meeting    reading from it and sending, for both kinds of nodes; link_end: one end of a link (plain)
gate       on the broker node: admits holders of leases, and hears those admitted last
node       on another: keeps leases, and runs what they are of; hosted: how one strategy stands; incoming: ticks (plain)
door       there: stands for an actor of the broker node

The rules are in `domain/nodes/`; what speaks for a strategy on the broker node is `actors/strategy/deputy.py`.
"""

from .door import Door
from .gate import Gate
from .node import Keeper
from .settings import PlaySettings

__all__ = ["Door", "Gate", "Keeper", "PlaySettings"]
