"""The worker's side: one actor in an in-process system of its own, for which every other name is in the parent."""

from __future__ import annotations

import gc
import logging
import os
import socket
from collections import deque
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec
from msgspec.structs import replace

from ....domain.shown import jsonable, text_of
from ....messages.codec import as_received
from ....messages.market import Candle, Tick
from ....messages.supervision import DeadLetter, Failed, Unavailable
from ....messages.system import Pong
from .. import lifecycle
from ..base import InProcessSystemBase
from ..endpoint import Endpoint
from ..errors import MessageRefusedError, fails_start, reason_of, restart_helps, trace_of, where_of
from ..runtime_cell import RuntimeCell
from ..trace import HOPS_MAX, Tracer
from ..tuning import THRESHOLDS
from . import wire
from .addresses import Addresses, Far
from .assignment import accept
from .errors import WorkerRefusedError
from .far_market import FarMarket, FarQuiescence
from .link import Link, LinkError
from .own_types import OwnTypes
from .process import die_with_parent, leave_signals_to_parent, limit_memory
from .reading_loop import ReadingLoop

if TYPE_CHECKING:
    from ....messages.system import Statistics
    from ....messages.trace import Hop
    from ..clock import Clock
    from ..endpoint import Envelope
    from ..market_clock import MarketClock
    from ..quiet import Quiescence
    from ..trace import Span

UNSENT_MAX: Final = 65_536
"""Messages that may wait to be written to the parent; beyond it, market data is dropped and others are refused."""

ALIVE_NS: Final = 200_000_000
"""Between two `Alive`s to the parent, sent between turns."""

TEXT_MAX: Final = 65_536
"""Characters of a reason, a traceback or a log record's fields that are sent to the parent."""


TOLD_OTHERWISE: Final = frozenset({"handler.failed", "actor.start_failed", "actor.stop_failed", "message.died"})
"""Log events that are not sent: the parent logs them itself, from a report or a dead letter."""


class Mark(msgspec.Struct, frozen=True):
    """To the actor, after each batch: all messages before this are handled, and so much of what was asked for."""

    mark: int
    done: int


class Names(dict[str, Endpoint]):
    """The names of this process: that of its actor. Any other leads to the parent."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host

    def get(self, name: str, _default: Any = None) -> Endpoint:
        """Return the actor of that name here, or an address that leads to the parent."""
        found = super().get(name)
        return self._host.far(name) if found is None else found

    def setdefault(self, name: str, endpoint: Endpoint) -> Endpoint:
        """Register the actor's name; from now on it is what the parent knows as `ACTOR`."""
        self._host.addresses.be(endpoint)
        return super().setdefault(name, endpoint)


class HostedCell(RuntimeCell):
    """A cell with shorter turns, since the parent limits the time of one."""

    __slots__ = ()

    batch: ClassVar[int] = 16


class HostedBase(InProcessSystemBase):
    """The system of one worker process; its loop runs on the main thread."""

    cell_class: ClassVar[type[RuntimeCell]] = HostedCell

    loop: ReadingLoop

    tracer: HostedTracer

    def __init__(self, host: Host, assignment: wire.Assignment) -> None:
        self._host = host
        super().__init__(seed=assignment.seed, market_opening_ns=assignment.market_ns)
        self.conflates = False  # the parent does, and counts places of messages by what is reported handled here
        self.tracer = HostedTracer(self.clock, every=assignment.trace_every, first_id=assignment.first_id)

    def new_names(self) -> dict[str, Endpoint]:
        """Return the table of names, in which unknown ones lead to the parent."""
        return Names(self._host)

    def new_market(self, opening_ns: int | None) -> MarketClock:
        """Return the parent's market, if it has one."""
        return super().new_market(None) if opening_ns is None else FarMarket(self.clock, opening_ns, self._host.tell)

    def new_quiescence(self) -> Quiescence:
        """Return one that tells the parent when offloaded jobs are done."""
        return FarQuiescence(self.market, self._host.mark)

    def _new_loop(self) -> ReadingLoop:
        return self._host.new_loop(self)


class HostedTracer(Tracer):
    """Also keeps what it records for the parent."""

    def __init__(self, clock: Clock, *, every: int, first_id: int) -> None:
        super().__init__(clock, every=every, first_id=first_id)
        self._news: deque[Hop] = deque(maxlen=HOPS_MAX)

    def record(self, span: Span, actor: str, message: Any, *, failed: bool) -> None:
        """Keep the outcome of a message."""
        super().record(span, actor, message, failed=failed)
        self._news.append(self._hops[-1])

    def take_news(self) -> list[Hop]:
        """Return what was recorded since the last time."""
        return [self._news.popleft() for _ in range(len(self._news))]


class Host(Endpoint):
    """Runs one actor for the parent: acts as its supervisor here, and passes messages between the two."""

    __slots__ = (
        "_background", "_base", "_cell", "_connection", "_done", "_dropped", "_far", "_limit_mb", "_link", "_lost",
        "_mark", "_place", "addresses",
    )  # fmt: skip

    idle = False

    def __init__(self, connection: socket.socket) -> None:
        super().__init__("host")
        self._connection = connection
        self._far: dict[int | str, Far] = {}
        self._dropped = self._limit_mb = 0
        self._lost = wire.Lost(0, 0)
        self._background: frozenset[str] = frozenset()
        self._mark = 0
        self._done = 0
        self._place = 0
        """Number of the message read last, among all that the parent has posted."""

        self._cell: RuntimeCell | None = None
        self._base: HostedBase | None = None
        self.addresses = Addresses()
        self._link = Link(connection, self.addresses, unsendable=self._unsendable)

    def serve(self) -> None:
        """Serve the parent until it closes the socket, or the actor has stopped."""
        while self._base is None and self._read(0):
            self._link.flush()
        if self._base is not None:
            self._base.loop.run()

    def new_loop(self, base: HostedBase) -> ReadingLoop:
        """Make the loop that reads our socket."""

        def read() -> None:
            if not self._read(socket.MSG_DONTWAIT):
                base.loop.stop()

        told_ns = base.clock.monotonic_ns()

        def flush() -> None:
            nonlocal told_ns
            if (now_ns := base.clock.monotonic_ns()) - told_ns > ALIVE_NS:
                told_ns = now_ns
                self._link.put(wire.Alive())
            self._link.flush()

        return ReadingLoop(base.clock, base.quiet.test, connection=self._connection, read=read, flush=flush)

    def _read(self, flags: int) -> bool:
        """Handle the frames that have arrived; return False if the socket is closed."""
        try:
            frames = self._link.receive(flags)
        except LinkError as fault:
            fields = msgspec.json.encode({"reason": str(fault)}).decode()
            self._link.put(wire.Logged(logging.ERROR, "worker.frame_refused", "", fields))
            self._link.finish()
            return False
        for frame in frames or ():
            if self._base is not None:
                self._keep_time(self._base.market, frame)
            self._place, done = self._mark, self._done
            for parcel in frame.parcels:
                self._take(parcel)
            self._mark = frame.mark or self._mark
            if frame.mark or done != self._done:
                self.mark()
        return frames is not None

    def mark(self) -> None:
        """Have the actor report what it has handled when it has handled all that waits for it now."""
        if self._cell is not None:
            self._cell.deliver(Mark(self._mark, self._done), self._cell)  # from itself: no mailbox refuses that

    def _keep_time(self, market: MarketClock, frame: wire.Frame) -> None:
        if frame.released_ns is not None:
            market.released_ns = frame.released_ns
        if frame.market_ns is not None:
            market.go_to(frame.market_ns)

    def _take(self, parcel: wire.Parcel) -> None:
        match parcel:
            case wire.Letters():
                self._deliver(parcel)
            case wire.Assignment():
                self._begin(parcel)
                self._done += 1
            case wire.Restart() if self._cell is not None:
                self._cell.control(lifecycle.Restart(), self)
                self._done += 1
            case wire.Due(number) if self._base is not None:
                if isinstance(self._base.market, FarMarket):
                    self._base.market.pass_on(number)
                self._done += 1  # after it: a mark that another thread makes says no more than is in the mailbox
            case wire.Stop() if self._cell is not None:
                self._cell.control(lifecycle.Stop(), self)
            case _:
                return

    def _begin(self, assignment: wire.Assignment) -> None:
        self._limit_mb, self._background = assignment.memory_limit_mb, frozenset(assignment.background)
        limit_memory(self._limit_mb)
        try:
            actor, settings = accept(assignment)
        except WorkerRefusedError as refusal:
            self._link.put(wire.StartFailed(wire.Raised(type(refusal).__name__, _told(str(refusal))), refused=True))
            return
        self._link.own = OwnTypes(actor.wire_types)
        # This process runs this one class, so a message may be added to its handler table.
        actor.front_table[Mark] = self._handled
        self._base = HostedBase(self, assignment)
        self._cell = self._base.start_actor(assignment.name, actor, settings, supervisor=self)
        self._cell.life = assignment.life

    def _deliver(self, letters: wire.Letters) -> None:
        first, self._place = self._place + 1, self._place + len(letters.traces)
        target = self.addresses.find(letters.target) if isinstance(letters.target, int) else None
        if target is None:
            return  # the sender here is gone, or was forgotten
        sender = self.far(letters.sender, wants_answer=letters.wants_answer)
        if letters.own:
            self._deliver_readable(target, sender, letters, first)
            return
        try:
            traced = zip(wire.messages_of(letters), letters.traces, strict=True)
        except ValueError:
            self._deliver_readable(target, sender, letters, first)
        else:
            deliver_all(target, [(message, sender, trace) for message, trace in traced])

    def _deliver_readable(self, target: Any, sender: Far, letters: wire.Letters, first: int) -> None:
        """Deliver messages that can be decoded, and report the others to the parent, which refuses them."""
        try:
            messages = wire.messages_apart(letters, self._link.own)
        except ValueError as fault:
            messages = [wire.Unreadable("", str(fault))] * len(letters.traces)
        for place, (message, trace) in enumerate(zip(messages, letters.traces, strict=True), first):
            if not isinstance(message, wire.Unreadable):
                target.deliver(message, sender, trace)
                continue
            self.tell(wire.TurnedAway(place, _told(message.reason)))
            if letters.target != wire.ACTOR and self._cell is not None:  # it waits for this answer
                name, error = self._cell.name, MessageRefusedError.__name__
                substitute = Failed(actor=name, message_type=message.kind, error=error, reason=_told(message.reason))
                target.deliver(substitute, sender, trace)

    # Messages of the actor.

    def far(self, target: int | str, *, wants_answer: bool = False) -> Far:
        """Return the address of an actor in the parent, always the same object, except if it takes one answer."""
        if wants_answer:
            return Far(target, self._send, wants_answer=True)
        found = self._far.get(target)
        if found is None:
            background = target in self._background
            found = self._far[target] = Far(target, self._send, wants_answer=False, background=background)
        return found

    def _send(self, far: Far, envelope: Envelope) -> None:
        if self._link.waiting() < UNSENT_MAX:
            self._link.put((far.target, [envelope]))
            self._link.call_writer()  # in case the handler runs for long; usually the loop flushes first
            return
        message, sender, trace = envelope
        self._dropped += 1
        if not isinstance(message, (Tick, Candle)) and isinstance(sender, Endpoint):
            reason = f"{UNSENT_MAX} messages wait to leave the worker process"
            sender.deliver(Unavailable(actor=far.name, reason=reason, retry_after_s=0.1), self, trace)

    def _unsendable(self, target: int | str, envelope: Envelope, why: str) -> None:
        message, sender, trace = envelope
        substitute = _reworded(message)
        if substitute is None and self._base is not None and self._cell is not None:
            self._base.dead_letters.undelivered(str(target), message, sender, f"it has no wire form: {why}", trace)
            if isinstance(target, int):  # perhaps it waits for this
                kind, name = type(message).__name__, self._cell.name
                substitute = Failed(actor=name, message_type=kind, error="NoWireForm", reason=_told(why))
        if substitute is not None:
            self._link.put((target, [(substitute, sender, trace)]))

    def _handled(self, _actor: Any, message: Mark, _sender: Any) -> None:
        busy = self._cell is not None and self._cell.offloads > 0
        self._tell_news()
        self.tell(wire.Handled(message.mark, busy, message.done))

    def _tell_news(self) -> None:
        dead_letters = 0 if self._base is None else self._base.dead_letters.count
        lost = wire.Lost(self._dropped, dead_letters)
        if lost != self._lost:
            self._lost = lost
            self.tell(lost)
        if self._base is not None and (hops := self._base.tracer.take_news()):
            self.tell(wire.Hops(hops))

    def tell(self, parcel: wire.Parcel) -> None:
        """Say something to the parent itself."""
        self._link.put(parcel)
        if self._base is None or not self._base.loop.is_here():  # the loop flushes after every turn
            self._link.call_writer()

    def put(self, envelope: Envelope) -> None:
        """Pass a report of the actor on to the parent."""
        match envelope[0]:
            case lifecycle.Started():
                self.tell(wire.Started())
            case lifecycle.StartFailed(error=error):
                self.tell(wire.StartFailed(self._described(error)))
            case lifecycle.ChildHandlerFailed(error=error, got_past=got_past):
                self._tell_news()
                self.tell(wire.HandlerFailed(self._described(error), got_past))
            case lifecycle.Stopped() as stopped:
                self._tell_news()
                raised = None if stopped.error is None else self._described(stopped.error)
                self._link.put(wire.Stopped(_readable(stopped.statistics), raised, stopped.requested))
                self._link.finish()
            case _:
                return

    def _described(self, error: BaseException) -> wire.Raised:
        reason = reason_of(error)
        if isinstance(error, MemoryError):
            reason = f"more than {self._limit_mb} MiB of memory wanted" if self._limit_mb else "no memory is left"
        return wire.Raised(
            type(error).__name__,
            _told(reason),
            _told(trace_of(error)),
            _told(where_of(error)),
            restart_helps(error),
            fails_start(error),
        )

    def log(self, record: logging.LogRecord) -> None:
        """Pass a log record on to the parent, unless too many frames wait."""
        if record.msg not in TOLD_OTHERWISE and self._link.waiting() < UNSENT_MAX:
            fields = msgspec.json.encode(jsonable(getattr(record, "fields", {}))).decode()
            if len(fields) > TEXT_MAX:
                fields = msgspec.json.encode({"cut": fields[:TEXT_MAX]}).decode()
            event, actor = _told(record.getMessage()), text_of(getattr(record, "actor", ""))
            correlation_id = text_of(getattr(record, "correlation_id", ""))
            self._link.put(wire.Logged(record.levelno, event, actor, fields, correlation_id))
            self._link.call_writer()


class ToParent(logging.Handler):
    """Log handler that sends records to the parent."""

    def __init__(self, host: Host) -> None:
        super().__init__()
        self._host = host

    def emit(self, record: logging.LogRecord) -> None:
        """Send it."""
        self._host.log(record)


def deliver_all(target: Any, envelopes: list[Envelope]) -> None:
    """Deliver one or more to one target; to a running cell with a plain mailbox in one go."""
    last = envelopes.pop()
    box = getattr(target, "box", None)
    if box.__class__ is deque and target.put == box.append:
        box.extend(envelopes)
    else:
        for envelope in envelopes:
            target.deliver(*envelope)
    target.deliver(*last)


def _reworded(message: Any) -> Failed | DeadLetter | None:
    """Return a report whose texts can be encoded, whatever a user's error text contains; None if that is no help.

    A guest may make one of its own, with anything in the place of a text.
    """
    if not isinstance(message, Failed | DeadLetter):
        return None
    names = ("reason", "traceback") if isinstance(message, DeadLetter) else ("reason",)
    found = {name: getattr(message, name) for name in names}
    if not all(isinstance(text, str) for text in found.values()):
        return None
    told = {name: _told(text) for name, text in found.items()}
    return None if told == found else replace(message, **told)


def _readable(statistics: Statistics | None) -> Statistics | None:
    """Return an actor's statistics if the parent can read them; a user's class may return anything."""
    if statistics is None:
        return None
    try:
        return as_received(Pong(actor="", statistics=statistics)).statistics  # type: ignore[no-any-return]
    except Exception:  # noqa: BLE001  whatever its fields raise; the parent has counters of its own
        return None


def _told(text: str) -> str:
    """Return the text shortened and encodable."""
    return text[:TEXT_MAX].encode(errors="backslashreplace").decode()


def run(fd: int, *, parent_pid: int) -> None:
    """Run as a worker process until the parent closes the socket. Exits the process, even if a thread still runs."""
    die_with_parent(parent_pid)
    leave_signals_to_parent()
    gc.set_threshold(*THRESHOLDS)
    host = Host(socket.socket(fileno=fd))
    logger = logging.getLogger("natya")
    logger.addHandler(ToParent(host))
    logger.setLevel(logging.DEBUG)
    try:
        host.serve()
    finally:
        os._exit(0)
