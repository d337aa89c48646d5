"""The owner of the calls to one external service.

Owns    the HTTP session with the service, the limiter of its requests, its breaker, the calls that are under way, and,
        where one is wanted, the tally of requests that the next process is to count.
Hears   Ask, from those who want something of the service; CountBefore, from who knows what left before it began.
Sends   ExternalServiceResult to the sender, one for each Ask.
Fails   not by what a service does, or a disk that takes no tally: a warning. Restarted, it counts all requests of
        before against the limits (hand-over); the calls that were under way are not answered, as with any actor, and
        what was sent for them may be carried out.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

import msgspec

from ...domain.breaker import Breaker
from ...domain.time import SECOND_NS
from ...domain.timings import Timings
from ...messages.health import Budget, Called, ServiceStatistics
from ..runtime import RuntimeActor, handles
from .calls import Call, Endpoint, ExternalServiceResult, Verdict
from .kept import own
from .limiter import Limiter
from .sending import exchange
from .service import Effect, Finish, Send, Service
from .settings import READS_AT_ONCE, REQUESTS_AT_ONCE, WRITES_AT_ONCE, ExternalSettings
from .tally import ON_THE_WAY_S, Line, Tally, TallySettings, times_of

if TYPE_CHECKING:
    from pathlib import Path

    from ..runtime import ActorAddress, Outcome, Timer
    from .tally_file import TallyFiles

DEADLINE_S_MAX: Final = 86_400.0


class Ask(msgspec.Struct, frozen=True):
    """Make this call; answered by `ExternalServiceResult`."""

    call: Call


class CountBefore(msgspec.Struct, frozen=True):
    """Count requests that a process before this one has sent; no answer.

    It counts once for each kind, and only what left before the owner of the calls began, so that who restarts alone may
    say it again.
    """

    kind: str
    times_ns: tuple[int, ...]
    """Since 1970-01-01 UTC."""


class Look(msgspec.Struct, frozen=True):
    """To itself: a time that the service's state machine waits for has come."""


class Orphaned(msgspec.Struct, frozen=True):
    """To itself: requests of the life before, none of which can be on its way any more."""

    numbers: tuple[int, ...]


class Client(msgspec.Struct):
    """Who waits for an answer."""

    address: ActorAddress
    trace: Any
    correlation_id: str
    endpoint: Endpoint


Handover: TypeAlias = tuple[Limiter, tuple[int, int], set[str], tuple[Client, ...], Tally | None]
"""What was counted, since when (by both clocks), what was told of before, who waits for an answer, what is written of
it."""


class ExternalActor(RuntimeActor):
    """Makes the calls to one service within its limits, and answers each."""

    system_time: ClassVar[bool] = True  # the service knows nothing of a simulated market
    offload_threads_max: ClassVar[int] = REQUESTS_AT_ONCE + 1  # the tally's

    settings: ExternalSettings

    def on_start(self) -> None:
        """Prepare; nothing is opened before the first call."""
        settings = self.settings
        self._limiter = Limiter(settings.allowances)
        self._began_ns, self._began_monotonic_ns = self.clock.now_ns(), self.clock.monotonic_ns()
        self._counted: set[str] = set()
        self._session = settings.new_session(settings)
        self._numbers = itertools.count(1)
        self._clients: dict[int, Client] = {}
        self._timer: Timer | None = None
        self._called: Counter[tuple[str, str]] = Counter()
        self._answers = Timings()
        self._clock_skew_s: float | None = None
        self._make_service()
        self._tally: Tally | None = None
        if settings.tally is not None and settings.tally_folder is not None:
            self._read_tally(settings.tally, settings.tally_folder)

    def on_stop(self) -> None:
        """Close the connections, and write how many requests have left."""
        self._session.close()
        if self._tally is not None and (lines := self._tally.last(self._limiter.granted, self.clock.now_ns())):
            try:
                self._tally_files.append(lines)
            except OSError as fault:
                self._warn_of_tally(fault)

    def snapshot(self) -> Handover:
        """Hand over what was counted against the limits, and who waits for an answer."""
        self._limiter.forget_waiting()
        began = self._began_ns, self._began_monotonic_ns
        return self._limiter, began, self._counted, tuple(self._clients.values()), self._tally

    def restore(self, state: Handover) -> None:
        """Count on; what is on its way still counts until nothing of it can arrive any more."""
        self._limiter, began, self._counted, clients, self._tally = state
        self._began_ns, self._began_monotonic_ns = began
        if self._tally is not None:
            self._tally.begin_again()
        error = "the owner of the calls failed; what was sent may be carried out"
        for client in clients:
            self._tell(client, ExternalServiceResult(success=False, sent="unknown", error=error))
        self._make_service()
        if orphans := self._limiter.under_way():
            self.after(ON_THE_WAY_S, Orphaned(orphans))

    def statistics(self) -> ServiceStatistics:
        """Return what was called, what came of it, and what may still be asked."""
        now_ns = self.clock.monotonic_ns()
        return ServiceStatistics(
            service=self.settings.service,
            waiting=len(self._clients),
            called=tuple(
                Called(endpoint=endpoint, outcome=outcome, calls=calls)
                for (endpoint, outcome), calls in sorted(self._called.items())
            ),
            budgets=tuple(
                Budget(
                    kind=kind,
                    window=str(quota),
                    remaining=remaining,
                    allowed=quota.requests,
                    period_s=(quota.period_ns or 0) / SECOND_NS,
                )
                for kind in sorted(self.settings.allowances)
                for quota, remaining in self._limiter.remaining(kind, now_ns).items()
            ),
            answer=self._answers.timing(),
            rate_wait=self._service.waits.timing(),
            clock_skew_s=self._clock_skew_s,
        )

    def is_drained(self) -> bool:
        """Whether every call has its answer."""
        return not self._clients

    @handles(Ask, from_outside=True)
    def ask_service(self, request: Ask, sender: ActorAddress) -> None:
        """Begin a call; one that cannot be made is refused before anything is known of it."""
        if fault := self._fault_of(request.call):
            self.send(sender, ExternalServiceResult(success=False, error=fault, correlation_id=self.correlation_id))
            return
        number = next(self._numbers)
        self._clients[number] = Client(sender, self.trace, self.correlation_id, request.call.endpoint)
        self._do(self._service.ask(number, request.call, self.clock.monotonic_ns()))

    @handles(CountBefore, from_outside=True)
    def count_before(self, before: CountBefore, _sender: ActorAddress) -> None:
        """Count them as if their answers had come a moment before this life of the service's owner began."""
        if before.kind in self._counted or before.kind not in self.settings.allowances:
            return
        self._counted.add(before.kind)
        self._count(before.kind, before.times_ns)

    @handles(Look)
    def look(self, _: Look, __: ActorAddress) -> None:
        """Do what is due."""
        self._timer = None
        self._do(self._service.look(self.clock.monotonic_ns()))

    @handles(Orphaned)
    def end_orphaned(self, orphaned: Orphaned, _: ActorAddress) -> None:
        """Let the periods of those begin to end."""
        for number in orphaned.numbers:
            self._limiter.end(number, self.clock.monotonic_ns())
        self._do(self._service.look(self.clock.monotonic_ns()))

    # Helpers.

    def _make_service(self) -> None:
        breaker = Breaker(fail_max=self.settings.fail_max, reset_timeout_s=self.settings.reset_timeout_s)
        self._service = Service(self._limiter, breaker, self.random.random)

    def _count(self, kind: str, times_ns: tuple[int, ...]) -> None:
        # By the clocks as they stood when it began: one that was set since would put them into a time to come.
        ago_ns = self._began_ns - self._began_monotonic_ns
        times = [time_ns - ago_ns for time_ns in times_ns if time_ns < self._began_ns]
        self._limiter.restore(kind, times)
        self.log("external.counted", service=self.settings.service, kind=kind, requests=len(times))

    def _read_tally(self, wanted: TallySettings, folder: Path) -> None:
        """Count what processes before this one have written, and begin to write."""
        from .tally_file import TallyFiles  # noqa: PLC0415  loaded where a tally is wanted

        self._tally_files: TallyFiles = TallyFiles(folder)
        kinds = tuple(kind for kind in wanted.kinds if kind in self.settings.allowances)
        self._tally = Tally(self._began_ns, wanted.whose, kinds)
        try:
            lines = self._tally_files.read(self._began_ns)
            self._tally_files.remove_old(self._began_ns)
        except OSError as fault:
            self._warn_of_tally(fault)
            return
        for kind in kinds:
            if times_ns := times_of(lines, kind, whose=wanted.whose, began_ns=self._began_ns):
                self._count(kind, times_ns)

    def _write_tally(self) -> None:
        if self._tally is not None and (lines := self._tally.due(self._limiter.granted, self.clock.now_ns())):
            then = functools.partial(self._tally_written, lines)
            self.offload(self._tally_files.append, lines, then=then, lane="tally")

    def _tally_written(self, lines: tuple[Line, ...], outcome: Outcome) -> None:
        assert self._tally is not None, "what was written is of a tally"
        self._tally.written(lines, is_durable=outcome.error is None)
        if outcome.error is not None:
            self._warn_of_tally(outcome.error)

    def _warn_of_tally(self, fault: BaseException) -> None:
        self.log_bounded("external.not_tallied", level="warning", service=self.settings.service, reason=str(fault))

    def _do(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self._send(effect)
            else:
                self._answer(effect)
        self._write_tally()
        self._set_timer()

    def _send(self, send: Send) -> None:
        if send.call.urgent:
            lane = f"urgent {send.attempt}"
        elif send.call.endpoint.read:
            lane = f"read {send.attempt % READS_AT_ONCE}"
        else:
            lane = f"write {send.attempt % WRITES_AT_ONCE}"
        self.offload(
            exchange,
            self._session,
            send,
            self.settings,
            self.clock,
            then=functools.partial(self._ended, send.attempt),
            lane=lane,
        )

    def _ended(self, attempt: int, outcome: Outcome) -> None:
        verdict = outcome.value
        if outcome.error is not None:  # our own code, or that of who judges: what the service did is not known
            verdict = Verdict(outcome="failed", sent="unknown", error=type(outcome.error).__name__)
        if verdict.clock_skew_s is not None:
            self._clock_skew_s = verdict.clock_skew_s
        self._do(self._service.ended(attempt, verdict, self.clock.monotonic_ns()))

    def _answer(self, finish: Finish) -> None:
        result = finish.result
        if result.status_code is not None:
            self._answers.add(round(result.response_time * SECOND_NS))
        for place, number in enumerate(finish.numbers):
            client = self._clients.pop(number)
            unanswered = "unsent" if result.sent == "no" else "unknown"
            outcome = unanswered if result.status_code is None else str(result.status_code)
            self._called[client.endpoint.name, outcome] += 1
            self.trace = client.trace
            self.log(
                "external.called",
                level="warning" if not result.success else "debug" if client.endpoint.read else "info",
                service=self.settings.service,
                endpoint=client.endpoint.name,
                success=result.success,
                sent=result.sent,
                status_code=result.status_code,
                attempts=result.attempts,
                response_time_s=result.response_time,
            )
            self._tell(client, result if place == 0 else own(result))

    def _tell(self, client: Client, result: ExternalServiceResult) -> None:
        self.send(client.address, msgspec.structs.replace(result, correlation_id=client.correlation_id))

    def _fault_of(self, call: Call) -> str:
        """Say why a call cannot be made; empty if it can."""
        if not (isinstance(call, Call) and isinstance(call.endpoint, Endpoint)):
            return "a Call of an Endpoint wanted, found something else"
        if call.endpoint.kind not in self.settings.allowances:
            return f"one of the kinds {', '.join(self.settings.allowances)} wanted, found {call.endpoint.kind!a}"
        if not (isinstance(call.deadline_s, int | float) and 0 < call.deadline_s <= DEADLINE_S_MAX):
            return f"a deadline above 0 and up to {DEADLINE_S_MAX:g} s wanted, found {call.deadline_s!a}"
        texts = [call.method, call.url, *itertools.chain.from_iterable(call.query)]
        if not (isinstance(call.query, tuple) and all(type(text) is str for text in texts)):
            return "texts wanted for method, URL, and the names and values of the query"
        return ""

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now_ns = self.clock.monotonic_ns()
        due_ns = self._service.next_ns(now_ns)
        if due_ns is not None:
            self._timer = self.after(max(0, due_ns - now_ns) / SECOND_NS, Look())
