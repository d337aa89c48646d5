"""The control actor: takes requests of other processes of the same user.

Owns    the control socket in the data directory, and the connections to it, all bounded by ControlSettings.
Hears   requests through the socket, those of `operations.OPERATIONS` only; the same from its application over HTTP,
        as Operate; ReadHealth, ReadMetrics, ReadLog, ReadProfitCurve, ShowHttp;
        ShowView of alarms.
Sends   DescribeTree and Ping to all others, every few seconds and when asked how they are; Health, MetricsRead,
        LogRead, ProfitCurve; each request to the actor that it names, and the actor's answer back to the client;
        AskRefused for a request that is not admitted or not answered in time; Abandon to the actor when the client has
        disconnected before its answer; Append to the journal, of each operation that is audited: who asked for what,
        and what came of it.
Fails   when the socket cannot be opened or served; restarted, it opens the socket anew. Open connections are lost, with
        their pending requests; clients see their connection close.
"""

from __future__ import annotations

import functools
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from ...messages.addresses import CONTROL_WEB
from ...messages.codec import encode
from ...messages.control import AskRefused, HttpShown, ShowHttp
from ...messages.database import Abandon
from ...messages.health import MetricsRead, ReadHealth, ReadMetrics
from ...messages.log import LogRead, ReadLog
from ...messages.profit import ReadProfitCurve
from ...messages.supervision import Failed, Unavailable
from ..observability import Counters, ProfitSamples, ShowView, commit, health_of, newest_lines, profit_in, take
from ..runtime import RuntimeActor, handles, reason_of, trace_of
from ..web import Mount, Mounted
from .auditing import Audit
from .errors import AskRefusedError, TokenFileError
from .http.asking import Operate
from .http.guard import Guard
from .http.token_file import TOKEN_NAME, token_of
from .looking import Handover, Looker
from .operations import BY_NAME, admit, expect_within
from .pinging import Pinger
from .request import Request
from .server import ControlServer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...messages.control import ControlStatistics
    from ..observability import View
    from ..runtime import ActorAddress, Outcome
    from .http.application import ControlApplication
    from .operations import Operation
    from .settings import ControlActorSettings


MOUNT_S: Final = 10.0
MOUNT_AGAIN_S: Final = 10.0
"""Seconds until an HTTP server that is down is asked again: the process that has its port may have ended."""


LOOK_EVERY_S: Final = 5.0
"""What an actor has counted since the last look is lost to metrics when it is restarted."""


class Arrived(msgspec.Struct, frozen=True):
    """To itself, from the thread that serves the socket: a request."""

    request: Request


class Gone(msgspec.Struct, frozen=True):
    """To itself, from the same thread: the client of this request has disconnected."""

    asker: str


class MountDue(msgspec.Struct, frozen=True):
    """To itself: have the HTTP server take the application."""


class LookDue(msgspec.Struct, frozen=True):
    """To itself: look at all the others."""


class ControlActor(RuntimeActor):
    """Passes requests on and answers back; decides only which requests are admitted."""

    blocking = True  # encoding a large answer would hold the shared loop for too long
    background = True  # the job that serves the socket never ends: a simulated market would wait for it for ever
    system_time = True  # clients wait in real time

    settings: ControlActorSettings

    def on_start(self) -> None:
        """Open the socket and serve it."""
        arrive = self.entrance()
        self._guard: Guard | None
        self._application: ControlApplication | None = None
        self._operate_numbers = itertools.count(1)
        self._audit = Audit(self)
        self._asked: dict[str, str] = {}
        """The actor of each pending request that can be abandoned, by `asker`."""

        self._server = ControlServer(
            self.settings.data_dir,
            self.settings.limits,
            on_ask=lambda request: arrive(Arrived(request)),
            on_gone=lambda asker: arrive(Gone(asker)),
            monotonic_ns=self.clock.monotonic_ns,
        )
        self._counters, self._profits = Counters(), ProfitSamples()
        self._commit = commit()
        folders = (self.settings.data_dir, self.settings.journal_dir)
        self._pinger = Pinger(self.settings.pings, monotonic_ns=self.clock.monotonic_ns)
        self._looker = Looker(self, tuple(filter(None, folders)), self._turned_away, self._pinger.found)
        self._http_url, self._http_fault, self._guard = "", "control.http is false", None
        if self.settings.limits.http:
            self._serve_http()
        self.offload(self._server.serve, then=self._served)
        self.after_on_machine(LOOK_EVERY_S, LookDue())
        self.log("control.opened", data_dir=str(self.settings.data_dir))

    def snapshot(self) -> tuple[Counters, ProfitSamples, Handover]:
        """Hand over what has been counted of all actors, and how the profit went."""
        return self._counters, self._profits, self._looker.handover()

    def restore(self, state: tuple[Counters, ProfitSamples, Handover]) -> None:
        """Go on counting."""
        self._counters, self._profits, counted = state
        self._looker.take_over(counted)

    def on_stop(self) -> None:
        """Close the socket, and end what is streamed."""
        self._server.close()
        if self._application is not None:
            self._application.close()

    def is_drained(self) -> bool:
        """Stop serving the socket, which would not end by itself; waiting clients see their connection close."""
        self._server.close()
        if self._application is not None:
            self._application.close()
        for asker, actor in self._asked.items():
            self.send(actor, Abandon(asker=asker))
        return True

    def statistics(self) -> ControlStatistics:
        """Return the counts of the server."""
        turned_away = 0 if self._guard is None else self._guard.turned_away
        return msgspec.structs.replace(self._server.statistics(), http_turned_away=turned_away)

    @handles(Arrived)
    def pass_on(self, arrived: Arrived, _sender: ActorAddress) -> None:
        """Pass the request to its actor, if it is admitted."""
        request = arrived.request
        try:
            operation, message = admit(request.ask, self.settings.limits)
            self._expect_here(operation)
        except AskRefusedError as refusal:
            request.refuse(refusal.kind, refusal.reason)
            return
        self.join_trace(request.ask.correlation_id)
        if "asker" in message.__struct_fields__:
            message = msgspec.structs.replace(message, asker=request.asker)
            self._asked[request.asker] = request.ask.actor
        if operation.audited:
            peer = request.peer
            who = f"user {peer.uid}, process {peer.pid}"
            self._audit.asked(
                operation, message, request.ask.actor, request.asker, who, user_id=peer.uid, process_id=peer.pid
            )
        then = functools.partial(self._pass_back, request, operation)
        self.ask(request.ask.actor, message, timeout_s=request.ask.timeout_s, then=then)

    def _expect_here(self, operation: Operation) -> None:
        """Check that the requested actor runs on this machine.

        Raises:
            AskRefusedError: another has it.
        """
        here = self.settings.looks_at
        if here is None or (operation.role == "read" and (operation.of_any_actor or operation.actor in here)):
            return
        raise AskRefusedError(
            "forbidden", f"{operation.name} is to be asked of the broker node: this one runs strategies"
        )

    @handles(Gone)
    def abandon(self, gone: Gone, _sender: ActorAddress) -> None:
        """Tell the actor that its answer is not needed any more."""
        if gone.asker in self._asked:
            self.send(self._asked[gone.asker], Abandon(asker=gone.asker))

    # Over HTTP.

    @handles(Operate, from_outside=True)
    def operate(self, wanted: Operate, sender: ActorAddress) -> None:
        """Carry out what came over HTTP, or from who holds the system, as what came through the socket."""
        operation, message = BY_NAME[wanted.operation], wanted.message
        try:
            expect_within(operation, message, actor=wanted.actor, limits=self.settings.limits)
            self._expect_here(operation)
        except AskRefusedError as refusal:
            self.send(sender, AskRefused(request_id=0, kind=refusal.kind, reason=refusal.reason))
            return
        if wanted.traceparent:
            self.join_trace(wanted.traceparent)
        request = f"operate-{self._server.life}-{next(self._operate_numbers)}"
        if operation.audited:
            self._audit.asked(operation, message, wanted.actor, request, wanted.client, client=wanted.client)
        can_be_abandoned = "asker" in message.__struct_fields__
        if can_be_abandoned:
            message = msgspec.structs.replace(message, asker=request)

        def tell(outcome: Outcome) -> None:
            self._audit.answered(operation, request, outcome)
            if outcome.error is None:
                self.send(sender, outcome.value)
                return
            if can_be_abandoned:
                self.send(wanted.actor, Abandon(asker=request))
            self.send(sender, AskRefused(request_id=0, kind="timed_out", reason=f"{wanted.actor}: {outcome.error}"))

        self.ask(wanted.actor, message, timeout_s=wanted.timeout_s, then=tell)

    @handles(ShowHttp)
    def show_http(self, _: ShowHttp, sender: ActorAddress) -> None:
        """Tell where it is served over HTTP, or why it is not."""
        token_file = str(self.settings.data_dir / TOKEN_NAME)
        self.send(sender, HttpShown(url=self._http_url, token_file=token_file, reason=self._http_fault))

    def _serve_http(self) -> None:
        """Give the HTTP server an application; without one, or without a token, the socket serves alone."""
        from .http.application import ControlApplication  # noqa: PLC0415  only who serves HTTP loads it

        self._http_fault = "it is not served yet"
        try:
            self._guard = Guard(token_of(self.settings.data_dir))
        except TokenFileError as fault:
            self._fail_http(str(fault))
            return
        application = self._application = ControlApplication(
            self._guard,
            self.settings,
            ask=self.requester(),
            monotonic_ns=self.clock.monotonic_ns,
            now_ns=self.clock.now_ns,
        )
        self._mount(application)

    @handles(MountDue)
    def mount_again(self, _: MountDue, __: ActorAddress) -> None:
        """Ask the HTTP server once more."""
        if self._application is not None:
            self._mount(self._application)

    def _mount(self, application: ControlApplication) -> None:
        mount = Mount(path="", application=application, owner=self.name)
        self.ask(CONTROL_WEB, mount, timeout_s=MOUNT_S, then=functools.partial(self._be_served, application))

    def _be_served(self, application: ControlApplication, outcome: Outcome) -> None:
        mounted = outcome.value
        if isinstance(mounted, Mounted):
            self._http_url, self._http_fault, self.trouble = mounted.url, "", ""
            application.served_at(mounted.url)
            self.log("control.http_served", url=mounted.url)
            return
        why = outcome.error or (mounted.reason if isinstance(mounted, Failed | Unavailable) else mounted)
        self._fail_http(f"the HTTP server, {CONTROL_WEB}, did not take it: {why}")
        self.after_on_machine(MOUNT_AGAIN_S, MountDue())

    def _fail_http(self, reason: str) -> None:
        if reason != self._http_fault:
            self.log("control.http_not_served", level="error", reason=reason)
        self._http_fault = self.trouble = reason

    # How all are.

    @handles(ReadHealth)
    def read_health(self, request: ReadHealth, sender: ActorAddress) -> None:
        """Ask all others how they are, and answer."""
        self._ping_services()
        self._looker.look(self._telling(request, sender, lambda view: health_of(view, now_ns=self.clock.now_ns())))

    @handles(ReadMetrics)
    def read_metrics(self, request: ReadMetrics, sender: ActorAddress) -> None:
        """Ask all others what they count, and answer."""
        from ..observability import prometheus_text  # noqa: PLC0415  80 ms that only who reads metrics has to pay

        def written(view: View) -> MetricsRead:
            return MetricsRead(text=prometheus_text(view, self._counters, commit=self._commit))

        self._looker.look(self._telling(request, sender, written), with_hops=True)

    @handles(ReadLog)
    def read_log(self, request: ReadLog, sender: ActorAddress) -> None:
        """Read the end of the log's file, and answer."""
        path = self.settings.log_path
        if path in {"", "-"}:
            self.send(sender, LogRead(lines=(), reason="a file wanted (log.path), found none: it goes elsewhere"))
            return

        def tell(outcome: Outcome) -> None:
            self.send(sender, outcome.value if outcome.error is None else LogRead(lines=(), reason=str(outcome.error)))

        read = functools.partial(newest_lines, Path(path), level=request.level, lines_max=request.lines_max)
        self.offload(read, then=tell, lane="log")

    @handles(ReadProfitCurve)
    def read_profit_curve(self, _: ReadProfitCurve, sender: ActorAddress) -> None:
        """Answer with what was looked at so far."""
        self.send(sender, self._profits.curve())

    @handles(ShowView, from_outside=True)
    def show_view(self, request: ShowView, sender: ActorAddress) -> None:
        """Ask all others how they are, for an actor of this process."""
        self._looker.look(self._telling(request, sender, lambda view: view))

    @handles(LookDue)
    def look(self, _: LookDue, __: ActorAddress) -> None:
        """Keep what actors have counted, which a restart of one would lose."""
        self._ping_services()
        self._looker.look(self._count)
        self.after_on_machine(LOOK_EVERY_S, LookDue())

    def _ping_services(self) -> None:
        """Have a thread ping what is in the container, unless one is at it still."""
        if not self._pinger.begin():
            return

        def over(outcome: Outcome) -> None:
            self._pinger.end()
            if isinstance(outcome.error, Exception):
                self._failed_looking("Ping", outcome.error)

        self.offload(self._pinger.ping, then=over, lane="services", left_at_stop=True)

    def _telling(
        self, request: msgspec.Struct, sender: ActorAddress, make: Callable[[View], msgspec.Struct]
    ) -> Callable[[View], None]:
        """Return the function that answers with what is made of a view.

        A fault in that is told, and fails this answer alone: what only looks at the system must not end it.
        """

        def tell(view: View) -> None:
            try:
                answer = make(view)
            except Exception as fault:  # noqa: BLE001  whichever it is
                answer = self._failed_looking(type(request).__name__, fault)
            self.send(sender, answer)

        return tell

    def _turned_away(self) -> dict[str, int]:
        return {
            "socket": self._server.statistics().refused,
            "http": 0 if self._guard is None else self._guard.turned_away,
        }

    def _count(self, view: View) -> None:
        try:
            take(view, self._counters)
            self._profits.add(self.clock.now_ns(), profit_in(view))
        except Exception as fault:  # noqa: BLE001  whichever it is
            self._failed_looking("LookDue", fault)

    def _failed_looking(self, request: str, fault: Exception) -> Failed:
        error, reason = type(fault).__name__, reason_of(fault)
        self.log_bounded("look.failed", level="error", request=request, error=error, reason=reason, at=trace_of(fault))
        return Failed(actor=self.name, message_type=request, error=error, reason=reason)

    # Helpers.

    def _pass_back(self, request: Request, operation: Operation, outcome: Outcome) -> None:
        self._audit.answered(operation, request.asker, outcome)
        actor = self._asked.pop(request.asker, None)
        if outcome.error is not None:
            if actor is not None:
                self.send(actor, Abandon(asker=request.asker))
            request.refuse("timed_out", f"{request.ask.actor}: {outcome.error}")
            return
        try:
            answer = encode(outcome.value)
        except (TypeError, ValueError, OverflowError) as fault:
            request.refuse("malformed", f"the answer of {request.ask.actor} has no wire form: {fault}")
        else:
            request.answer(answer)

    def _served(self, outcome: Outcome) -> None:
        outcome.unwrap()
