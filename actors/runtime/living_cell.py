"""The life of one of our actors in its cell: start, restart in place, down for a while, orderly stop, end.

What happens in a turn, and what follows when something raises there, is in `runtime_cell`.
"""

from __future__ import annotations

import enum
import logging
from typing import TYPE_CHECKING, Any, cast

from thespian.actors import ChildActorExited

from ...messages.supervision import Unavailable
from . import lifecycle
from .cell_context import CellContext
from .door import is_ours
from .errors import reason_of
from .trace import correlation_of

if TYPE_CHECKING:
    from thespian.actors import ActorAddress

    from .cell import Cell
    from .context import HostedActor, KeepsState
    from .endpoint import Envelope
    from .thespian.services import ThespianServices
    from .worker import Worker

_log = logging.getLogger("natya")


class State(enum.Enum):
    """Where in its life a cell is. Only a RUNNING one handles messages, and a STOPPING one what it still has to."""

    NEW = enum.auto()
    RUNNING = enum.auto()
    SUSPENDED = enum.auto()
    REJECTING = enum.auto()
    STOPPING = enum.auto()
    DEAD = enum.auto()


class LivingCell(CellContext):
    """Makes the instance anew at every restart, and lets messages through to it as its state allows."""

    __slots__ = ("_afresh", "_ended", "_settings", "_started", "_starter", "_state", "_stop_askers", "_supervisor",
                 "_to_handle", "ends_with_life")  # fmt: skip

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
        self.awaited = 0
        """Outcomes of this life that have not been handled yet."""

        self.watchers = ()
        self.ends_with_life = False
        """It belongs to one life of its parent: the next starts it anew."""

        self._offloader = None
        self._stash = None
        self._settings: Any = None
        self._starter: ActorAddress | None = None
        self._supervisor: ActorAddress | None = None
        self._stop_askers: list[ActorAddress] = []
        self._state = State.NEW
        self._started = False
        self._to_handle = 0
        """Of what was queued when it was asked to stop: messages that are still to be handled."""

        self._afresh = True
        """Asked to stop, it may restart for what is still queued."""

        self._ended = [None]
        """A token: whoever pops it is the one that ends this life (the cell itself, or a supervisor that kills it)."""

    def be_a(self, actor_class: type[HostedActor]) -> None:
        """Be taken by others for an actor of this class."""
        self.background = actor_class.background
        self.says = actor_class.says if actor_class.says is not None or self.parent is None else self.parent.says
        self.guest = self.says is not None or not is_ours(actor_class)

    # What it is told.

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
                self._stop_askers.append(sender)
                self._stop(afresh=message.afresh)
            case lifecycle.Kill():
                self._stop_askers.append(sender)
                self._end(requested=True, error=None)
            case _:
                self._to(sender, Unavailable(actor=self.name, reason=f"{self._state.name}", retry_after_s=0.0))

    # Life.

    def _begin(self, handed_over: tuple[Any] | None) -> None:
        """Make a fresh instance and start it."""
        self._started = False
        self.services.quiet.comes_up(self, in_market_time=self.in_market_time)
        try:
            instance = self.actor_class()
            self._equip(instance)
            self.instance = instance
            if handed_over is not None:
                instance.inherited = handed_over[0]
            instance.on_start()
            self._started = True
            if handed_over is not None:
                instance.inherited = None  # a state that `restore` cannot take is not handed on
                cast("KeepsState", instance).restore(handed_over[0])
        except BaseException as error:  # noqa: BLE001  reported to whoever started it
            self._release()
            self._start_failed(error)
            return
        if self._state is not State.STOPPING:
            self._run()
        if not self.actor_class.ready_when_told:
            self.tell_started()

    def _equip(self, instance: Any) -> None:
        """Give a fresh instance what it may use from `on_start` on."""
        vars(instance).update(  # not by assignment: a class may let nobody assign them
            _myRef=self,
            host=self,
            directory=self.services.names,
            name=self.name,
            settings=self._settings,
            clock=self.market if self.in_market_time else self.services.clock,
        )

    def tell_started(self) -> None:
        """Report `Started` to whoever waits for it."""
        self.services.quiet.is_up(self)
        report = lifecycle.Started(name=self.name, address=self)
        starter, self._starter = self._starter, None
        if starter is not None:
            self._to(starter, report)
        if self._supervisor is not None and self._supervisor is not starter:
            self._to(self._supervisor, report)

    def _start_failed(self, error: BaseException) -> None:
        self._log_failure("actor.start_failed", error)
        self.services.quiet.is_up(self)
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
        if not self._started:  # the life before did not start: what it was given is handed on
            inherited = getattr(self.instance, "inherited", None)
            return None if inherited is None else (inherited,)
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
        self.services.quiet.is_back(self)
        self.take_messages()
        self.special = True
        self.idle = False
        self.ready(self)

    def _suspend(self) -> None:
        self._state = State.SUSPENDED
        self.services.quiet.goes_down(self)
        self.special = True
        self.idle = False  # so that no sender gives it a turn: control messages do
        self.keep_messages()

    def _reject(self, order: lifecycle.Reject) -> None:
        self._suspend()
        self._state = State.REJECTING
        self.refuse_messages(order)
        if order.for_good:
            self.services.quiet.is_back(self)  # no market waits for it any more, also if it never came up
            self.services.quiet.is_up(self)
            for message, sender, trace in self._take_all():
                self.dead_letters.undelivered(self, message, sender, order.reason, trace)

    def _take_all(self) -> list[Envelope]:
        stash, self._stash = self._stash, None
        return [*(stash or ()), *super()._take_all()]

    # Ending.

    def _stop(self, *, afresh: bool) -> None:
        self._afresh = afresh
        self.unstash_all()
        down, waiting = self._state is State.SUSPENDED, len(self.box)
        if self._state in {State.RUNNING, State.STOPPING} or (down and self._started and afresh and waiting):
            self._state = State.STOPPING
            self.services.quiet.is_back(self)
            self._to_handle = waiting
            if down:
                self.take_messages()
                self._restart()
        else:
            self._end(requested=True, error=None)

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
            self._stop_askers.append(asker)
            self._depart(lifecycle.Stopped(name=self.name, address=self, error=TimeoutError("killed in a handler")))

    def _end_of_killed(self) -> None:
        """Killed in a handler that did return: release what it took."""
        self._release()
        self._drain(self)

    def _depart(self, report: lifecycle.Stopped) -> None:
        self._state = State.DEAD
        self.services.quiet.is_back(self)
        self.services.quiet.is_up(self)
        self.special = True
        self.services.forget(self)
        for child in tuple(self.children):
            child.exit(self)
        self.bury("it has stopped")
        for hearer in dict.fromkeys((self._supervisor, *self._stop_askers)):
            if hearer is not None:
                self._to(hearer, report)
        self.tell_watchers(report)
        if self._supervisor is None and self.parent is not None:
            self.parent.deliver(ChildActorExited(self), self)

    def _log_failure(self, event: str, error: BaseException) -> None:
        if self.may_log():
            fields = {"error": type(error).__name__, "reason": reason_of(error)}
            extra = {"actor": self.name, "correlation_id": correlation_of(self.trace), "fields": fields}
            _log.error(event, exc_info=error, extra=extra)
