"""One end of the socket pair: any thread may write without blocking; a writing thread does what would block.

A frame is written by the thread that holds the write lock. `flush` takes it if it is free, writes as much as the
socket accepts at once, and leaves the rest to the writing thread, which may block. So usually no second thread handles
a message: to wake one, and to get the interpreter lock back from it, takes longer than to write a thousand ticks.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ....messages.codec import MESSAGE_SIZE_MAX_BYTES
from ....messages.framing import FrameLengthError, FrameReader
from ..errors import reason_of
from .own_types import NONE
from .wire import FRAME_BYTES_MAX, Frame, Letters, letters, read, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ..endpoint import Envelope
    from ..market_clock import MarketClock
    from ..trace import Stamp
    from .addresses import Addresses
    from .wire import Parcel

LETTERS_A_FRAME_MAX: Final = 1_024
"""Messages of a frame, which then has about 40 KB of ticks: larger ones are no faster, and delay the writing loop."""

SOCKET_BUFFER_BYTES: Final = 1 << 20
_CHUNK_BYTES: Final = 1 << 18

Bundle: TypeAlias = "tuple[int | str, list[Envelope]]"
"""A target there, and messages for it, each with its sender here."""

_Run: TypeAlias = "tuple[Any, int | str, list[Any], list[int | Stamp]]"
"""A sender, a target, and neighbouring messages of the one to the other, with the trace of each."""


class LinkError(Exception):
    """The bytes received are no frame: the other end is not one of ours, or is broken."""


class Link:
    """Any thread may put and flush, which never block; one thread reads. The owner bounds what it puts."""

    def __init__(
        self,
        connection: socket.socket,
        addresses: Addresses,
        *,
        unsendable: Callable[[int | str, Envelope, str], object],
        shipped: Callable[[int, list[Bundle]], object] | None = None,
        market: MarketClock | None = None,
    ) -> None:
        """Start the writing thread.

        Args:
            connection: this end.
            addresses: gives senders their numbers.
            unsendable: called with a message that has no wire form, and why; on the thread that holds the write lock.
            market: tells its time, and when its newest message was released; both are put into each frame.
            shipped: called with each frame's messages before it is written, and its mark; on that thread, too.
        """
        self._connection = connection
        self._addresses = addresses
        self._unsendable = unsendable
        self._shipped = shipped
        self._market = market
        self.own = NONE
        """The actor's own message types; whoever makes the link sets them before it is used."""

        self._mark = 0
        self._outbox: deque[Bundle | Parcel] = deque()
        self.put: Final = self._outbox.append
        """Queue a bundle or a parcel for the next flush."""

        self._frames: deque[memoryview] = deque()
        self._incoming = Incoming()
        self._over = False
        """Whether either end has closed: what is queued stays for `take_unsent`."""

        self._write_lock = threading.Lock()
        self._call = threading.Lock()
        self._call.acquire()
        self._writer = threading.Thread(target=self._write_when_called, name="natya-worker-writer", daemon=True)
        self._writer.start()

    # Writing.

    def waiting(self) -> int:
        """Return the number of bundles and parcels that wait to be written."""
        return len(self._outbox)

    def flush(self) -> None:
        """Write what is queued, as far as the socket accepts it without blocking."""
        while (
            self._outbox and not self._over and self._write_lock.acquire(blocking=False)
        ):  # else the holder of the lock looks again before it releases it
            try:
                if not self._write(socket.MSG_DONTWAIT):
                    self.call_writer()
                    return
            finally:
                self._write_lock.release()

    def call_writer(self) -> None:
        """Have the writing thread flush; for a caller that may be busy for long."""
        with contextlib.suppress(RuntimeError):  # it was called already
            self._call.release()

    def finish(self) -> None:
        """Write all that is queued, then close the connection."""
        with self._write_lock:
            self._write(0)
        self.hang_up()

    def hang_up(self) -> None:
        """Shut the connection down: nothing more is written, and reading ends at both ends."""
        self._over = True
        with contextlib.suppress(OSError):  # the other end hung up first
            self._connection.shutdown(socket.SHUT_RDWR)
        self.call_writer()

    def close(self) -> None:
        """Close the socket, after `hang_up`; for the thread that reads."""
        with self._write_lock:
            self._connection.close()

    def take_unsent(self) -> list[Bundle]:
        """Return what was never written, after `hang_up`; for the thread that puts."""
        with self._write_lock:
            items = [*self._outbox]
            self._outbox.clear()
        return [item for item in items if isinstance(item, tuple)]

    def _write_when_called(self) -> None:
        while not self._over:
            self._call.acquire()
            while (self._frames or self._outbox) and not self._over:
                with self._write_lock:
                    self._write(0)

    def _write(self, flags: int) -> bool:
        """Write until nothing is queued, or (False) the socket would block; called with the write lock held."""
        frames = self._frames
        while not self._over:
            if not frames:
                if not self._outbox:
                    return True
                self._pack_next()
            try:
                sent = self._connection.send(frames[0], flags)
            except BlockingIOError:
                return False
            except OSError:  # the other end is gone, which the reading thread will see
                self._over = True
                return True
            if sent == len(frames[0]):
                frames.popleft()
            else:
                frames[0] = frames[0][sent:]
        return True

    def _pack_next(self) -> None:
        items: list[Bundle | Parcel] = []
        count = 0
        while self._outbox and count < LETTERS_A_FRAME_MAX:
            item = self._outbox.popleft()
            items.append(item)
            count += len(item[1]) if isinstance(item, tuple) else 1
        self._pack(items)

    def _pack(self, items: list[Bundle | Parcel]) -> None:
        """Make a frame of the items; frames of their halves if it is too long, or a message has no wire form."""
        bundles = [item for item in items if isinstance(item, tuple)]
        count = sum(len(envelopes) for _, envelopes in bundles)
        mark = self._mark + count
        try:
            frame = write(Frame(self._parcels(items), mark if bundles else 0, *self._times()))
        except Exception as fault:  # noqa: BLE001  a value of a user's own may have code in it, and that raises anything
            if count == 1 == len(items):
                ((target, (envelope,)),) = bundles
                self._unsendable(target, envelope, reason_of(fault))
                frame, bundles = write(Frame([], mark)), []  # it is counted, so that later frames are numbered right
            else:
                for half in _halves(items):
                    self._pack(half)
                return
        self._mark = mark
        if self._shipped is not None and bundles:
            self._shipped(mark, bundles)
        self._frames.append(frame)

    def _times(self) -> tuple[int | None, int | None]:
        market = self._market
        if market is None:
            return None, None
        return market.released_ns, market.time_ns if market.rules else None

    def _parcels(self, items: list[Bundle | Parcel]) -> list[Parcel]:
        """Encode bundles as letters, neighbours of one sender to one target as one."""
        parcels: list[Parcel] = []
        last: _Run | None = None
        for item in items:
            if not isinstance(item, tuple):
                if last is not None:
                    parcels.append(self._written(last))
                    last = None
                parcels.append(item)
                continue
            target, envelopes = item
            for sender, messages, traces in _by_sender(envelopes):
                if last is not None and last[0] is sender and last[1] == target:
                    last[2].extend(messages)
                    last[3].extend(traces)
                    continue
                if last is not None:
                    parcels.append(self._written(last))
                last = sender, target, [*messages], [*traces]
        if last is not None:
            parcels.append(self._written(last))
        return parcels

    def _written(self, run: _Run) -> Letters:
        sender, target, messages, traces = run
        number, wants_answer = self._addresses.number(sender), getattr(sender, "wants_answer", False)
        written = letters(target, number, wants_answer=wants_answer, messages=messages, traces=traces, own=self.own)
        size = len(written.messages)
        if size > MESSAGE_SIZE_MAX_BYTES and getattr(sender, "guest", True):  # halved, so that it is one of them
            raise ValueError(f"a message has up to {MESSAGE_SIZE_MAX_BYTES} bytes, this one {size}")
        return written

    # Reading.

    def frames(self) -> Iterator[Frame]:
        """Yield frames until either end hangs up.

        Raises:
            LinkError: what came is none.
        """
        while (frames := self.receive()) is not None:
            yield from frames

    def receive(self, flags: int = 0) -> list[Frame] | None:
        """Return the frames that came, with `MSG_DONTWAIT` perhaps none; None if either end has hung up.

        Raises:
            LinkError: what came is none.
        """
        try:
            chunk = self._connection.recv(_CHUNK_BYTES, flags)
        except BlockingIOError:
            return []
        except OSError:
            return None
        return self._incoming.add(chunk) if chunk else None


class Incoming:
    """Splits the received bytes into frames."""

    def __init__(self) -> None:
        self._reader = FrameReader(FRAME_BYTES_MAX, _read)

    def add(self, chunk: bytes) -> list[Frame]:
        """Add bytes; return the frames that are complete now.

        Raises:
            LinkError: they are none.
        """
        try:
            return self._reader.feed(chunk)
        except FrameLengthError as fault:
            raise LinkError(str(fault)) from fault


def _by_sender(envelopes: list[Envelope]) -> Iterator[tuple[Any, Iterable[Any], Iterable[int | Stamp]]]:
    # Usually all have the same sender, the market's router. Transposing takes a sixth of the time of `groupby`.
    messages, senders, traces = zip(*envelopes, strict=True)
    if len({*senders}) == 1:
        yield senders[0], messages, traces
    else:
        for sender, run in groupby(envelopes, key=itemgetter(1)):
            messages, _, traces = zip(*run, strict=True)
            yield sender, messages, traces


def _halves(items: list[Bundle | Parcel]) -> tuple[list[Bundle | Parcel], list[Bundle | Parcel]]:
    if len(items) > 1:
        middle = len(items) // 2
        return items[:middle], items[middle:]
    (bundle,) = items
    assert isinstance(bundle, tuple), "a parcel is bounded where it is made"
    target, envelopes = bundle
    middle = len(envelopes) // 2
    return [(target, envelopes[:middle])], [(target, envelopes[middle:])]


def _read(body: memoryview) -> Frame:
    try:
        return read(body)
    except ValueError as fault:
        raise LinkError(str(fault)) from fault
