"""The parent's hold on one worker process: what it says comes to the stand-in's mailbox, from a thread that reads."""

from __future__ import annotations

import signal
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ..endpoint import Endpoint
from . import wire
from .addresses import Addresses, Far
from .assignment import assign
from .link import Letter, Link, LinkError
from .process import launch

if TYPE_CHECKING:
    import socket
    import subprocess

    from ..actor import RuntimeActor
    from ..runtime_cell import RuntimeCell

HANG_UP_S: Final = 1.0
"""A process whose end of the line is closed ends by itself within this, or is killed."""


class WorkerProcess:
    """A process that runs one actor. Its address in the parent is `cell`."""

    @classmethod
    def start(cls, cell: RuntimeCell, actor: type[RuntimeActor], settings: Any) -> WorkerProcess:
        """Launch it and tell it what to run; returns at once.

        Raises:
            NotHostableError: the actor cannot be described to another process.
            OSError: no process is to be had.
        """
        assignment = assign(cell.name, actor, settings)
        process, connection = launch()
        return cls(cell, process, connection, assignment)

    def __init__(
        self,
        cell: RuntimeCell,
        process: subprocess.Popen[bytes],
        connection: socket.socket,
        assignment: wire.Assignment,
    ) -> None:
        """Come from `start`."""
        self._cell = cell
        self._process = process
        self._addresses = Addresses()
        self._addresses.be(cell)
        self._far: dict[int, Far] = {}
        self._shipped: deque[tuple[int, list[Letter]]] = deque()
        self._link = Link(
            connection, self._addresses, unsendable=self._unsendable, shipped=lambda *batch: self._shipped.append(batch)
        )
        self.pid: Final = process.pid
        self.posted = 0
        """Messages for the actor that were posted; for the stand-in."""

        self.handled = 0
        """Those that are known to be handled; for the stand-in."""

        self.post: Final = self._link.post
        self.tell: Final = self._link.post
        self.tell(assignment)
        threading.Thread(target=self._read_all, name=f"natya-{cell.name}-reader", daemon=True).start()

    def kill(self) -> None:
        """End it, whatever it does."""
        self._link.close()
        self._process.kill()

    # On the thread that reads.

    def _read_all(self) -> None:
        try:
            for frame in self._link.frames():
                for parcel in frame.parcels:
                    self._take(parcel)
            reason = ""
        except LinkError as fault:
            reason = f"sent what is no frame ({fault})"
        self._link.close()
        how = reason or _how_it_ended(self._wait())
        self._process.kill()  # after a frame that is none; one that has ended is left alone
        self._process.wait()
        unsent = self._link.take_unsent()
        in_doubt = [letter for _, batch in self._shipped for letter in batch]
        self._cell.deliver(Ended(self, how, in_doubt, unsent), self._cell)

    def _wait(self) -> int:
        # It hung up, which it does only by ending: the time-out is for one that is broken.
        ended = threading.Timer(HANG_UP_S, self._process.kill)
        ended.start()
        code = self._process.wait()
        ended.cancel()
        return code

    def _take(self, parcel: wire.Parcel) -> None:
        if isinstance(parcel, wire.Letters):
            self._deliver(parcel)
            return
        if isinstance(parcel, wire.Handled):
            while self._shipped and self._shipped[0][0] <= parcel.mark:
                self._shipped.popleft()
        self._cell.deliver(Heard(self, parcel), self._cell)

    def _deliver(self, letters: wire.Letters) -> None:
        sender = self._sender(letters)
        if isinstance(letters.target, str):
            for message in letters.messages:
                target = self._cell.base.names.get(letters.target)
                if target is None:
                    why = "no actor of that name runs"
                    self._cell.base.dead_letters.undelivered(letters.target, message, sender, why)
                else:
                    target.deliver(message, sender)
            return
        target = self._addresses.find(letters.target)
        for message in letters.messages:
            if isinstance(target, Endpoint):
                target.deliver(message, sender)
            else:
                self._cell.base.dead_letters.undelivered(
                    str(letters.target), message, sender, "nobody waits for this answer any more"
                )

    def _sender(self, letters: wire.Letters) -> Endpoint:
        if letters.sender == wire.ACTOR:
            return self._cell
        if letters.wants_answer:
            return Far(letters.sender, self._send, wants_answer=True)
        if letters.sender not in self._far:
            self._far[letters.sender] = Far(letters.sender, self._send, wants_answer=False)
        return self._far[letters.sender]

    # On any thread.

    def _send(self, far: Far, message: Any, sender: Any) -> None:
        self._link.post((far.target, sender, message))

    def _unsendable(self, letter: Letter, fault: Exception) -> None:
        target: Any = self._cell if letter[0] == wire.ACTOR else str(letter[0])
        self._cell.base.dead_letters.undelivered(target, letter[2], letter[1], f"it has no wire form: {fault}")


class Heard(msgspec.Struct, frozen=True):
    """To the stand-in: the process said this."""

    worker: WorkerProcess
    parcel: wire.Parcel


class Ended(msgspec.Struct, frozen=True):
    """To the stand-in: the process is gone."""

    worker: WorkerProcess
    how: str
    in_doubt: list[Letter]
    """Written to it, and not reported handled."""

    unsent: list[Letter]
    """Never written."""


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
