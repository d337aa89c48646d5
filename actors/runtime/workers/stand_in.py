"""What stands in the parent for an actor of a worker process: its address, its mailbox, its supervision.

Owns    the worker process, its end of the socket pair, and what was sent there and is not known to be handled.
Hears   every message there is, for the actor; what the process says, from the thread that reads it.
Sends   what the actor sends, in the actor's name, to whomever it is for.
Fails   when the actor fails: then the process stays, and is told to restart it in place. And when the process dies:
        then the next life has another. What was written to a dead one and not reported handled is a dead letter, since
        it may have been handled; what was not yet written goes to the next.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, ClassVar

import msgspec

from ....messages.codec import MESSAGE_TYPES
from ....messages.market import Candle, Tick
from ....messages.supervision import Unavailable
from .. import runtime_cell
from ..actor import RuntimeActor
from ..dispatch import HandlerTable, handles
from ..endpoint import Endpoint
from ..mailboxes import RETRY_AFTER_S
from . import wire
from .errors import WorkerDiedError, WorkerRefusedError, remote_error
from .wire import ACTOR
from .worker_process import Ended, Heard, WorkerProcess

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from ....messages.system import Statistics
    from .link import Letter

UNHANDLED_MAX = 65_536
"""Messages that may be on their way to the actor; of one more, market data is dropped, anything else refused."""


class StandInSettings(msgspec.Struct, frozen=True):
    """Which actor it stands for."""

    actor: type[RuntimeActor]
    settings: Any = None


class Begin(msgspec.Struct, frozen=True):
    """To itself, when `on_start` and `restore` are over: start the actor, in the process there is or a new one."""


class Handover(msgspec.Struct, frozen=True):
    """From one life to the next."""

    worker: WorkerProcess | None
    """The process, if it lives."""

    letters: list[Letter]
    """What never left for one that does not."""


class StandIn(RuntimeActor):
    """Cannot be told from the actor it stands for, neither by its supervisor nor by those who send to it."""

    ready_when_told: ClassVar[bool] = True

    settings: StandInSettings

    def on_start(self) -> None:
        """Prepare; whether a process is left from the life before is known a little later."""
        self.host.background = self.settings.actor.background
        self._worker: WorkerProcess | None = None
        self._letters: list[Letter] = []
        self._has_started = False
        self._is_stopping = False
        self._stopped: wire.Stopped | None = None
        self._holds = False
        self.dropped = 0
        self.host.deliver(Begin(), self.host)

    def snapshot(self) -> Handover:
        """Keep the process, if it lives."""
        self._let_go()
        worker, self._worker = self._worker, None
        return Handover(worker, self._letters)

    def restore(self, state: Handover) -> None:
        """Take it over."""
        self._worker, self._letters = state.worker, state.letters

    def on_stop(self) -> None:
        """End the process, unless the next life has it."""
        self._let_go()
        if self._worker is not None:
            self._worker.kill()

    def is_drained(self) -> bool:
        """Stop the actor in the process, and wait for its last word."""
        if self._worker is None or self._stopped is not None:
            return True
        if not self._is_stopping:
            self._is_stopping = True
            self._worker.tell(wire.Stop())
        return False

    def statistics(self) -> Statistics:
        """Tell what the actor counted, when it has stopped."""
        if self._stopped is None or self._stopped.statistics is None:
            return super().statistics()
        return self._stopped.statistics

    @handles(Begin)
    def begin(self, _message: Begin, _sender: ActorAddress) -> None:
        """Start the actor.

        Raises:
            FailedElsewhere: there can be no such process.
        """
        if self._worker is not None:
            self._worker.tell(wire.Restart())
        else:
            try:
                self._worker = WorkerProcess.start(self.host, self.settings.actor, self.settings.settings)
            except Exception as fault:  # no such actor, or no process to be had: its start failed
                raise runtime_cell.FailedElsewhere(fault, at_start=True) from fault
        letters, self._letters = self._letters, []
        for _, sender, message in letters:
            self.forward(message, sender)
        self._hold()

    # For the actor.

    def forward(self, message: Any, sender: Any) -> None:
        """Hand a message on, if there is room."""
        worker = self._worker
        if worker is not None and worker.posted - worker.handled < UNHANDLED_MAX:
            worker.posted += 1
            if not self._holds:
                self._hold()
            worker.post((ACTOR, sender, message))
        elif worker is None and len(self._letters) < UNHANDLED_MAX:
            self._letters.append((ACTOR, sender, message))
        else:
            self._refuse(message, sender)

    def _refuse(self, message: Any, sender: Any) -> None:
        self.host.dropped += 1
        if not isinstance(message, (Tick, Candle)) and isinstance(sender, Endpoint):
            reason = f"{UNHANDLED_MAX} messages are on their way to its process"
            sender.deliver(Unavailable(actor=self.name, reason=reason, retry_after_s=RETRY_AFTER_S), self.host)

    # What the process says.

    @handles(Heard)
    def hear(self, heard: Heard, _sender: ActorAddress) -> None:
        """Do as the actor would.

        Raises:
            FailedElsewhere: it failed.
        """
        if heard.worker is not self._worker:
            return
        match heard.parcel:
            case wire.Handled(mark):
                heard.worker.handled = max(mark, heard.worker.handled)
                if mark == heard.worker.posted:
                    self._let_go()
            case wire.Started():
                self._has_started = True
                self.ready()
            case wire.StartFailed(error, reason, trace, refused):
                fault = WorkerRefusedError(reason) if refused else remote_error(error, reason, trace)
                self._let_go()
                raise runtime_cell.FailedElsewhere(fault, at_start=not self._has_started)
            case wire.HandlerFailed(error, reason, trace):
                self._let_go()
                raise runtime_cell.FailedElsewhere(remote_error(error, reason, trace), at_start=False)
            case wire.Stopped() as stopped:
                self._actor_stopped(stopped)
            case wire.Logged(level, event, actor, fields):
                _log.log(level, event, extra={"actor": actor, "fields": msgspec.json.decode(fields)})
            case _:
                return

    def _actor_stopped(self, stopped: wire.Stopped) -> None:
        self._stopped = stopped
        self._let_go()
        if stopped.error:
            fields = {"error": stopped.error, "reason": stopped.reason}
            _log.error("actor.stop_failed", extra={"actor": self.name, "fields": fields})
        if not stopped.requested:
            raise runtime_cell.Ended

    @handles(Ended)
    def process_ended(self, ended: Ended, _sender: ActorAddress) -> None:
        """Fail, unless it was to end.

        Raises:
            FailedElsewhere: the process died.
        """
        for _, sender, message in ended.in_doubt:
            self.host.base.dead_letters.undelivered(self.host, message, sender, f"its worker process {ended.how}")
        if ended.worker is not self._worker:
            return
        self._worker = None
        self._letters = ended.unsent
        self._let_go()
        if self._stopped is None and not self._is_stopping:
            fault = WorkerDiedError(f"worker process {ended.worker.pid} {ended.how}")
            raise runtime_cell.FailedElsewhere(fault, at_start=not self._has_started)

    # A simulated market waits while anything is on its way.

    def _hold(self) -> None:
        worker = self._worker
        if not self._holds and worker is not None and worker.posted != worker.handled:
            self._holds = True
            self.host.base.quiet.offload_begun(self.host)

    def _let_go(self) -> None:
        if self._holds:
            self._holds = False
            self.host.base.quiet.offload_ended(self.host)


def _bury(actor: StandIn, message: Any, sender: ActorAddress) -> None:
    why = f"{type(message).__name__} has no wire form to travel in to a worker process"
    actor.host.base.dead_letters.undelivered(actor.host, message, sender, why)


StandIn.handler_table = HandlerTable(StandIn, _bury)
StandIn.handler_table.update(dict.fromkeys(MESSAGE_TYPES, StandIn.forward))
_log = logging.getLogger("natya")
