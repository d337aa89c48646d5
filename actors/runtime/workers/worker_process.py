"""One worker process, as seen by its parent: a reading thread puts its frames into the stand-in's mailbox.

In a simulated market what it says waits until all processes have done what they were asked for (see `quiet.py`): the
order of what two of them say is that of their actors, and not of how fast they are.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import signal
import threading
from collections import deque
from typing import TYPE_CHECKING, Any, Final

import msgspec

from ....messages.supervision import DeadLetter, Failed
from .. import lifecycle
from ..door import refusal_of
from ..endpoint import Endpoint, Envelope
from ..errors import reason_of
from . import wire
from .addresses import NUMBERED_MAX, Addresses, Far
from .assignment import assign
from .dues import Dues
from .link import Link, LinkError
from .own_types import NONE, OwnTypes
from .process import launch

if TYPE_CHECKING:
    import socket
    import subprocess
    from collections.abc import Callable

    from ..actor import RuntimeActor
    from ..runtime_cell import RuntimeCell
    from ..trace import Stamp
    from .link import Bundle

HANG_UP_S: Final = 1.0
"""Seconds within which a process ends by itself after its socket was closed; then it is killed."""


class WorkerProcess:
    """A process that runs one actor. Its address in the parent is `cell`."""

    @classmethod
    def start(
        cls, cell: RuntimeCell, actor: type[RuntimeActor], settings: Any, *, memory_limit_mb: int = 0
    ) -> WorkerProcess:
        """Launch it and tell it what to run; returns at once.

        Raises:
            NotHostableError: the actor cannot be described to another process.
            OSError: no process is to be had.
        """
        services = cell.services
        in_background = (name for name, each in services.names.copy().items() if getattr(each, "background", False))
        assignment = assign(
            cell.name,
            actor,
            settings,
            seed=services.seed,
            life=cell.life,
            trace_every=services.tracer.every,
            memory_limit_mb=memory_limit_mb,
            market_ns=services.market.time_ns if services.market.rules else None,
            background=tuple(in_background),
        )
        own = OwnTypes(actor.wire_types)
        process, connection = launch()
        return cls(cell, process, connection, assignment, own)

    def __init__(
        self,
        cell: RuntimeCell,
        process: subprocess.Popen[bytes],
        connection: socket.socket,
        assignment: wire.Assignment,
        own: OwnTypes = NONE,
    ) -> None:
        """Come from `start`."""
        self._cell = cell
        self._process = process
        self._addresses = Addresses()
        self._addresses.be(cell)
        self._far: dict[int, Far] = {}
        self._shipped: deque[tuple[int, list[Bundle]]] = deque()
        self.dues: Final = Dues(cell, lambda number: cell.deliver(ItsTurn(self, number), cell))
        """Timers and outcomes that it waits for in the market's time."""

        self._link = Link(
            connection,
            self._addresses,
            unsendable=self._unsendable,
            shipped=lambda *frame: self._shipped.append(frame),
            market=cell.services.market,
        )
        self._link.own = own
        self._abandoned = False
        self.pid: Final = process.pid

        self.posted = 0
        """Messages posted; this and the following attributes are for the stand-in."""

        self.handled = 0
        """Messages reported handled."""

        self.beats = 0
        """Grows whenever the process has ended a turn."""

        self._asked_for = self._done = 0
        self.is_starting = False
        self.is_busy = False
        self._overran = ""
        self._lost = wire.Lost(0, 0)

        self._quiet = cell.services.quiet
        self._takes_turns: Final = cell.services.market.rules
        self._words: deque[Callable[[], object]] = deque()
        """Its frames that wait for their turn in a simulated market."""

        self._read_up_to = (0, 0)
        """The mark and the count of the report read last; what it has said before is in `_words`."""

        self._has_failed = self._is_gone = False
        """Its actor waits for a restart; nothing more comes of it."""

        if self._takes_turns:
            self._quiet.will_speak(cell, self)
        self.flush: Final = self._link.flush
        self.ask_for(assignment)
        threading.Thread(target=self._read_all, name=f"natya-{cell.name}-reader", daemon=True).start()

    def has_a_turn(self) -> bool:
        """Return whether it has not handled all messages posted, or not done all that it was asked for."""
        return self.posted != self.handled or self._asked_for != self._done

    def has_said_all(self) -> bool:
        """Tell whether it has done what it was asked for, has failed, or is gone; its jobs and threads apart."""
        return self._has_failed or self._is_gone or self._read_up_to == (self.posted, self._asked_for)

    def has_words(self) -> bool:
        """Tell whether something that it has said waits."""
        return bool(self._words)

    def speak(self) -> None:
        """Deliver what it has said."""
        words = self._words
        while words:
            try:
                words.popleft()()
            except LinkError as fault:
                words.clear()
                self.end(f"sent what is no frame ({fault})")

    def is_at_rest(self) -> bool:
        """Return whether nothing is left for it to do, nor for its offloaded jobs."""
        return not self.has_a_turn() and not self.is_busy

    def post(self, target: int | str, envelopes: list[Envelope]) -> None:
        """Queue messages for the actor, or another address there, for the next flush."""
        self.posted += len(envelopes)
        self._link.put((target, envelopes))

    def tell(self, parcel: wire.Parcel) -> None:
        """Say something to the process itself."""
        self._link.put(parcel)
        self._link.flush()

    def ask_for(self, parcel: wire.Assignment | wire.Restart | wire.Due) -> None:
        """Say what it reports when it is done with that."""
        self._asked_for += 1
        self._has_failed = False
        self.tell(parcel)

    def kill(self) -> list[Envelope]:
        """End it, whatever it does, without another word; return what it had not reported handled."""
        self.speak()
        self._abandoned = self._is_gone = True
        self._link.hang_up()
        self._process.kill()
        return [*self.take_in_doubt(), *self.take_unsent()]

    def end(self, why: str) -> None:
        """Kill it; its end is reported as that of any that dies, and why."""
        self._overran = why
        self._process.kill()

    def note_handled(self, report: wire.Handled) -> None:
        """Forget what it has handled."""
        self.beats += 1
        self.handled, self.is_busy = max(report.mark, self.handled), report.busy
        self._done = max(report.done, self._done)
        while self._shipped and self._shipped[0][0] <= report.mark:
            self._shipped.popleft()

    def note_lost(self, lost: wire.Lost) -> wire.Lost:
        """Return how many of the lost messages are new."""
        known, self._lost = self._lost, lost
        return wire.Lost(lost.dropped - known.dropped, lost.dead_letters - known.dead_letters)

    def posted_at(self, place: int) -> Envelope | None:
        """Return a message that was posted, by its place among all, from 1; None if it is known to be handled."""
        for mark, bundles in [*self._shipped]:
            if place <= mark:
                envelopes = [envelope for _, run in bundles for envelope in run]
                return envelopes[place - mark - 1] if mark - place < len(envelopes) else None
        return None

    def take_in_doubt(self) -> list[Envelope]:
        """Return what was written for the actor and not reported handled, once the process has ended."""
        shipped = [*self._shipped]
        self._shipped.clear()
        return [envelope for _, bundles in shipped for envelope in _for_actor(bundles)]

    def take_unsent(self) -> list[Envelope]:
        """Return what for the actor was never written, once the process has ended."""
        return _for_actor(self._link.take_unsent())

    # On the thread that reads.

    def _read_all(self) -> None:
        try:
            for frame in self._link.frames():
                for parcel in frame.parcels:
                    self._take(parcel)
                if self._takes_turns:
                    self._quiet.something_ended()
            reason = ""
        except LinkError as fault:
            reason = f"sent what is no frame ({fault})"
        except Exception as fault:  # noqa: BLE001  a simulated market would wait for ever for a process without a reader
            _log.exception("worker.unreadable", extra={"actor": self._cell.name, "fields": {}})
            reason = f"sent what nobody can take ({type(fault).__name__}: {fault})"
        self._link.hang_up()
        how = reason or _how_it_ended(self._wait())
        how = self._overran or how
        self._process.kill()  # after a frame that is none; one that has ended is left alone
        self._process.wait()
        self._link.close()
        self.dues.cancel_timers()
        if not self._abandoned:
            self._say(functools.partial(self._cell.deliver, Ended(self, how), self._cell))
            self._is_gone = True
            self._quiet.something_ended()

    def _wait(self) -> int:
        # It hung up, which it does only by ending: the time-out is for one that is broken.
        ended = threading.Timer(HANG_UP_S, self._process.kill)
        ended.start()
        code = self._process.wait()
        ended.cancel()
        return code

    def _check(self, parcel: wire.Parcel) -> None:
        match parcel:
            case wire.Handled(mark) if not self.handled <= mark <= self.posted:
                raise LinkError(f"a mark from {self.handled} to {self.posted} wanted, found {mark}")
            case wire.Handled(done=done) if not self._done <= done <= self._asked_for:
                raise LinkError(f"a count from {self._done} to {self._asked_for} wanted, found {done}")
            case wire.TurnedAway(place) if not self.handled < place <= self.posted:
                raise LinkError(f"a message from {self.handled + 1} to {self.posted} wanted, found {place}")
            case wire.Lost() if parcel.dropped < 0 or parcel.dead_letters < 0:
                raise LinkError(f"counts of at least 0 wanted, found {parcel}")
            case _:
                return

    def _take(self, parcel: wire.Parcel) -> None:
        self._check(parcel)
        match parcel:
            case wire.Letters():
                self._say(functools.partial(self._deliver, parcel, _messages_of(parcel, self._link.own)))
            case wire.Arm() | wire.Disarm():
                self._say(functools.partial(self.dues.keep, parcel))
            case wire.Alive():
                self.beats += 1
            case wire.Hops(hops):
                self._cell.services.tracer.add(hops)
            case wire.Logged(level, event, actor, fields, correlation_id):
                told = {"actor": actor, "correlation_id": correlation_id, "fields": msgspec.json.decode(fields)}
                _log.log(level, event, extra=told)
            case _:
                self._say(functools.partial(self._cell.deliver, Heard(self, parcel), self._cell))
                self._note_read(parcel)

    def _say(self, act: Callable[[], object]) -> None:
        if self._takes_turns:
            self._words.append(act)
        else:
            act()

    def _note_read(self, parcel: wire.Parcel) -> None:
        match parcel:
            case wire.Handled(mark, done=done):
                self._has_failed = False
                self._read_up_to = (mark, done)
            case wire.HandlerFailed() | wire.StartFailed():
                self._has_failed = True
            case _:
                return

    # On that thread, or on the loop when it has its turn.

    def _deliver(self, letters: wire.Letters, messages: list[Any]) -> None:
        sender = self._sender(letters)
        if isinstance(letters.target, str):
            target, why = self._cell.services.names.get(letters.target), "no actor of that name runs"
        else:
            target, why = self._addresses.find(letters.target), "nobody waits for this answer any more"
        for message, trace in zip(messages, letters.traces, strict=True):
            if message.__class__ is wire.Unreadable:
                self._turn_away(message, target, sender, letters.target, trace)
            elif isinstance(target, Endpoint):
                target.deliver(message, sender, trace)
            elif not isinstance(message, DeadLetter):  # one of those is counted already
                self._cell.dead_letters.undelivered(str(letters.target), message, sender, why, trace)

    def _turn_away(
        self, message: wire.Unreadable, target: Any, sender: Endpoint, name: int | str, trace: int | Stamp
    ) -> None:
        """Refuse an invalid message of the actor: a dead letter, answered to its sender and its requester."""
        actor = getattr(target, "name", "") or str(name)
        refusal = refusal_of(message.kind, message.reason)
        self._cell.dead_letters.failed(actor, message, refusal, trace, kind=message.kind)
        is_awaited = getattr(target, "wants_answer", False)
        failed = Failed(
            actor=self._cell.name if is_awaited else actor,
            message_type=message.kind,
            error=type(refusal).__name__,
            reason=reason_of(refusal),
        )
        (target if is_awaited else sender).deliver(failed, self._cell.dead_letters.outside, trace)

    def _sender(self, letters: wire.Letters) -> Endpoint:
        if letters.sender == wire.ACTOR:
            return self._cell
        if letters.wants_answer:
            return Far(letters.sender, self._send, wants_answer=True, of=self._cell)
        if letters.sender not in self._far:
            if len(self._far) >= NUMBERED_MAX:
                del self._far[next(iter(self._far))]
            self._far[letters.sender] = Far(letters.sender, self._send, wants_answer=False, of=self._cell)
        return self._far[letters.sender]

    # On any thread.

    def _send(self, far: Far, envelope: Envelope) -> None:
        self._cell.deliver(Onward(self, far, envelope), self._cell)

    def _unsendable(self, target: int | str, envelope: Envelope, why: str) -> None:
        if target == wire.ACTOR and getattr(envelope[1], "guest", True):
            self._cell.deliver(Unsendable(envelope, why), self._cell)
            return
        actor: Any = self._cell if target == wire.ACTOR else str(target)
        self._cell.dead_letters.undelivered(actor, *envelope[:2], f"it has no wire form: {why}", envelope[2])


class Onward(msgspec.Struct, frozen=True):
    """To the stand-in: a message for another address of the process, such as the answer to a request of the actor's."""

    worker: WorkerProcess
    far: Far
    envelope: Envelope


class Unsendable(lifecycle.InternalMessage, frozen=True):
    """To the stand-in: a guest's message has no wire form."""

    envelope: Envelope
    why: str


class Heard(lifecycle.InternalMessage, frozen=True):
    """To the stand-in: a parcel came from the process."""

    worker: WorkerProcess
    parcel: wire.Parcel


class ItsTurn(lifecycle.InternalMessage, frozen=True):
    """To the stand-in: a timer of the process is due, or the outcome of a question of its may be handled."""

    worker: WorkerProcess
    number: int


class Ended(lifecycle.InternalMessage, frozen=True):
    """To the stand-in: the process has ended."""

    worker: WorkerProcess
    how: str


def _messages_of(letters: wire.Letters, own: OwnTypes) -> list[Any]:
    if not letters.own:
        with contextlib.suppress(ValueError):
            return wire.messages_of(letters)
    try:
        return wire.messages_apart(letters, own)
    except ValueError as fault:
        raise LinkError(str(fault)) from fault


def _for_actor(bundles: list[Bundle]) -> list[Envelope]:
    return [envelope for target, envelopes in bundles if target == wire.ACTOR for envelope in envelopes]


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"


_log = logging.getLogger("natya")
