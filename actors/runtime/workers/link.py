"""One end of the socket pair: a thread that writes whatever waits as one frame, and an iterator over what comes."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .wire import ACTOR, FRAME_BYTES_MAX, LENGTH_BYTES, Frame, Letters, read, write

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from .addresses import Addresses
    from .wire import Parcel

LETTERS_A_FRAME_MAX: Final = 2_048
"""So that a frame of ticks has some 200 KB: larger ones measured no faster, and delay what comes behind."""

SOCKET_BUFFER_BYTES: Final = 1 << 20
_CHUNK_BYTES: Final = 1 << 18

Letter: TypeAlias = tuple[int | str, Any, Any]
"""Target, sender (an address of this process), message."""


class LinkError(Exception):
    """What came is no frame: the other end is not one of ours, or is broken."""


class Link:
    """Posting never blocks and is for any thread; `frames` is for one. Each owner bounds what it posts."""

    def __init__(
        self,
        connection: socket.socket,
        addresses: Addresses,
        *,
        unsendable: Callable[[Letter, Exception], object],
        shipped: Callable[[int, list[Letter]], object] | None = None,
    ) -> None:
        """Start the writing thread.

        Args:
            connection: this end; closed by `close`.
            addresses: gives senders their numbers.
            unsendable: hears, on the writing thread, of a message without a wire form.
            shipped: hears, on the writing thread, of each batch before it is sent, with its mark; only letters to the
                worker's actor have marks.
        """
        self._connection = connection
        self._addresses = addresses
        self._unsendable = unsendable
        self._shipped = shipped
        self._mark = 0
        self._queue: queue.SimpleQueue[Letter | Parcel | None] = queue.SimpleQueue()
        self.post: Final = self._queue.put
        """Send a `Letter`, or a parcel as it is."""

        self.unsent: Final = self._queue.qsize
        """How many wait to be written."""

        self._left: list[Any] = []
        self._closed = False
        self._writer = threading.Thread(target=self._write_all, name="natya-worker-writer", daemon=True)
        self._writer.start()

    def close(self) -> None:
        """Hang up: `frames` ends here and at the other end. What was not written yet stays for `take_unsent`."""
        if not self._closed:
            self._closed = True
            with contextlib.suppress(OSError):  # the other end hung up first
                self._connection.shutdown(2)
            self._queue.put(None)

    def finish(self) -> None:
        """Write what was posted, then hang up."""
        self._queue.put(None)
        self._writer.join()
        self.close()

    def take_unsent(self) -> list[Letter]:
        """Return the letters that never left, after `close`; for the thread that read the frames."""
        self._writer.join()
        with contextlib.suppress(queue.Empty):
            while True:
                self._left.append(self._queue.get_nowait())
        self._connection.close()
        return [item for item in self._left if item.__class__ is tuple]

    def frames(self) -> Iterator[Frame]:
        """Yield frames until either end hangs up.

        Raises:
            LinkError: what came is none.
        """
        buffer, start = bytearray(), 0
        wanted = LENGTH_BYTES
        while True:
            while len(buffer) - start >= LENGTH_BYTES:
                length = int.from_bytes(buffer[start : start + LENGTH_BYTES], "little")
                if length > FRAME_BYTES_MAX:
                    raise LinkError(f"a frame has up to {FRAME_BYTES_MAX} bytes, this one claims {length}")
                wanted = LENGTH_BYTES + length
                if len(buffer) - start < wanted:
                    break
                with memoryview(buffer) as view:
                    frame = _read(view[start + LENGTH_BYTES : start + wanted])
                start += wanted
                yield frame
            del buffer[:start]
            start = 0
            try:
                chunk = self._connection.recv(_CHUNK_BYTES)
            except OSError:
                return
            if not chunk:
                return
            buffer += chunk

    # On the writing thread.

    def _write_all(self) -> None:
        take, waiting = self._queue.get_nowait, self._queue.qsize
        while True:
            first = self._queue.get()
            if first is None or self._closed:
                self._left.append(first)
                return
            batch = [first, *[take() for _ in range(min(waiting(), LETTERS_A_FRAME_MAX))]]
            ends = None in batch
            if not self._write([item for item in batch if item is not None] if ends else batch) or ends:
                return

    def _write(self, batch: list[Any]) -> bool:
        """Write one frame; False: the other end is gone."""
        parcels, to_actor = self._pack(batch)
        if to_actor and self._shipped is not None:
            self._mark += len(to_actor)
            self._shipped(self._mark, to_actor)
        mark = self._mark if to_actor else 0
        try:
            framed = write(Frame(parcels, mark))
        except (TypeError, ValueError, OverflowError):
            framed = write(Frame(self._without_unsendable(parcels), mark))
        try:
            self._connection.sendall(framed)
        except OSError:
            return False
        return True

    def _pack(self, batch: list[Any]) -> tuple[list[Parcel], list[Letter]]:
        """Join neighbours with one target and one sender."""
        try:
            # As a rule all have the same: the market's. Comprehensions take a third of the time of the loop below.
            ((target, sender),) = {(target, sender) for target, sender, _ in batch}
        except (TypeError, ValueError):
            return self._pack_one_by_one(batch)
        messages = [message for _, _, message in batch]
        number, wants_answer = self._addresses.number(sender), getattr(sender, "wants_answer", False)
        return [Letters(target, number, wants_answer, messages)], batch if target == ACTOR else []

    def _pack_one_by_one(self, batch: list[Any]) -> tuple[list[Parcel], list[Letter]]:
        parcels: list[Parcel] = []
        to_actor: list[Letter] = []
        last_target: int | str | None = None
        last_sender: Any = None
        messages: list[Any] = []
        for item in batch:
            if item.__class__ is not tuple:
                parcels.append(item)
                last_target = None
                continue
            target, sender, message = item
            if sender is not last_sender or target != last_target:
                messages = []
                number = self._addresses.number(sender)
                parcels.append(Letters(target, number, getattr(sender, "wants_answer", False), messages))
                last_target, last_sender = target, sender
            messages.append(message)
            if target == ACTOR:
                to_actor.append(item)
        return parcels, to_actor

    def _without_unsendable(self, parcels: list[Parcel]) -> list[Parcel]:
        kept: list[Parcel] = []
        for parcel in parcels:
            if isinstance(parcel, Letters):
                good = [message for message in parcel.messages if self._is_sendable(parcel, message)]
                kept.append(Letters(parcel.target, parcel.sender, parcel.wants_answer, good))
            else:
                kept.append(parcel)
        return kept

    def _is_sendable(self, parcel: Letters, message: Any) -> bool:
        try:
            write(Frame([Letters(parcel.target, parcel.sender, False, [message])]))
        except (TypeError, ValueError, OverflowError) as fault:
            self._unsendable((parcel.target, self._addresses.find(parcel.sender), message), fault)
            return False
        return True


def _read(body: memoryview) -> Frame:
    try:
        return read(body)
    except ValueError as fault:
        raise LinkError(str(fault)) from fault
