"""Orders that have ended, as bytes (plain): each is decoded when somebody asks for it, which is seldom.

A system that has traded for years has a million of them, and of nearly all only the id is asked for again, so that it
is not used twice. A late report, a repeated order or a list asks for a few of them whole.

    blocks    one behind the other, each: its length (8 bytes), then ids, places, times and orders in columns

A later block's order counts instead of an earlier one's of that id.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from ....domain.orders import Order
from ....messages.orders import OrderFact

_LENGTH_SIZE: Final = 8


class EndedOrder(NamedTuple):
    """One order that has ended."""

    client_order_id: str
    place: int
    """Of its first fact among those of all orders: 0, 1, 2."""

    order: Order | None
    """None: our gate refused it."""

    newest: OrderFact


class _Block(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Columns; numbers have 8 bytes, in this machine's byte order."""

    ids: list[str]
    places: bytes
    changed_ns: bytes
    ends: bytes
    """Where each order ends among the bytes of all."""

    orders: memoryview


class _Content(msgspec.Struct, frozen=True, array_like=True):
    order: Order | None
    newest: OrderFact


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_content = msgspec.msgpack.Decoder(_Content)
_block = msgspec.msgpack.Decoder(_Block)


def packed(orders: Iterable[EndedOrder]) -> bytes:
    """Encode orders as a block; empty if there are none."""
    ids, places, changed, ends, content = [], array("q"), array("q"), array("q"), bytearray()
    for each in orders:
        ids.append(each.client_order_id)
        places.append(each.place)
        changed.append(each.newest.occurred_ns)
        content += _encoder.encode(_Content(each.order, each.newest))
        ends.append(len(content))
    if not ids:
        return b""
    block = _encoder.encode(_Block(ids, places.tobytes(), changed.tobytes(), ends.tobytes(), memoryview(content)))
    return len(block).to_bytes(_LENGTH_SIZE, "little") + block


class Ended:
    """The orders of some blocks.

    Raises:
        ValueError: the bytes are no blocks (msgspec.DecodeError is one).
    """

    def __init__(self, blocks: bytes = b"") -> None:
        self._numbers: dict[str, int] = {}
        self._places: Final = array("q")
        self._changed_ns: Final = array("q")
        self._ends: Final = array("q")
        self._firsts: Final[list[int]] = []
        """Number of the first order of each block."""

        self._contents: Final[list[memoryview]] = []
        view, offset = memoryview(blocks), 0
        while offset < len(view):
            start = offset + _LENGTH_SIZE
            offset = start + int.from_bytes(view[offset:start], "little")
            if offset > len(view):
                raise ValueError(f"a block up to byte {offset} wanted, found {len(view)} bytes")
            block = _block.decode(view[start:offset])
            self._take(block, block.ids)

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._numbers)

    def order(self, client_order_id: str) -> Order | None:
        """Return the order; None if it is not among them, or our gate refused it."""
        content = self._content(client_order_id)
        return None if content is None else content.order

    def newest_fact(self, client_order_id: str) -> OrderFact | None:
        """Return its newest fact; None if it is not among them."""
        content = self._content(client_order_id)
        return None if content is None else content.newest

    def changed_ns(self, client_order_id: str) -> int:
        """Return when its newest fact occurred: nanoseconds since 1970-01-01 UTC. It has to be among them."""
        return self._changed_ns[self._numbers[client_order_id]]

    def places(self) -> Iterator[tuple[str, int]]:
        """Yield each id and its place."""
        places = self._places
        return ((client_order_id, places[number]) for client_order_id, number in self._numbers.items())

    def place(self, client_order_id: str) -> int:
        """Return the place of an order. It has to be among them."""
        return self._places[self._numbers[client_order_id]]

    def add(self, orders: Sequence[EndedOrder]) -> bytes:
        """Add orders, and return their block; empty if there are none."""
        block = packed(orders)
        if block:
            self._take(_block.decode(memoryview(block)[_LENGTH_SIZE:]), [each.client_order_id for each in orders])
        return block

    def _take(self, block: _Block, ids: list[str]) -> None:
        """Take a block; `ids`: those in it, the same objects as others have, where they have them."""
        first = len(self._ends)
        self._numbers.update(zip(ids, range(first, first + len(ids)), strict=True))
        for column, data in (
            (self._places, block.places),
            (self._changed_ns, block.changed_ns),
            (self._ends, block.ends),
        ):
            column.frombytes(data)
            if len(column) != first + len(ids):
                raise ValueError(f"{len(ids)} numbers wanted, found {len(column) - first}")
        self._firsts.append(first)
        self._contents.append(block.orders)

    def _content(self, client_order_id: str) -> _Content | None:
        number = self._numbers.get(client_order_id)
        if number is None:
            return None
        block = bisect_right(self._firsts, number) - 1
        start = 0 if number == self._firsts[block] else self._ends[number - 1]
        return _content.decode(self._contents[block][start : self._ends[number]])
