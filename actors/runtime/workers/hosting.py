"""The worker's side: one actor in an in-process system of its own, for which every other name is in the parent."""

from __future__ import annotations

import logging
import os
import socket
import traceback
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ....messages.market import Candle, Tick
from ....messages.supervision import Unavailable
from .. import lifecycle
from ..base import InProcessSystemBase
from ..endpoint import Endpoint
from . import wire
from .addresses import Addresses, Far
from .assignment import accept
from .errors import WorkerRefusedError
from .link import Letter, Link, LinkError
from .process import die_with_parent, leave_signals_to_parent

if TYPE_CHECKING:
    from ..endpoint import Envelope
    from ..runtime_cell import RuntimeCell

UNSENT_MAX: Final = 65_536
"""Messages that may wait to be written to the parent: of one more, market data is dropped, anything else refused."""


class Mark(msgspec.Struct, frozen=True):
    """To the actor, behind each batch: all before this is handled."""

    mark: int


class Names(dict[str, Endpoint]):
    """The names of this process: that of its actor. Any other leads to the parent."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host

    def get(self, name: str, _default: Any = None) -> Endpoint:
        """Find the actor of that name here, or a way to it."""
        found = super().get(name)
        return self._host.far(name) if found is None else found

    def setdefault(self, name: str, endpoint: Endpoint) -> Endpoint:
        """Give the actor its name: before it says anything, it is what the parent knows as `ACTOR`."""
        self._host.addresses.be(endpoint)
        return super().setdefault(name, endpoint)


class HostedBase(InProcessSystemBase):
    """The system of one worker process."""

    def __init__(self, host: Host, *, seed: int | None) -> None:
        self._host = host
        super().__init__(seed=seed)

    def new_names(self) -> dict[str, Endpoint]:
        """Make names that lead to the parent."""
        return Names(self._host)


class Host(Endpoint):
    """Runs one actor for the parent: it is the actor's supervisor here, and hands on what either says."""

    __slots__ = ("_base", "_cell", "_connection", "_dropped", "_far", "_link", "addresses")

    idle = False

    def __init__(self, connection: socket.socket) -> None:
        super().__init__("host")
        self._connection = connection
        self._far: dict[int | str, Far] = {}
        self._dropped = 0
        self._cell: RuntimeCell | None = None
        self._base: InProcessSystemBase | None = None
        self.addresses = Addresses()
        self._link = Link(connection, self.addresses, unsendable=self._unsendable)

    def serve(self) -> None:
        """Do what the parent says until it hangs up, or the actor has stopped."""
        try:
            for frame in self._link.frames():
                for parcel in frame.parcels:
                    self._take(parcel)
                if frame.mark and self._cell is not None:
                    self._cell.deliver(Mark(frame.mark), self._cell)  # from itself: no mailbox refuses that
        except LinkError as fault:
            fields = msgspec.json.encode({"reason": str(fault)}).decode()
            self._link.post(wire.Logged(logging.ERROR, "worker.frame_refused", "", fields))
            self._link.finish()

    def _take(self, parcel: wire.Parcel) -> None:
        match parcel:
            case wire.Letters():
                self._deliver(parcel)
            case wire.Assignment():
                self._begin(parcel)
            case wire.Restart() if self._cell is not None:
                self._cell.control(lifecycle.Restart(), self)
            case wire.Stop() if self._cell is not None:
                self._cell.control(lifecycle.Stop(), self)
            case _:
                return

    def _begin(self, assignment: wire.Assignment) -> None:
        try:
            actor, settings = accept(assignment)
        except WorkerRefusedError as refusal:
            self._link.post(wire.StartFailed(type(refusal).__name__, str(refusal), "", refused=True))
            return
        # This process runs this one class: its table may know a message more than the class declares.
        actor.handler_table[Mark] = self._handled
        self._base = HostedBase(self, seed=assignment.seed)
        self._cell = self._base.start_actor(assignment.name, actor, settings, supervisor=self)

    def _deliver(self, letters: wire.Letters) -> None:
        target = self.addresses.find(letters.target) if isinstance(letters.target, int) else None
        if target is None:
            return  # the asker here is gone, or was too long ago to be known
        sender = self.far(letters.sender, wants_answer=letters.wants_answer)
        deliver = target.deliver
        for message in letters.messages:
            deliver(message, sender)

    # What the actor says.

    def far(self, target: int | str, *, wants_answer: bool = False) -> Far:
        """Return the way to an address of the parent, the same object each time; one that is answered once is new."""
        if wants_answer:
            return Far(target, self._send, wants_answer=True)
        found = self._far.get(target)
        if found is None:
            found = self._far[target] = Far(target, self._send, wants_answer=False)
        return found

    def _send(self, far: Far, message: Any, sender: Any) -> None:
        if self._link.unsent() < UNSENT_MAX:
            self._link.post((far.target, sender, message))
            return
        self._dropped += 1
        if not isinstance(message, (Tick, Candle)) and isinstance(sender, Endpoint):
            reason = f"{UNSENT_MAX} messages wait to leave the worker process"
            sender.deliver(Unavailable(actor=far.name, reason=reason, retry_after_s=0.1), self)

    def _unsendable(self, letter: Letter, fault: Exception) -> None:
        if self._base is not None:
            self._base.dead_letters.undelivered(str(letter[0]), letter[2], letter[1], f"it has no wire form: {fault}")

    def _handled(self, _actor: Any, message: Mark, _sender: Any) -> None:
        self._link.post(wire.Handled(message.mark))

    def put(self, envelope: Envelope) -> None:
        """Hand a report of the actor's to the parent."""
        match envelope[0]:
            case lifecycle.Started():
                self._link.post(wire.Started())
            case lifecycle.StartFailed(error=error):
                self._link.post(wire.StartFailed(*_described(error)))
            case lifecycle.ChildHandlerFailed(error=error):
                self._link.post(wire.HandlerFailed(*_described(error)))
            case lifecycle.Stopped() as stopped:
                kind, reason, _ = ("", "", "") if stopped.error is None else _described(stopped.error)
                self._link.post(wire.Stopped(stopped.statistics, kind, reason, stopped.requested))
                self._link.finish()
            case _:
                return

    def log(self, record: logging.LogRecord) -> None:
        """Hand a log record to the parent, unless too much waits already."""
        if self._link.unsent() < UNSENT_MAX:
            fields = msgspec.json.encode(getattr(record, "fields", {}), enc_hook=str).decode()
            actor = getattr(record, "actor", "")
            self._link.post(wire.Logged(record.levelno, record.getMessage(), actor, fields))


class ToParent(logging.Handler):
    """Logs where the parent logs."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host

    def emit(self, record: logging.LogRecord) -> None:
        """Send it."""
        self._host.log(record)


def _described(error: BaseException) -> tuple[str, str, str]:
    return type(error).__name__, str(error), "".join(traceback.format_exception(error))


def run(fd: int, *, parent_pid: int) -> None:
    """Be a worker process until the parent hangs up. Does not return: an actor that holds a thread may not keep it."""
    die_with_parent(parent_pid)
    leave_signals_to_parent()
    host = Host(socket.socket(fileno=fd))
    logger = logging.getLogger("natya")
    logger.addHandler(ToParent(host))
    logger.setLevel(logging.DEBUG)
    host.serve()
    os._exit(0)
