"""The proxy, in the parent, of an actor in a worker process: its address, its mailbox, its supervision.

Owns    the worker process, the parent's end of the socket pair, and the messages sent but not reported handled.
Hears   every message type, for the actor; frames of the process, from the thread that reads them.
Sends   the actor's messages, on the actor's behalf.
        It kills a process whose turn takes longer than its limit; until then the tree shows the trouble.
Fails   when the actor fails: the process stays, and restarts the actor in place. And when the process dies: the next
        life starts another. Messages written to a dead process and not reported handled are dead letters, since they
        may have been handled; those not yet written go to the next. A dead process's state is lost: a copy kept here
        would be older than the actor's last actions, and make it repeat them.

In a live market, an actor that `conflates` has at most `AHEAD_MAX` messages on their way to it; what comes then waits
here, and of market data only the newest of each symbol.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, ClassVar, Final

import msgspec

from ....domain.time import SECOND_NS
from ....messages.codec import MESSAGE_TYPES
from ....messages.market import Candle, Tick
from ....messages.supervision import Unavailable
from .. import lifecycle, runtime_cell
from ..actor import RuntimeActor
from ..conflation import BEHIND, behind_at, newest_of
from ..dispatch import HandlerTable, handles
from ..door import door, expect_sayable, refusal_of
from ..endpoint import Endpoint
from ..errors import MessageRefusedError
from ..mailboxes import RETRY_AFTER_S
from . import wire
from .errors import WorkerDiedError, WorkerRefusedError
from .link import LETTERS_A_FRAME_MAX
from .wire import ACTOR
from .worker_process import Ended, Heard, ItsTurn, Onward, Unsendable, WorkerProcess

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from ....messages.system import Statistics
    from ..endpoint import Envelope
    from ..runtime_cell import RuntimeCell
    from ..trace import Trace

LOOK_S: Final = 1.0
"""Seconds between two checks of a busy process."""

AHEAD_MAX = 256
"""Messages on their way to an actor that conflates: what it has not handled of them is how far it can be behind."""

UNHANDLED_MAX = 65_536
"""Messages that may be under way to the actor; beyond it, market data is dropped and others are refused."""


class StandInSettings(msgspec.Struct, frozen=True):
    """The actor that it stands for."""

    actor: type[RuntimeActor]
    settings: Any = None
    turn_limit_s: float = 0.0
    memory_limit_mb: int = 0


class Begin(lifecycle.InternalMessage, frozen=True):
    """To itself, after `on_start` and `restore`: start the actor, in the existing process or a new one."""


class Look(lifecycle.InternalMessage, frozen=True):
    """To itself: check whether the process has ended a turn since the last check."""

    worker: WorkerProcess


class Handover(msgspec.Struct, frozen=True):
    """From one life to the next."""

    worker: WorkerProcess | None
    """The process, if it lives."""

    kept: list[Envelope]
    """Messages that wait here, for a process or for room on the way to it."""


class StandIn(RuntimeActor):
    """Behaves as the actor it stands for, to its supervisor and to senders."""

    ready_when_told: ClassVar[bool] = True
    takes_ahead: ClassVar[bool] = True

    settings: StandInSettings

    host: RuntimeCell

    def on_start(self) -> None:
        """Prepare; `restore`, called after this, tells whether a process exists."""
        self.host.be_a(self.settings.actor)
        self._worker: WorkerProcess | None = None
        self._kept: list[Envelope] = []
        services = self.host.services
        self._conflates = self.settings.actor.conflates and services.conflates and not services.market.rules
        self._behind_at = BEHIND
        self._has_started = False
        self._is_stopping = False
        self._stopped: wire.Stopped | None = None
        self._died: WorkerDiedError | None = None
        """How its process ended in the stop, before the actor had stopped."""

        self._holds = False
        self._looks = False
        self._beats = -1
        self._seen_ns = 0
        self.host.deliver(Begin(), self.host)

    def snapshot(self) -> Handover:
        """Return the process, if it lives, and the messages for it."""
        self._let_go()
        worker, self._worker = self._worker, None
        if worker is not None and worker.is_starting:  # its start hangs: no message will be read
            self._bury(worker.kill(), "its worker process hung while it started")
            worker = None
        kept, self._kept = self._kept, []
        return Handover(worker, kept)

    def restore(self, state: Handover) -> None:
        """Take the process over."""
        self._worker, self._kept = state.worker, state.kept

    def on_stop(self) -> None:
        """End the process, unless the next life takes it over.

        Raises:
            RemoteError: the actor's `on_stop` raised there, or it ended with an error.
            WorkerDiedError: the process ended in the stop, before the actor had stopped.
        """
        self._let_go()
        if self._worker is not None:
            self._bury(self._worker.kill(), "its worker process was killed")
        self._bury(self._kept, "it has stopped")
        if self._stopped is not None and self._stopped.raised is not None:
            raise self._stopped.raised.as_error()
        if self._died is not None:
            raise self._died

    def is_drained(self) -> bool:
        """Stop the actor in the process; return True when it has stopped."""
        if self._worker is None or self._stopped is not None:
            return True
        if not self._is_stopping:
            self._is_stopping = True
            self._post_kept(UNHANDLED_MAX)
            self._worker.tell(wire.Stop())
        return False

    def statistics(self) -> Statistics:
        """Return the actor's counters, once it has stopped."""
        if self._stopped is None or self._stopped.statistics is None:
            return super().statistics()
        return self._stopped.statistics

    @handles(Begin)
    def begin(self, _message: Begin, _sender: ActorAddress) -> None:
        """Start the actor.

        Raises:
            FailedElsewhere: no process can be started for it.
        """
        if self._worker is None:
            try:
                settings = self.settings
                self._worker = WorkerProcess.start(
                    self.host, settings.actor, settings.settings, memory_limit_mb=settings.memory_limit_mb
                )
            except Exception as fault:  # the actor cannot be described, or no process started: its start failed
                raise runtime_cell.FailedElsewhere(fault, at_start=True) from fault
        else:
            self._worker.ask_for(wire.Restart())
        self._worker.is_starting = True
        kept, self._kept = self._kept, []
        self._ship(kept)
        self._worker.flush()
        self._settle()

    # For the actor.

    def on_turn(self) -> None:
        """Pass on waiting messages for the actor in one batch: one by one takes three times as long.

        While there is no process, messages are handled one by one.
        """
        cell, worker = self.host, self._worker
        if worker is None or not cell.box:
            return
        take, depth = cell.box.popleft, len(cell.box)
        envelopes = [take() for _ in range(min(depth, LETTERS_A_FRAME_MAX))]
        if not {*map(type, map(_message_of, envelopes))} <= HOSTED_TYPES:
            end = next(place for place, envelope in enumerate(envelopes) if type(envelope[0]) not in HOSTED_TYPES)
            for envelope in reversed(envelopes[end:]):
                cell.box.appendleft(envelope)
            del envelopes[end:]
        cell.high_water = max(cell.high_water, depth)
        cell.handled += len(envelopes)
        if any(getattr(sender, "says", None) is not None for sender in {*map(_sender_of, envelopes)}):
            envelopes = [*filter(self._is_sayable, envelopes)]
        self._ship(envelopes)
        worker.flush()

    def _is_sayable(self, envelope: Envelope) -> bool:
        """Return whether its sender may send it; its fields are validated where it is decoded (see `wire`)."""
        message, sender, trace = envelope
        try:
            expect_sayable(message, sender)
        except MessageRefusedError as refusal:
            self._turn_away(message, sender, trace, refusal)
            return False
        return True

    def _turn_away(self, message: Any, sender: Any, trace: Trace, refusal: MessageRefusedError) -> None:
        self.trace = trace
        self.host.turn_away(message, sender, refusal)

    def _turn_away_posted(self, envelope: Envelope | None, reason: str) -> None:
        if envelope is not None:
            message, sender, trace = envelope
            self._turn_away(message, sender, trace, refusal_of(type(message).__name__, reason))

    def on_drained(self) -> None:
        """Flush messages that were handled one by one."""
        if self._worker is not None:
            self._worker.flush()

    @handles(*MESSAGE_TYPES, reads_back=True)
    def pass_on(self, message: Any, sender: Any) -> None:
        """Pass one message on."""
        trace = self.trace
        self._ship([(message, sender, trace if isinstance(trace, int) else trace.stamp())])

    def _ship(self, envelopes: list[Envelope]) -> None:
        """Pass messages on, as far as there is room for them."""
        worker = self._worker
        waiting = len(self._kept) + (0 if worker is None else worker.posted - worker.handled)
        room = max(0, UNHANDLED_MAX - waiting)
        for envelope in envelopes[room:]:
            self._refuse(envelope)
        del envelopes[room:]
        self._kept += envelopes
        self._post_kept(AHEAD_MAX if self._conflates and not self._is_stopping else UNHANDLED_MAX)
        if self._conflates and len(self._kept) > self._behind_at:
            before = len(self._kept)
            self._kept = newest_of(self._kept)[::-1]
            self.host.conflated += before - len(self._kept)
            self._behind_at = behind_at(len(self._kept))
        self._note_away()

    def _post_kept(self, ahead_max: int) -> None:
        """Pass on what waits here, up to so many on their way."""
        worker, kept = self._worker, self._kept
        if worker is None:
            return
        room = max(0, ahead_max - (worker.posted - worker.handled))
        if room >= len(kept):
            self._kept, self._behind_at = [], BEHIND
        else:
            kept, self._kept = kept[:room], kept[room:]
        if kept:
            worker.post(ACTOR, kept)
            if not self._holds:
                self._settle()

    def _note_away(self) -> None:
        worker = self._worker
        self.host.away = len(self._kept) + (0 if worker is None else worker.posted - worker.handled)

    @handles(Onward)
    def hand_on(self, onward: Onward, _sender: ActorAddress) -> None:
        """Pass on a message for another address of the process: an answer; as many as its requests."""
        worker, target, envelope = onward.worker, onward.far, onward.envelope
        if worker is not self._worker:
            why = "its worker process is gone"
            self.host.dead_letters.undelivered(target, *envelope[:2], why, envelope[2])
        elif target.wants_answer or worker.posted - worker.handled < UNHANDLED_MAX:
            worker.post(target.target, [envelope])
            self._settle()
        else:
            self._refuse(envelope)

    def _refuse(self, envelope: Envelope) -> None:
        message, sender, trace = envelope
        self.host.dropped += 1
        if not isinstance(message, (Tick, Candle)) and isinstance(sender, Endpoint):
            reason = f"{UNHANDLED_MAX} messages are on their way to its process"
            sender.deliver(Unavailable(actor=self.name, reason=reason, retry_after_s=RETRY_AFTER_S), self.host, trace)

    @handles(Unsendable)
    def not_sent(self, unsendable: Unsendable, _sender: ActorAddress) -> None:
        """Refuse a guest's message that cannot be encoded."""
        message, sender, trace = unsendable.envelope
        self._turn_away(message, sender, trace, refusal_of(type(message).__name__, unsendable.why))

    def _bury(self, envelopes: list[Envelope], why: str) -> None:
        for message, sender, trace in envelopes:
            self.host.dead_letters.undelivered(self.host, message, sender, why, trace)

    # Frames of the process.

    @handles(Heard)
    def hear(self, heard: Heard, _sender: ActorAddress) -> None:
        """Handle a frame of the process, as the actor's own cell would.

        Raises:
            FailedElsewhere: it failed.
        """
        if heard.worker is not self._worker:
            return
        match heard.parcel:
            case wire.Handled() as report:
                heard.worker.note_handled(report)
                self._post_kept(AHEAD_MAX)
                heard.worker.flush()
                self._note_away()
                self._settle()
            case wire.TurnedAway(place, reason):
                self._turn_away_posted(heard.worker.posted_at(place), reason)
            case wire.Asks() | wire.Answered():
                heard.worker.dues.hear(heard.parcel)
            case wire.Lost() as lost:
                news = heard.worker.note_lost(lost)
                self.host.dropped += news.dropped
                self.host.dead_letters.count += news.dead_letters
            case wire.Started():
                self._has_started = True
                heard.worker.is_starting = False
                self._settle()
                self.ready()
            case wire.StartFailed(raised, refused):
                heard.worker.is_starting = False
                fault = WorkerRefusedError(raised.reason) if refused else raised.as_error()
                self._let_go()
                raise runtime_cell.FailedElsewhere(fault, at_start=not self._has_started)
            case wire.HandlerFailed(raised, got_past):
                heard.worker.is_starting = False
                self._let_go()
                raise runtime_cell.FailedElsewhere(raised.as_error(), at_start=False, got_past=got_past)
            case wire.Stopped() as stopped:
                self._actor_stopped(stopped)
            case _:
                return

    @handles(ItsTurn)
    def say_it(self, due: ItsTurn, _sender: ActorAddress) -> None:
        """Have the process do what waits there."""
        if due.worker is self._worker:
            due.worker.ask_for(wire.Due(due.number))
            self._settle()

    def _actor_stopped(self, stopped: wire.Stopped) -> None:
        self._stopped = stopped
        self._let_go()
        if not stopped.requested:
            raise runtime_cell.Ended

    @handles(Ended)
    def process_ended(self, ended: Ended, _sender: ActorAddress) -> None:
        """Fail, unless the process was told to end: then the stop has failed, if the actor had not stopped before.

        Raises:
            FailedElsewhere: the process died.
        """
        worker = ended.worker
        if worker is not self._worker:
            return
        self._bury(worker.take_in_doubt(), f"its worker process {ended.how}")
        self._worker = None
        self._kept = [*worker.take_unsent(), *self._kept]
        self._note_away()
        self._let_go()
        if self._stopped is not None:
            return
        fault = WorkerDiedError(f"worker process {worker.pid} {ended.how}")
        if not self._is_stopping:
            raise runtime_cell.FailedElsewhere(fault, at_start=not self._has_started)
        self._died = fault

    @handles(Look)
    def look(self, look: Look, _sender: ActorAddress) -> None:
        """Kill a process whose turn takes too long: a simulated market waits for it, and it reads no messages."""
        self._looks = False
        worker, limit_s = look.worker, self.settings.turn_limit_s
        if worker is not self._worker or not worker.has_a_turn():
            self.trouble = ""
            return
        now_ns = self.host.services.clock.monotonic_ns()
        if worker.beats != self._beats or worker.is_starting:  # a start has its own limit
            self._beats, self._seen_ns, self.trouble = worker.beats, now_ns, ""
        held_s = max(0, now_ns - self._seen_ns) / SECOND_NS
        if held_s >= limit_s:
            self.log("worker.overran", level="error", pid=worker.pid, held_s=held_s, turn_limit_s=limit_s)
            worker.end(f"held a turn longer than {limit_s:g} s, and was killed")
            return
        if held_s:
            self.trouble = f"holds a turn for {held_s:.0f} s, {limit_s:g} s at most: others may wait for it"
        self._look_later(worker)

    def _look_later(self, worker: WorkerProcess) -> None:
        if self._looks or not self.settings.turn_limit_s:
            return
        self._looks = True
        # By the machine's clock: a simulated market's clock stands still while it waits for this process.
        wait_ns = round(min(LOOK_S, self.settings.turn_limit_s / 4) * SECOND_NS)
        clock, host = self.host.services.clock, self.host
        host.worker.timers.add(clock.monotonic_ns() + wait_ns, lambda: host.deliver(Look(worker), host))

    # A simulated market waits while messages are under way, and while the actor starts.

    def _settle(self) -> None:
        if self._worker is None or self._worker.is_at_rest():
            self._let_go()
        elif not self._holds:
            self._holds = True
            self.host.services.quiet.offload_begun(self.host)
            self._look_later(self._worker)

    def _let_go(self) -> None:
        if self._holds:
            self._holds = False
            self.host.services.quiet.offload_ended(self.host)


HOSTED_TYPES: Final = frozenset(MESSAGE_TYPES)
"""Message types that the actor may be sent."""

_message_of = itemgetter(0)
_sender_of = itemgetter(1)


def _bury_unhosted(actor: StandIn, message: Any, sender: ActorAddress) -> None:
    hosted, kind = actor.settings.actor, type(message)
    if kind in hosted.wire_types:
        actor.pass_on(message, sender)
        return
    wanted = f"one of natya.messages, or one that {hosted.__name__}.wire_types names, is wanted"
    why = f"{kind.__name__} has no wire form to travel in to a worker process: {wanted}"
    actor.host.dead_letters.undelivered(actor.host, message, sender, why)


StandIn.handler_table = HandlerTable(StandIn, _bury_unhosted)
StandIn.front_table = StandIn.handler_table.behind(door)
