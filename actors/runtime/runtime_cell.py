"""The cell of a `RuntimeActor`: it runs turns by table dispatch, fails once, and takes the steps of its actor's life.

A turn is control messages first, then up to a batch of the mailbox, on the cell's own thread. Any exception of an actor
ends there: the message is a dead letter, its sender is answered `Failed`, and `life`, a pure state machine, decides
what follows. This file performs its steps.

The traps: `put`, `idle` and `special` decide whether a sender schedules a turn, so each step must leave them as the new
state needs them (see `cell`). And a supervisor may kill the cell from another thread while a handler never returns: the
thread that claims the end (`_claim_end`) reports it, and the cell's own thread, should the handler ever return, finds
the cell `dead` and only releases the instance's resources.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any, cast

from thespian.actors import ChildActorExited

from ...messages.supervision import Failed, Unavailable
from . import lifecycle
from .cell import BATCH, Cell
from .cell_context import CellContext
from .conflation import BEHIND, NEVER, UNTIMED, behind_at, conflate, share_of
from .dead_letters import NEVER_ANSWERED
from .door import is_ours
from .errors import StashFullError, reason_of
from .life import (
    ADMIT,
    BEGIN,
    GO_ON,
    KEEP,
    NEW,
    RENEW,
    RUNNING,
    STOPPING,
    End,
    Life,
    Refuse,
    TellFailed,
    TellStarted,
    TellStartFailed,
)
from .proof import Proof, ProvingHandlers
from .trace import correlation_of

if TYPE_CHECKING:
    from collections import deque

    from thespian.actors import ActorAddress

    from .context import HostedActor, KeepsState
    from .endpoint import Envelope
    from .life import Step
    from .proof import Handlers
    from .thespian.services import ThespianServices
    from .trace import Stamp, Trace
    from .worker import Worker

_log = logging.getLogger("natya")
_ending = threading.Lock()


class Ended(BaseException):
    """Raised by the handler of an exit request."""


class FailedElsewhere(BaseException):
    """Raised by a stand-in: its actor in a worker process failed; the message is a dead letter and answered already."""

    def __init__(self, error: BaseException, *, at_start: bool, got_past: bool | None = None) -> None:
        super().__init__(reason_of(error))
        self.error = error
        self.at_start = at_start
        self.got_past = got_past


class RuntimeCell(CellContext):
    """Runs one `RuntimeActor`."""

    __slots__ = (
        "_behind_at", "_drains", "_handlers", "_handlers_of_ours", "_has_ended", "_life", "_looks_at", "_proof",
        "_settings", "_share", "_stop_askers", "_table", "_takes_ahead", "ends_with_life", "failures", "guest", "says",
    )  # fmt: skip

    def __init__(
        self,
        label: str,
        actor_class: type[HostedActor],
        *,
        services: ThespianServices,
        worker: Worker,
        parent: Cell | None,
    ) -> None:
        super().__init__(label, services=services, worker=worker, parent=parent)
        self.actor_class = actor_class
        self.market = services.market
        self.in_market_time = services.market.rules and not actor_class.system_time
        self.be_a(actor_class)
        self.special = True
        self.failures = 0
        self.awaited = 0
        """Outcomes of this life that have not been handled yet."""

        self.watchers = ()
        self.ends_with_life = False
        """Whether it is ended when its parent restarts: the parent's `on_start` creates it again."""

        self._offloader = None
        self._stash = None
        self._settings: Any = None
        self._stop_askers: tuple[ActorAddress, ...] = ()
        self._life = Life()
        self._has_ended = False
        self._use(actor_class.front_table)
        self._proof: Proof | None = None
        """Watches whether the actor gets past the message it failed at last; None if it never failed at one."""

        is_swept = self.conflates and actor_class.mailbox is None and worker is services.loop
        self._behind_at = BEHIND if is_swept else NEVER
        """So many waiting messages are too many, and conflated."""

        self._looks_at = 0
        """Waiting messages above which there is work: the most that ever waited, or those of a timed turn."""

        self._share = BATCH
        """Messages of one turn, when it is behind: fewer, when they take long."""

        self._drains = actor_class.overrides_on_drained
        self._takes_ahead = hasattr(actor_class, "on_turn")

    def be_a(self, actor_class: type[HostedActor]) -> None:
        """Identify itself to others as an actor of this class, for a stand-in."""
        self.background = actor_class.background
        self.says = actor_class.says if actor_class.says is not None or self.parent is None else self.parent.says
        self.guest = self.says is not None or not is_ours(actor_class)

    # A turn.

    def turn(self) -> None:
        """Control messages first, then up to a batch of the mailbox."""
        if self.special and not self._attend():
            return
        box, instance, handlers = self.box, self.instance, self._handlers
        depth = len(box)
        if depth > self._looks_at:
            count, began_ns = self._look_at(depth)
        else:
            count = depth if depth < 2 else min(depth, self.batch)  # noqa: PLR2004  a call: 60 ns, of 400 for a hop
            began_ns = -1
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
        if began_ns >= 0:
            self._end_share(began_ns, count)
        if box:
            self.ready(self)
        else:
            self.rest()

    def take(self, message: Any, sender: ActorAddress, trace: Trace) -> None:
        """Handle a message now, in the turn of another cell of this thread, as the only one of a turn of its own.

        It is delivered where that is not the same: something waits before it, or the actor is not running.
        """
        if not self.idle or self.special or self.box:
            self.deliver(message, sender, trace)
            return
        # `Cell.rest`, written out; and no door, since the sender is one of ours.
        self.idle = False
        self.trace = trace
        worker = self.worker
        handing, worker.current = worker.current, self  # it is this one's turn, for who watches or kills it
        handled: Any = message
        try:
            self._handlers_of_ours[message.__class__](self.instance, message, sender)
            if self._drains:
                handled = None
                self.instance.on_drained()
        except BaseException as error:  # noqa: BLE001  as in `turn`
            self._on_error(error, handled, sender)
            worker.current = handing
            return
        worker.current = handing
        self.handled += 1
        self.idle = True
        if (self.box or self.control_box) and self.idle:
            self.idle = False
            self.ready(self)

    def _look_at(self, depth: int) -> tuple[int, int]:
        """Note how many messages wait; if they are too many, conflate them.

        Return how many to handle in this turn, and when it began if it is to be timed, else -1.
        """
        self._looks_at = self.high_water = max(depth, self.high_water)
        if self._behind_at == NEVER:
            return min(depth, self.batch), -1
        self._looks_at = min(self.high_water, UNTIMED)
        if depth > self._behind_at:
            try:
                self.conflated += conflate(cast("deque[Envelope]", self.box))
            except IndexError:  # killed from another thread, which takes what is left; the turn finds that out
                self._drain(self)
            depth = len(self.box)
            self._behind_at = behind_at(depth)
        return min(depth, self.batch, self._share), self.services.clock.monotonic_ns()

    def _end_share(self, began_ns: int, count: int) -> None:
        """Measure how many messages its turns may have while more wait."""
        self._share = share_of(self.services.clock.monotonic_ns() - began_ns, count)
        if not self.box:
            self._behind_at = BEHIND

    def _handle_recorded(self, message: Any, sender: ActorAddress, stamp: Stamp) -> None:
        tracer, failed = self.services.tracer, True
        self.trace = span = tracer.receive(stamp)
        try:
            self._handlers[message.__class__](self.instance, message, sender)
            failed = False
        finally:
            tracer.record(span, self.name, message, failed=failed)

    def _attend(self) -> bool:
        """Handle control messages and states other than running; return whether to go on with the mailbox."""
        while self.control_box and not self.dead:
            message, sender = self.control_box.pop(0)
            self._obey(message, sender)
        if self.dead:
            self._end_of_killed()
            return False
        life = self._life
        if life.state is NEW:
            self._start_by_first_message()
        if life.state is STOPPING:
            self._stopping_turn()
        runs = life.state is RUNNING and not self.dead
        self.special = not runs or self._takes_ahead
        if self.control_box:  # checked last: `control` first fills it, and then sets `special`
            self.special = True
        if self._takes_ahead and runs:
            self.instance.on_turn()
        return runs

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

    def _stopping_turn(self) -> None:
        """Handle one message at a time, and ask `is_drained` after each."""
        life = self._life
        for _ in range(BATCH):
            box, message = self.box, None
            sender: ActorAddress = self
            try:
                if life.to_handle <= 0 and self.instance.is_drained() and self.awaited == 0:
                    self._take(life.end(requested=True))
                    return
                if not box:
                    self.rest()
                    return
                try:
                    message, sender, self.trace = box.popleft()
                except IndexError:  # as in `turn`
                    self._end_of_killed()
                    return
                life.to_handle -= 1
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
                if (
                    self.dead or life.state is not STOPPING
                ):  # dead, or its restart failed: its supervisor says what follows
                    return
        self.ready(self)

    # Failing.

    def _on_error(self, error: BaseException, message: Any, sender: ActorAddress) -> None:
        self.worker.leave_if_forked(error)
        if isinstance(error, Ended):
            self._take(self._life.end(requested=False))
            return
        # A restart would put the whole stash back into the mailbox, to overflow again.
        goes_on = isinstance(error, StashFullError) and message is not None and self._life.state is RUNNING
        if isinstance(error, FailedElsewhere):
            if error.at_start:
                self._take(self._life.start_failed(error.error))
                return
            got_past, error, message = error.got_past, error.error, None
        else:
            got_past = None if message is None or goes_on else self._got_past(message)
        self.failures += 1
        self._log_failure("handler.failed", error)
        if message is not None:
            self.dead_letters.failed(self.name, message, error, self.trace)
            if sender is not self and not isinstance(message, NEVER_ANSWERED):
                kind, reason = type(message).__name__, reason_of(error)
                self._to(sender, Failed(actor=self.name, message_type=kind, error=type(error).__name__, reason=reason))
        if self.dead:
            self._end_of_killed()
        elif goes_on:
            self._take((GO_ON,))
        else:
            self._take(self._life.failed(error), message, got_past=got_past)

    def turn_failed(self, error: BaseException) -> None:
        """Fail as if a handler had raised it."""
        self._on_error(error, None, self)

    def _use(self, table: Handlers) -> None:
        self._table: Handlers = table
        self._forget_proving()

    def _forget_proving(self) -> None:
        self._handlers: Handlers = self._table
        self._handlers_of_ours: Handlers = self.actor_class.handler_table

    def _got_past(self, message: Any) -> bool | None:
        """Return whether this life got past the message at which the last one failed; note the present one."""
        got_past = None if self._proof is None else self._proof.is_given
        self._proof = Proof(type(message))
        self._forget_proving()
        return got_past

    # Its life.

    def _obey(self, message: Any, sender: ActorAddress) -> None:
        life = self._life
        match message:
            case lifecycle.Start():
                self.name, self._settings = self.name or message.name, message.settings
                self._take(life.start(message.starter, message.supervisor))
            case lifecycle.Restart():
                self._take(life.restart())
            case lifecycle.Suspend():
                self._take(life.suspend())
            case lifecycle.Resume():
                self._take(life.resume())
            case lifecycle.Reject():
                self._take(life.reject(message))
            case lifecycle.Stop():
                self._stop_askers = (*self._stop_askers, sender)
                self.unstash_all()
                self._take(life.stop(len(self.box), afresh=message.afresh))
            case lifecycle.Kill():
                self._stop_askers = (*self._stop_askers, sender)
                self._take(life.end(requested=True))
            case _:
                self._to(sender, Unavailable(actor=self.name, reason=life.state.name, retry_after_s=0.0))

    def tell_started(self) -> None:
        """Report that the start is complete."""
        self._take(self._life.ready())

    def _take(self, steps: tuple[Step, ...], message: Any = None, *, got_past: bool | None = None) -> None:
        """Perform the steps that follow from an event; `message` is the one whose handler raised."""
        for step in steps:  # by identity, without a call for each: a start takes three of them, and 7 us
            if step is ADMIT:
                self.services.quiet.is_back(self)
                self.take_messages()
            elif step is GO_ON:
                self.special = True
                self.idle = False
                self.ready(self)
            elif step is BEGIN:
                self._begin(None)
            elif step is RENEW:
                self._renew()
            elif step is KEEP:
                self.services.quiet.goes_down(self)
                self.special = True
                self.idle = False  # so that no sender gives it a turn: control messages do
                self.keep_messages()
            else:
                self._tell(step, message, got_past=got_past)

    def _tell(self, step: Step, message: Any, *, got_past: bool | None) -> None:
        if isinstance(step, TellStarted):
            self._tell_started(step.hearers)
        elif isinstance(step, TellFailed):
            report = lifecycle.ChildHandlerFailed(
                name=self.name, address=self, error=step.error, message=message, got_past=got_past
            )
            self._to(step.hearer, report)
        elif isinstance(step, TellStartFailed):
            self._tell_start_failed(step.hearers, step.error)
        elif isinstance(step, Refuse):
            self._refuse(step.order)
        elif isinstance(step, End):
            self._end(requested=step.requested, error=step.error)

    def _begin(self, handed_over: tuple[Any] | None) -> None:
        """Make a fresh instance and start it."""
        life = self._life
        life.is_up = False
        self.services.quiet.comes_up(self, in_market_time=self.in_market_time)
        try:
            instance = self.actor_class()
            self._equip(instance)
            self.instance = instance
            if handed_over is not None:
                instance.inherited = handed_over[0]
            instance.on_start()
            life.is_up = True
            if handed_over is not None:
                instance.inherited = None  # a state that `restore` cannot take is not handed on
                cast("KeepsState", instance).restore(handed_over[0])
        except BaseException as error:  # noqa: BLE001  reported to its starter
            self._release()
            if not self.dead:
                self._take(life.start_failed(error))
            return
        if not self.dead:  # killed from another thread meanwhile, its next turn releases it
            self._take(life.began(ready=not self.actor_class.ready_when_told))

    def _equip(self, instance: Any) -> None:
        """Set the attributes of a fresh instance that it may use from `on_start` on."""
        vars(instance).update(  # not by assignment: a class may forbid that
            _myRef=self,
            host=self,
            directory=self.services.names,
            name=self.name,
            settings=self._settings,
            clock=self.market if self.in_market_time else self.services.clock,
        )

    def _renew(self) -> None:
        """Begin the next life: release the instance, and hand its state to a fresh one."""
        handed_over = self._snapshot()
        self._release()
        self._end_children_of_this_life()
        self.life += 1
        self.awaited = 0
        self.unstash_all()
        self._begin(handed_over)

    def _end_children_of_this_life(self) -> None:
        for child in tuple(self.children):
            if isinstance(child, RuntimeCell) and child.ends_with_life:
                if self.services.names.get(child.name) is child:
                    del self.services.names[child.name]  # now: the one of the next life has it
                child.exit(self)

    def _snapshot(self) -> tuple[Any] | None:
        if not self.actor_class.keeps_state:
            return None
        if not self._life.is_up:  # the life before did not start: what it was given is handed on
            inherited = getattr(self.instance, "inherited", None)
            return None if inherited is None else (inherited,)
        try:
            return (cast("KeepsState", self.instance).snapshot(),)
        except BaseException as error:  # noqa: BLE001  it may be what broke: then the fresh instance starts empty
            self._log_failure("actor.snapshot_failed", error)
            return None

    def _release(self) -> BaseException | None:
        """Call the instance's `on_stop`; an exception is logged and returned."""
        if self._offloader is not None:
            self._offloader.close()
            self._offloader = None
        if not self._life.is_up:
            return None
        self._life.is_up = False
        try:
            self.instance.on_stop()
        except BaseException as error:  # noqa: BLE001  the actor is going anyway
            self._log_failure("actor.stop_failed", error)
            return error
        return None

    def _tell_started(self, hearers: tuple[ActorAddress, ...]) -> None:
        if self._proof is not None:  # from now on; before, it may only put messages by
            self._handlers = ProvingHandlers(self._table, self._proof, self._forget_proving)
            self._handlers_of_ours = self._handlers
        self.services.quiet.is_up(self)
        report = lifecycle.Started(name=self.name, address=self)
        for hearer in hearers:
            self._to(hearer, report)

    def _tell_start_failed(self, hearers: tuple[ActorAddress, ...], error: BaseException) -> None:
        self._log_failure("actor.start_failed", error)
        self.services.quiet.is_up(self)
        report = lifecycle.StartFailed(name=self.name, address=self, error=error)
        for hearer in hearers:
            self._to(hearer, report)

    def _refuse(self, order: lifecycle.Reject) -> None:
        self.refuse_messages(order)
        if order.for_good:
            self.services.quiet.is_back(self)  # a simulated market waits for it no longer, also if it never started
            self.services.quiet.is_up(self)
            for message, sender, trace in self._take_all():
                self.dead_letters.undelivered(self, message, sender, order.reason, trace)

    def _take_all(self) -> list[Envelope]:
        stash, self._stash = self._stash, None
        return [*(stash or ()), *super()._take_all()]

    # Its end.

    def _claim_end(self) -> bool:
        """Claim the right to end this life, from any thread; False: another thread was first."""
        with _ending:
            is_first, self._has_ended = not self._has_ended, True
        return is_first

    def _end(self, *, requested: bool, error: BaseException | None) -> None:
        """Stop the instance, send the reports, become dead."""
        if not self._claim_end():
            return
        statistics = None
        if self._life.is_up:
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
        if self.worker.current is self and not self.worker.is_here() and self._claim_end():
            self._stop_askers = (*self._stop_askers, asker)
            self.services.keep_in_hand(self)
            self._depart(lifecycle.Stopped(name=self.name, address=self, error=TimeoutError("killed in a handler")))

    def _end_of_killed(self) -> None:
        """Release the instance of a cell that was killed while a handler ran, which has returned now."""
        self.worker.leave_if_forked()
        self._release()
        self._drain(self)
        self.services.out_of_hand(self)

    def _depart(self, report: lifecycle.Stopped) -> None:
        self.services.quiet.is_back(self)
        self.services.quiet.is_up(self)
        self.special = True
        self.services.forget(self)
        for child in tuple(self.children):
            child.exit(self)
        self.bury("it has stopped")
        for hearer in dict.fromkeys((self._life.supervisor, *self._stop_askers)):
            if hearer is not None:
                self._to(hearer, report)
        self.tell_watchers(report)
        if self._life.supervisor is None and self.parent is not None:
            self.parent.deliver(ChildActorExited(self), self)

    def _log_failure(self, event: str, error: BaseException) -> None:
        if self.may_log():
            fields = {"error": type(error).__name__, "reason": reason_of(error)}
            extra = {"actor": self.name, "correlation_id": correlation_of(self.trace), "fields": fields}
            _log.error(event, exc_info=error, extra=extra)

    # Its children.

    def start_child(
        self, name: str, actor_class: type[HostedActor], settings: Any, *, supervised: bool
    ) -> ActorAddress:
        """Start an actor under this one."""
        return self.services.start_actor(name, actor_class, settings, parent=self, supervised=supervised)

    def control_child(self, child: ActorAddress, message: lifecycle.Control) -> None:
        """Send a control message to a child, ahead of its mailbox; without effect on a dead one."""
        cell = _child(child)
        if cell.parent is not self:
            raise TypeError(f"a child that was started here is wanted, found {child}")
        if isinstance(message, lifecycle.Kill):
            cell.kill(self)
        else:
            cell.control(message, self)

    def mailbox_of(self, child: ActorAddress) -> lifecycle.MailboxCounters:
        """Return the counters of a child's mailbox."""
        return _child(child).counters()

    def trouble_of(self, child: ActorAddress) -> str:
        """Return a child's trouble, in words; empty when it has none, or is down."""
        instance = child.instance if isinstance(child, RuntimeCell) else None
        return "" if instance is None else str(instance.trouble)


def _child(child: ActorAddress) -> RuntimeCell:
    if not isinstance(child, RuntimeCell):
        raise TypeError(f"a child that was started here is wanted, found {child}")
    return child
