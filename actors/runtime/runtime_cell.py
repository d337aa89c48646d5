"""The cell of a `RuntimeActor`: table dispatch, failing once, restart in place, orderly stop."""

from __future__ import annotations

import enum
import logging
from typing import TYPE_CHECKING, Any, Protocol, cast

from thespian.actors import ChildActorExited

from ...messages.supervision import Failed, Unavailable
from . import lifecycle
from .cell import BATCH, NO_MAILBOX, Cell
from .endpoint import Endpoint
from .errors import reason_of
from .serving_cell import NEVER_ANSWERED, ServingCell
from .trace import correlation_of

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from .actor import RuntimeActor
    from .base import InProcessSystemBase
    from .dispatch import HandlerTable
    from .endpoint import Envelope
    from .trace import Stamp
    from .worker import Worker

SUSPENDED_MAX = 100_000
"""Messages that are kept for an actor that is down; more are dead letters."""

_log = logging.getLogger("natya")


class KeepsState(Protocol):
    """An actor that hands its state over to the fresh instance when it is restarted in place.

    In a worker process too; but when the process itself dies, nothing is handed over.
    """

    def snapshot(self) -> Any:
        """Give what the next life needs; called on the failed instance, before `on_stop`."""
        ...

    def restore(self, state: Any) -> None:
        """Take it up; called after `on_start`. If it raises, `on_stop` follows, and the next life starts empty."""
        ...


class State(enum.Enum):
    """Where in its life a cell is. Only a RUNNING one handles messages, and a STOPPING one what it still has to."""

    NEW = enum.auto()
    RUNNING = enum.auto()
    SUSPENDED = enum.auto()
    REJECTING = enum.auto()
    STOPPING = enum.auto()
    DEAD = enum.auto()


class Ended(BaseException):
    """Raised by the handler of an exit request."""


class FailedElsewhere(BaseException):
    """Raised by what stands for an actor of another process: that one failed; its message is dead, its asker knows."""

    def __init__(self, error: BaseException, *, at_start: bool) -> None:
        super().__init__(reason_of(error))
        self.error = error
        self.at_start = at_start


class RuntimeCell(ServingCell):
    """Runs one `RuntimeActor`, whose instance it makes anew at every restart."""

    __slots__ = (
        "_afresh",
        "_drains",
        "_ended",
        "_handlers",
        "_settings",
        "_started",
        "_starter",
        "_state",
        "_stop_asker",
        "_supervisor",
        "_takes_ahead",
        "_to_handle",
        "failures",
    )  # fmt: skip

    def __init__(
        self,
        label: str,
        actor_class: type[RuntimeActor],
        *,
        base: InProcessSystemBase,
        worker: Worker,
        parent: Cell | None,
    ) -> None:
        super().__init__(label, base=base, worker=worker, parent=parent)
        self.actor_class = actor_class
        self.background = actor_class.background
        self.special = True
        self.awaited = 0
        """Outcomes of this life that have not been handled yet."""

        self.failures = 0
        self.watchers = ()
        self._handlers: HandlerTable = actor_class.handler_table
        self._drains = actor_class.overrides_on_drained
        self._takes_ahead = hasattr(actor_class, "on_turn")
        self._offloader = None
        self._settings: Any = None
        self._starter: ActorAddress | None = None
        self._supervisor: ActorAddress | None = None
        self._stop_asker: ActorAddress | None = None
        self._state = State.NEW
        self._started = False
        self._to_handle = 0
        self._afresh = True
        """Asked to stop, it may restart for what is still queued."""

        self._ended = [None]
        """A token: whoever pops it is the one that ends this life (the cell itself, or a supervisor that kills it)."""

    # A turn.

    def turn(self) -> None:
        """Control messages first, then up to a batch of the mailbox."""
        if self.special and not self._attend():
            return
        box, instance, handlers = self.box, self.instance, self._handlers
        depth = len(box)
        if depth > self.high_water:  # noqa: PLR1730  `max` and `min` are calls: 60 ns each, of 400 for a hop
            self.high_water = depth
        count = depth if depth < 2 else min(depth, self.batch)  # noqa: PLR2004  the same, for the usual depths
        message, done = None, 0
        sender: ActorAddress = self
        try:
            for done in range(count):
                try:
                    message, sender, trace = box.popleft()
                except IndexError:  # killed from another thread, which has taken what was left
                    self.handled += done
                    self._end_of_killed()
                    return
                self.trace = trace
                if trace.__class__ is int:
                    handlers[message.__class__](instance, message, sender)
                else:
                    self._handle_recorded(message, sender, cast("Stamp", trace))
            message, done = None, count
            if self._drains and count and not box:
                instance.on_drained()
        except BaseException as error:  # noqa: BLE001  fails once: nothing an actor raises may reach the loop
            self.handled += done
            self._on_error(error, message, sender)
            return
        self.handled += count
        if box:
            self.ready(self)
        else:
            self.rest()

    def _handle_recorded(self, message: Any, sender: ActorAddress, stamp: Stamp) -> None:
        tracer, failed = self.base.tracer, True
        self.trace = span = tracer.receive(stamp)
        try:
            self._handlers[message.__class__](self.instance, message, sender)
            failed = False
        finally:
            tracer.record(span, self.name, message, failed=failed)

    def _attend(self) -> bool:
        """See to what is special; say whether messages may be handled as usual."""
        while self.control_box and not self.dead:
            message, sender = self.control_box.pop(0)
            self._obey(message, sender)
        if self.dead:
            self._end_of_killed()
            return False
        if self._state is State.NEW:
            self._start_by_first_message()
        if self._state is State.STOPPING:
            self._stopping_turn()
        self.special = self._state is not State.RUNNING or bool(self.control_box) or self._takes_ahead
        if self._takes_ahead and self._state is State.RUNNING:
            self.instance.on_turn()
        return self._state is State.RUNNING

    def _start_by_first_message(self) -> None:
        # Made by plain `createActor`: as on every other base, `Start` may come first; if not, there are no settings.
        if not self.box:
            self.rest()
            return
        first, sender, trace = self.box.popleft()
        if isinstance(first, lifecycle.Start):
            self._obey(first, sender)
        else:
            self.box.appendleft((first, sender, trace))
            self._obey(lifecycle.Start(name=str(self)), sender)

    def _obey(self, message: Any, sender: ActorAddress) -> None:
        match message:
            case lifecycle.Start():
                self._starter, self._supervisor = message.starter, message.supervisor
                self.name, self._settings = self.name or message.name, message.settings
                self._begin(None)
            case lifecycle.Restart():
                self._restart()
            case lifecycle.Suspend():
                if self._state is State.RUNNING:
                    self._suspend()
            case lifecycle.Resume():
                if self._state in {State.SUSPENDED, State.REJECTING}:
                    self._run()
            case lifecycle.Reject():
                self._reject(message)
            case lifecycle.Stop():
                self._stop_asker = sender
                self._stop(afresh=message.afresh)
            case lifecycle.Kill():
                self._stop_asker = sender
                self._end(requested=True, error=None)
            case _:
                self._to(sender, Unavailable(actor=self.name, reason=f"{self._state.name}", retry_after_s=0.0))

    # Life.

    def _begin(self, handed_over: tuple[Any] | None) -> None:
        """Make a fresh instance and start it."""
        self._started = False
        try:
            instance = self.actor_class()
            self.base.equip(self, instance, self._settings)
            self.instance = instance
            instance.on_start()
            self._started = True
            if handed_over is not None:
                cast("KeepsState", instance).restore(handed_over[0])
        except BaseException as error:  # noqa: BLE001  reported to whoever started it
            self._release()
            self._start_failed(error)
            return
        if self._state is not State.STOPPING:
            self._run()
        if not self.actor_class.ready_when_told:
            self.tell_started()

    def tell_started(self) -> None:
        """Report `Started` to whoever waits for it."""
        report = lifecycle.Started(name=self.name, address=self)
        starter, self._starter = self._starter, None
        if starter is not None:
            self._to(starter, report)
        if self._supervisor is not None and self._supervisor is not starter:
            self._to(self._supervisor, report)

    def _start_failed(self, error: BaseException) -> None:
        self._log_failure("actor.start_failed", error)
        report = lifecycle.StartFailed(name=self.name, address=self, error=error)
        starter, self._starter = self._starter, None
        if starter is not None:
            self._to(starter, report)
        if self._supervisor is None:
            self._end(requested=False, error=error)
            return
        self._suspend()
        if self._supervisor is not starter:
            self._to(self._supervisor, report)

    def _restart(self) -> None:
        if self._state is State.REJECTING:
            self._suspend()  # what it asks in `on_start` may be answered at once
        handed_over = self._snapshot()
        self._release()
        self.life += 1
        self.awaited = 0
        self._begin(handed_over)

    def _snapshot(self) -> tuple[Any] | None:
        if not (self._started and self.actor_class.keeps_state):
            return None
        try:
            return (cast("KeepsState", self.instance).snapshot(),)
        except BaseException as error:  # noqa: BLE001  it may be what broke: then the fresh instance starts empty
            self._log_failure("actor.snapshot_failed", error)
            return None

    def _release(self) -> BaseException | None:
        """Let the instance give back what it took; a raise is logged and returned."""
        if self._offloader is not None:
            self._offloader.close()
            self._offloader = None
        if not self._started:
            return None
        self._started = False
        try:
            self.instance.on_stop()
        except BaseException as error:  # noqa: BLE001  the actor is going anyway
            self._log_failure("actor.stop_failed", error)
            return error
        return None

    def _run(self) -> None:
        self._state = State.RUNNING
        self._take_messages()
        self.special = True
        self.idle = False
        self.ready(self)

    def _take_messages(self) -> None:
        self.put = self._put_first if self.box is NO_MAILBOX else self.box.append

    def _suspend(self) -> None:
        self._state = State.SUSPENDED
        self.special = True
        self.idle = False  # so that no sender gives it a turn: control messages do
        self.put = self._put_suspended

    def _reject(self, order: lifecycle.Reject) -> None:
        answer = Unavailable(actor=self.name, reason=order.reason, retry_after_s=order.retry_after_s)

        def refuse(envelope: Envelope) -> None:
            if envelope[1] is not self:
                self.dropped += 1
                if not isinstance(envelope[0], NEVER_ANSWERED) and isinstance(envelope[1], Endpoint):
                    envelope[1].deliver(answer, self, envelope[2])

        self._suspend()
        self._state = State.REJECTING
        self.put = refuse

    def _put_suspended(self, envelope: Envelope) -> None:
        if self.box is NO_MAILBOX:
            self._put_first(envelope)
            self.put = self._put_suspended
        elif len(self.box) < SUSPENDED_MAX:
            self.box.append(envelope)
        else:
            self.dropped += 1
            self.base.dead_letters.undelivered(
                self, *envelope[:2], f"it is down, and {SUSPENDED_MAX} messages wait", envelope[2]
            )

    # Failing.

    def _on_error(self, error: BaseException, message: Any, sender: ActorAddress) -> None:
        if isinstance(error, Ended):
            self._end(requested=False, error=None)
            return
        if isinstance(error, FailedElsewhere):
            if error.at_start:
                self._start_failed(error.error)
                return
            error, message = error.error, None
        self.failures += 1
        self._log_failure("handler.failed", error)
        if message is not None:
            self.base.dead_letters.failed(self.name, message, error, self.trace)
            if sender is not self and not isinstance(message, NEVER_ANSWERED):
                kind, reason = type(message).__name__, reason_of(error)
                self._to(sender, Failed(actor=self.name, message_type=kind, error=type(error).__name__, reason=reason))
        if isinstance(error, SystemExit):
            self._end(requested=False, error=error)
        else:
            self._after_failure(error, message)

    def turn_failed(self, error: BaseException) -> None:
        """Fail as if a handler had raised it."""
        self._on_error(error, None, self)

    def _after_failure(self, error: BaseException, message: Any) -> None:
        if self.dead:
            self._end_of_killed()
        elif self._starter is not None and self._state is State.RUNNING:  # before it said `ready`: a start that failed
            self._start_failed(error)
        elif self._state is State.STOPPING and not self._afresh:
            self._end(requested=True, error=None)
        elif self._state is State.STOPPING and self._to_handle <= 0:
            self._end(requested=True, error=error)  # a fresh instance would have nothing to do but to fail again
        elif self._state is State.STOPPING or self._supervisor is None:
            self._restart()
        else:
            self._suspend()
            report = lifecycle.ChildHandlerFailed(name=self.name, address=self, error=error, message=message)
            self._to(self._supervisor, report)

    def _log_failure(self, event: str, error: BaseException) -> None:
        if self.base.failures_logged.spend(self.base.clock.monotonic_ns()):
            fields = {"error": type(error).__name__, "reason": reason_of(error)}
            extra = {"actor": self.name, "correlation_id": correlation_of(self.trace), "fields": fields}
            _log.error(event, extra=extra)

    # Ending.

    def _stop(self, *, afresh: bool) -> None:
        self._afresh = afresh
        down, waiting = self._state is State.SUSPENDED, len(self.box)
        if self._state in {State.RUNNING, State.STOPPING} or (down and self._started and afresh and waiting):
            self._state = State.STOPPING
            self._to_handle = waiting
            if down:
                self._take_messages()
                self._restart()
        else:
            self._end(requested=True, error=None)

    def _stopping_turn(self) -> None:
        """One message at a time, and the question whether it is done after each."""
        for _ in range(BATCH):
            box, message = self.box, None
            sender: ActorAddress = self
            try:
                if self._to_handle <= 0 and self.instance.is_drained() and self.awaited == 0:
                    self._end(requested=True, error=None)
                    return
                if not box:
                    self.rest()
                    return
                try:
                    message, sender, self.trace = box.popleft()
                except IndexError:  # as in `turn`
                    self._end_of_killed()
                    return
                self._to_handle -= 1
                if isinstance(self.trace, int):
                    self._handlers[message.__class__](self.instance, message, sender)
                else:
                    self._handle_recorded(message, sender, self.trace)
                self.handled += 1
                if self._drains and not box:
                    message = None
                    self.instance.on_drained()
            except BaseException as error:  # noqa: BLE001  as in `turn`
                self._on_error(error, message, sender)
                if self._state is not State.STOPPING:  # dead, or its restart failed: its supervisor says what follows
                    return
        self.ready(self)

    def _end(self, *, requested: bool, error: BaseException | None) -> None:
        """Stop the instance, tell who must know, die. Only once."""
        if not self._ended:
            return
        self._ended.pop()
        statistics = None
        if self._started:
            try:
                statistics = self.instance.statistics()
            except BaseException as fault:  # noqa: BLE001  the others still want their stop
                self._log_failure("actor.statistics_failed", fault)
        error = self._release() or error
        self._depart(
            lifecycle.Stopped(name=self.name, address=self, statistics=statistics, error=error, requested=requested)
        )

    def exit(self, sender: ActorAddress) -> None:
        """End before the next message."""
        self.kill(sender)

    def kill(self, asker: ActorAddress) -> None:
        """End before the next message; from another thread too. If a handler is running it is not waited for."""
        self.control(lifecycle.Kill(), asker)
        if self.worker.current is self and not self.worker.is_here() and self._ended:
            try:
                self._ended.pop()
            except IndexError:  # it ended by itself between the two lines
                return
            self._stop_asker = asker
            self._depart(lifecycle.Stopped(name=self.name, address=self, error=TimeoutError("killed in a handler")))

    def _end_of_killed(self) -> None:
        """Killed in a handler that did return: release what it took."""
        self._release()
        self._drain(self)

    def _depart(self, report: lifecycle.Stopped) -> None:
        self._state = State.DEAD
        self.special = True
        self.base.forget(self)
        for child in tuple(self.children):
            child.exit(self)
        self.bury("it has stopped")
        for hearer in dict.fromkeys((self._supervisor, self._stop_asker)):
            if hearer is not None:
                self._to(hearer, report)
        self.tell_watchers(report)
        if self._supervisor is None and self.parent is not None:
            self.parent.deliver(ChildActorExited(self), self)
