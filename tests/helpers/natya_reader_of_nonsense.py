"""A reader of recordings that sends what no message can be: a tick with the number 0."""

import sys

import msgspec

from natya.actors.feed.apart import Chunk
from natya.messages.framing import framed
from natya.messages.market import Tick

if __name__ == "__main__":
    tick = Tick(symbol="TCS", price=1.0, quantity=1, exchange_ns=1, source="test", sequence=0)
    body = msgspec.msgpack.encode(Chunk([tick], 0, ()))
    sys.stdout.buffer.write(framed(body))
