"""Packets of Dhan's market feed into ticks.

The problem: a hundred thousand packets a second, each with up to fifteen prices that were 32-bit floats on the way, and
have to be on the tick grid again. The idea: the header says all that decides how a packet is read, so its eight bytes
are looked up as they are; a price that was seen once is looked up, too, and not rounded again; the prices of the day
are compared as bytes with those before. The trap: a number that is none (NaN, infinite, below zero) must not become a
price, so what is not in the table is checked before it is put there; and so is a time that is newer than all others.

Open interest and the previous close come in packets of their own; they are kept, and told with the next tick.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final, TypeAlias

from .....domain.dhan.streams import packets
from .....domain.dhan.streams.packets import (
    FULL,
    OPEN_INTEREST,
    PREVIOUS_CLOSE,
    QUOTE,
    TICKER,
    PacketError,
    packets_of,
)
from .....domain.time import DAY_NS, IST_OFFSET_NS, SECOND_NS, time_text
from .....messages.market import DaySummary, Depth, Tick
from .....messages.units import RUPEES_MAX
from .prices import ContentError, OnGrid, PriceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .....domain.instruments import PriceGrid
    from .books import DeepBook

WITHOUT_CONTENT: Final = frozenset({packets.HEARTBEAT, packets.INDEX})
"""Codes of packets that say only that the feed lives."""

AHEAD_MAX_NS: Final = 60 * SECOND_NS
"""A trade of a later time, by the machine's clock, has not happened: it would close all candles up to then."""

SIMULATED_AHEAD_MAX_NS: Final = DAY_NS
"""The same of an exchange that is simulated: it may run ahead."""

IST_OFFSET_S: Final = IST_OFFSET_NS // SECOND_NS
NO_LAST_PRICE: Final = "a last price above 0 wanted, found 0"
NO_AVERAGE: Final = f"an average price from 0 to {RUPEES_MAX:g} rupees wanted, found another number"

# The parts of the layouts that change with every packet: without the header, which names the instrument, and without
# the prices of the day, which mostly do not.
_TICKER: Final = struct.Struct("<8xfI")
_QUOTE: Final = struct.Struct("<8xfHIfIII16x")
_FULL: Final = struct.Struct("<8xfHIfIIII8x16x" + packets.LEVELS * "IIHHff")
_DAY: Final = struct.Struct("<ffff")


class Instrument:
    """A subscribed instrument, and its values that come in packets of their own."""

    __slots__ = (
        "book",
        "day_bytes",
        "day_prices",
        "has_open_interest",
        "on_grid",
        "open_interest",
        "previous_close",
        "symbol",
    )

    def __init__(self, symbol: str, on_grid: OnGrid, *, has_open_interest: bool, book: DeepBook | None = None) -> None:
        """Know nothing yet."""
        self.book = book
        """The book that deepens the five levels of full packets; None: there is none."""

        self.symbol = symbol
        self.on_grid = on_grid
        self.has_open_interest = has_open_interest
        self.open_interest = 0
        self.previous_close = 0.0
        self.day_bytes = b""
        self.day_prices = 0.0, 0.0, 0.0, 0.0
        """Open, close, high and low as they came last, and on the grid: most packets repeat them."""

    def day(self, found: bytes) -> tuple[float, float, float, float]:
        """Return open, close, high and low on the grid.

        Raises:
            PriceError: one of them is none.
        """
        on_grid = self.on_grid
        opened, closed, high, low = _DAY.unpack(found)
        prices = self.day_prices = on_grid[opened], on_grid[closed], on_grid[high], on_grid[low]
        self.day_bytes = found
        return prices


Reader: TypeAlias = "Callable[[Instrument, bytes, int, int], Tick | None]"
"""Of an instrument, a frame, a place in it, and the time at which it came, it makes a tick, or notes what was told."""


class Decoder:
    """Makes ticks of frames. Numbers them in the order of arrival, over all connections. Not thread-safe."""

    def __init__(self, source: str, *, sequence: int = 0, ahead_max_ns: int = AHEAD_MAX_NS) -> None:
        """Know no instrument yet.

        Args:
            source: of the ticks.
            sequence: of the last tick before.
            ahead_max_ns: how far a time may be ahead of the machine's.
        """
        self._source: Final = source
        self._ahead_max_ns: Final = ahead_max_ns
        self._known: Final[dict[bytes, tuple[Reader, Instrument, int]]] = {}
        """By the eight bytes with which a packet of this kind about this instrument begins; and its length."""

        self._tables: Final[dict[float, OnGrid]] = {}
        self.sequence = self._before = sequence
        self._newest_s = self._newest_ns = 0
        """The newest time that a packet told, as it came, and as nanoseconds: most packets tell it again."""

        self.packets = 0
        self.unknown = 0
        """Packets of instruments that are not subscribed to, or of codes that are not known."""

        self.damaged = 0
        """Frames, or packets of them, that were none."""

        self.ahead = 0
        """Of them, packets whose time had not come yet: of all, where the machine's clock is late."""

        self.reason = 0
        """Of the last packet that ended a connection: one of `packets.REASONS`; 0 for none."""

        self.statuses: list[str] = []
        """Segments whose market has opened or closed, until they are taken out: no field says which of both."""

        self.broken = ""
        """Of the last frame that was not packets, until it is set back."""

        self.fault = ""
        """Of the last frame or packet that was damaged."""

    @property
    def ticks(self) -> int:
        """Ticks that were made since the beginning."""
        return self.sequence - self._before

    def add(
        self, segment: str, security_id: str, symbol: str, grid: PriceGrid, *, book: DeepBook | None = None
    ) -> None:
        """Know an instrument from now on; the book deepens what its full packets show."""
        on_grid = self._tables.get(grid.tick_size_rupees)
        if on_grid is None:
            on_grid = self._tables[grid.tick_size_rupees] = OnGrid(grid)
        has_open_interest = not segment.endswith("_EQ") and segment != "IDX_I"
        instrument = Instrument(symbol, on_grid, has_open_interest=has_open_interest, book=book)
        readers = {
            TICKER: self._ticker,
            QUOTE: self._quote,
            FULL: self._full,
            OPEN_INTEREST: _note_open_interest,
            PREVIOUS_CLOSE: _note_previous_close,
        }
        for code, reader in readers.items():
            self._known[_beginning(code, segment, security_id)] = reader, instrument, packets.LAYOUTS[code].size

    def remove(self, segment: str, security_id: str) -> None:
        """Know it no more; packets that are still on their way count as unknown."""
        for code in packets.LAYOUTS:
            self._known.pop(_beginning(code, segment, security_id), None)

    def decode(self, frame: bytes, received_ns: int) -> list[Tick]:
        """Return the ticks of a frame.

        What is damaged gives none, is counted, and told by `fault`; the packets before it, and those after a packet
        with a wrong number, count. A packet that ends the connection sets `reason`.

        Args:
            frame: as it came.
            received_ns: when it came: nanoseconds since 1970-01-01 UTC.
        """
        known = self._known.get(frame[:8])
        if known is None or len(frame) != known[2]:
            return self._walk(frame, received_ns)
        self.packets += 1  # most frames are one packet: it is not walked to find that out
        try:
            tick = known[0](known[1], frame, 0, received_ns)
        except ContentError as fault:
            self.damaged += 1
            self.fault = str(fault)
            return []
        return [] if tick is None else [tick]

    def _walk(self, frame: bytes, received_ns: int) -> list[Tick]:
        found: list[Tick] = []
        try:
            for code, offset in packets_of(frame):
                self.packets += 1
                known = self._known.get(frame[offset : offset + 8])
                try:
                    if known is None:
                        self._other(code, frame, offset)
                    elif tick := known[0](known[1], frame, offset, received_ns):
                        found.append(tick)
                except ContentError as fault:
                    self.damaged += 1
                    self.fault = str(fault)
        except PacketError as fault:
            self.damaged += 1
            self.fault = self.broken = str(fault)
        return found

    def _ticker(self, instrument: Instrument, frame: bytes, offset: int, received_ns: int) -> Tick:
        price, time_s = _TICKER.unpack_from(frame, offset)
        price = instrument.on_grid[price]
        if not price:
            raise PriceError(NO_LAST_PRICE)
        exchange_ns = self._newest_ns if time_s == self._newest_s else self._time_ns(time_s, received_ns)
        self.sequence += 1
        return Tick(
            symbol=instrument.symbol,
            price=price,
            quantity=0,
            exchange_ns=exchange_ns,
            source=self._source,
            sequence=self.sequence,
            received_ns=received_ns,
        )

    def _quote(self, instrument: Instrument, frame: bytes, offset: int, received_ns: int) -> Tick:
        price, quantity, time_s, average, volume, sellers, buyers = _QUOTE.unpack_from(frame, offset)
        day = frame[offset + 34 : offset + 50]
        opened, closed, high, low = instrument.day_prices if day == instrument.day_bytes else instrument.day(day)
        price = instrument.on_grid[price]
        if not price:
            raise PriceError(NO_LAST_PRICE)
        if not 0 <= average <= RUPEES_MAX:
            raise PriceError(NO_AVERAGE)
        exchange_ns = self._newest_ns if time_s == self._newest_s else self._time_ns(time_s, received_ns)
        self.sequence += 1
        return Tick(
            symbol=instrument.symbol,
            price=price,
            quantity=quantity,
            exchange_ns=exchange_ns,
            source=self._source,
            sequence=self.sequence,
            received_ns=received_ns,
            volume=volume,
            day=DaySummary(
                open_price=opened,
                high_price=high,
                low_price=low,
                close_price=closed or instrument.previous_close,
                average_price=int(average * 100 + 0.5) / 100,
                total_buy_quantity=buyers,
                total_sell_quantity=sellers,
                open_interest=instrument.open_interest if instrument.has_open_interest else None,
            ),
        )

    def _full(self, instrument: Instrument, frame: bytes, offset: int, received_ns: int) -> Tick:
        values = _FULL.unpack_from(frame, offset)
        price, quantity, time_s, average, volume, sellers, buyers, open_interest = values[:8]
        day = frame[offset + 46 : offset + 62]
        opened, closed, high, low = instrument.day_prices if day == instrument.day_bytes else instrument.day(day)
        on_grid = instrument.on_grid
        price = on_grid[price]
        if not price:
            raise PriceError(NO_LAST_PRICE)
        if not 0 <= average <= RUPEES_MAX:
            raise PriceError(NO_AVERAGE)
        exchange_ns = self._newest_ns if time_s == self._newest_s else self._time_ns(time_s, received_ns)
        rounded = on_grid.__getitem__
        depth = Depth(
            bid_prices=tuple(map(rounded, values[12::6])),
            bid_quantities=values[8::6],
            ask_prices=tuple(map(rounded, values[13::6])),
            ask_quantities=values[9::6],
            bid_orders=values[10::6],
            ask_orders=values[11::6],
        )
        if instrument.book is not None:
            depth = instrument.book.beyond(depth, received_ns)
        self.sequence += 1
        return Tick(
            symbol=instrument.symbol,
            price=price,
            quantity=quantity,
            exchange_ns=exchange_ns,
            source=self._source,
            sequence=self.sequence,
            received_ns=received_ns,
            volume=volume,
            depth=depth,
            day=DaySummary(
                open_price=opened,
                high_price=high,
                low_price=low,
                close_price=closed or instrument.previous_close,
                average_price=int(average * 100 + 0.5) / 100,
                total_buy_quantity=buyers,
                total_sell_quantity=sellers,
                open_interest=open_interest if instrument.has_open_interest else None,
            ),
        )

    def _time_ns(self, time_s: int, received_ns: int) -> int:
        """Return the time that a packet tells; 0 for none.

        Raises:
            ContentError: it has not come yet. It would close the candles of its instrument up to then.
        """
        if time_s <= IST_OFFSET_S:
            return 0
        found = time_s * SECOND_NS - IST_OFFSET_NS
        if time_s > self._newest_s:
            if found > received_ns + self._ahead_max_ns:
                self.ahead += 1
                raise ContentError(
                    f"a time up to {self._ahead_max_ns // SECOND_NS} s ahead of the machine's wanted, "
                    f"found {time_text(found)} at {time_text(received_ns)}"
                )
            self._newest_s, self._newest_ns = time_s, found
        return found

    def _other(self, code: int, frame: bytes, offset: int) -> None:
        if code == packets.DISCONNECT:
            self.reason = packets.DISCONNECT_LAYOUT.unpack_from(frame, offset)[-1]
        elif code == packets.STATUS and (segment := packets.SEGMENTS.get(packets.HEADER.unpack_from(frame, offset)[2])):
            self.statuses.append(segment)
        else:
            self.unknown += code not in WITHOUT_CONTENT


def _note_open_interest(instrument: Instrument, frame: bytes, offset: int, _received_ns: int) -> None:
    instrument.open_interest = packets.OPEN_INTEREST_LAYOUT.unpack_from(frame, offset)[-1]


def _note_previous_close(instrument: Instrument, frame: bytes, offset: int, _received_ns: int) -> None:
    instrument.previous_close = instrument.on_grid[packets.PREVIOUS_CLOSE_LAYOUT.unpack_from(frame, offset)[-2]]


def _beginning(code: int, segment: str, security_id: str) -> bytes:
    """Return the header of such a packet: code, length, segment and number, all of them."""
    return packets.HEADER.pack(code, packets.LAYOUTS[code].size, packets.SEGMENT_NUMBERS[segment], int(security_id))
