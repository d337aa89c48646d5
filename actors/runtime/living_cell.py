"""The life of a `RuntimeActor` in its cell: begun, renewed, suspended, refused, ended, and told to its supervisor.

`life` decides what follows from an event, as a pure state machine; this file performs its steps. The turns, in which
most events happen, are in `runtime_cell`.

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

from ...domain.shown import shortened, text_of
from ...messages.supervision import Unavailable
from . import lifecycle
from .cell_context import CellContext
from .errors import REASON_MAX, reason_of
from .life import (
    ADMIT,
    BEGIN,
    GO_ON,
    KEEP,
    RENEW,
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
    from thespian.actors import ActorAddress

    from .context import HostedActor, KeepsState
    from .endpoint import Envelope
    from .life import Step
    from .proof import Handlers

_log = logging.getLogger("natya")
_ending = threading.Lock()


class LivingCell(CellContext):
    """One life after the other of one `RuntimeActor`; what its cell is made with, `RuntimeCell` says."""

    __slots__ = (
        "_handlers", "_has_ended", "_life", "_proof", "_settings", "_stop_askers", "_table",
        "ends_with_life", "handlers_of_ours",
    )  # fmt: skip

    _handlers: Handlers
    """What a turn looks its handlers up in."""

    handlers_of_ours: Handlers
    """The same for messages of our own actors, which no door turns away."""

    _has_ended: bool
    _life: Life
    _proof: Proof | None
    """Watches whether the actor gets past the message it failed at last; None if it never failed at one."""

    _settings: Any
    _stop_askers: tuple[ActorAddress, ...]
    _table: Handlers
    ends_with_life: bool
    """Whether it is ended when its parent restarts: the parent's `on_start` creates it again."""

    # Its life.

    def _obey(self, message: Any, sender: ActorAddress) -> None:
        life = self._life
        match message:
            case lifecycle.Start():
                self.name, self._settings = message.name, message.settings
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
            if isinstance(child, LivingCell) and child.ends_with_life:
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
            self.handlers_of_ours = self._handlers
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

    # The handlers of a life.

    def _use(self, table: Handlers) -> None:
        self._table = table
        self._forget_proving()

    def _forget_proving(self) -> None:
        self._handlers = self._table
        self.handlers_of_ours = self.actor_class.handler_table

    def _got_past(self, message: Any) -> bool | None:
        """Return whether this life got past the message at which the last one failed; note the present one."""
        got_past = None if self._proof is None else self._proof.is_given
        self._proof = Proof(type(message))
        self._forget_proving()
        return got_past

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
        instance = _child(child).instance
        try:  # of a user's class it may be computed
            return "" if instance is None else shortened(text_of(instance.trouble), REASON_MAX)
        except Exception as fault:  # noqa: BLE001  no failure of who asks for it
            return f"its trouble could not be had: {reason_of(fault)}"


def _child(child: ActorAddress) -> LivingCell:
    if not isinstance(child, LivingCell):
        raise TypeError(f"a child that was started here is wanted, found {child}")
    return child
