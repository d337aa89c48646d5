"""The owner of the calls to one external service.

Owns    the HTTP session with the service, the limiter of its requests, its breaker, and the calls that are under way.
Hears   Ask, from those who want something of the service.
Sends   ExternalServiceResult to the sender, one for each Ask.
Fails   not by what a service does. Restarted, it counts all requests of before against the limits (hand-over); the
        calls that were under way are not answered, as with any actor, and what was sent for them may be carried out.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol
from urllib.parse import urlencode

import msgspec

from ...domain.breaker import Breaker
from ...domain.time import SECOND_NS
from ..runtime import RuntimeActor, handles
from .errors import NotSentError, RefusedAnswerError, UnknownOutcomeError
from .judging import judge
from .limiter import Allowance, Limiter
from .service import Call, Effect, Finish, Send, Service, Verdict
from .session import BODY_BYTES_MAX, HttpAnswer, HttpSession

if TYPE_CHECKING:
    from ..runtime import ActorAddress, Outcome, Timer

READS_AT_ONCE: Final = 8
"""Threads that wait for answers to reads; writes have as many of their own, so that no read holds one up."""

ORPHANED_S: Final = 120.0
"""No request is on its way for longer than this."""


def _nothing() -> Mapping[str, str]:
    return {}


class Session(Protocol):
    """What the actor needs of a session with the service: for many threads."""

    def request(
        self,
        method: str,
        url: str,
        *,
        timeout_s: float,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> HttpAnswer:
        """Send one request, once; see `HttpSession.request`, also for what it raises."""

    def close(self) -> None:
        """Close the connections that are kept."""


def _http_session(settings: ExternalSettings) -> HttpSession:
    return HttpSession(
        settings.hosts,
        threads=ExternalActor.offload_threads_max,
        body_bytes_max=settings.body_bytes_max,
        ca_file=settings.ca_file,
        proxy=settings.proxy,
    )


class ExternalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One service."""

    service: str
    """Its name, in logs."""

    hosts: frozenset[str]
    allowances: Mapping[str, Allowance]
    """By kind of request."""

    headers: Callable[[], Mapping[str, str]] = _nothing
    """What each request has besides; asked anew for each, since tokens change. It is never logged."""

    judge: Callable[[HttpAnswer, float], Verdict] = judge
    new_session: Callable[[ExternalSettings], Session] = _http_session
    fail_max: int = 5
    reset_timeout_s: float = 10.0
    body_bytes_max: int = BODY_BYTES_MAX
    ca_file: str | None = None
    proxy: str | None = None


class Ask(msgspec.Struct, frozen=True):
    """Make this call; answered by `ExternalServiceResult`."""

    call: Call


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
    endpoint: str


class ExternalActor(RuntimeActor):
    """Makes the calls to one service within its limits, and answers each."""

    system_time: ClassVar[bool] = True  # the service knows nothing of a simulated market
    offload_threads_max: ClassVar[int] = 2 * READS_AT_ONCE

    settings: ExternalSettings

    def on_start(self) -> None:
        """Prepare; nothing is opened before the first call."""
        settings = self.settings
        self._limiter = Limiter(settings.allowances)
        self._session = settings.new_session(settings)
        self._numbers = itertools.count(1)
        self._clients: dict[int, Client] = {}
        self._timer: Timer | None = None
        self._make_service()

    def on_stop(self) -> None:
        """Close the connections."""
        self._session.close()

    def snapshot(self) -> Limiter:
        """Hand over what was counted against the limits."""
        self._limiter.forget_waiting()
        return self._limiter

    def restore(self, state: Limiter) -> None:
        """Count on; what is on its way still counts until nothing of it can arrive any more."""
        self._limiter = state
        self._make_service()
        if orphans := state.under_way():
            self.after(ORPHANED_S, Orphaned(orphans))

    def is_drained(self) -> bool:
        """Whether every call has its answer."""
        return not self._clients

    @handles(Ask, from_outside=True)
    def ask_service(self, request: Ask, sender: ActorAddress) -> None:
        """Begin a call."""
        number = next(self._numbers)
        self._clients[number] = Client(sender, self.trace, self.correlation_id, request.call.endpoint.name)
        self._do(self._service.ask(number, request.call, self.clock.monotonic_ns()))

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

    # Helpers.

    def _make_service(self) -> None:
        breaker = Breaker(fail_max=self.settings.fail_max, reset_timeout_s=self.settings.reset_timeout_s)
        self._service = Service(self._limiter, breaker, self.random.random)

    def _do(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self._send(effect)
            else:
                self._answer(effect)
        self._set_timer()

    def _send(self, send: Send) -> None:
        lane = f"read {send.attempt % READS_AT_ONCE}" if send.call.endpoint.read else f"write {send.attempt}"
        self.offload(
            exchange,
            self._session,
            send,
            self.settings,
            self.clock.now_ns,
            then=functools.partial(self._ended, send.attempt),
            lane=lane,
        )

    def _ended(self, attempt: int, outcome: Outcome) -> None:
        verdict = outcome.value
        if outcome.error is not None:  # our own code, or that of who judges: what the service did is not known
            verdict = Verdict(
                outcome="failed", sent="unknown", error=f"{type(outcome.error).__name__}: {outcome.error}"
            )
        self._do(self._service.ended(attempt, verdict, self.clock.monotonic_ns()))

    def _answer(self, finish: Finish) -> None:
        result = finish.result
        for number in finish.numbers:
            client = self._clients.pop(number)
            self.trace = client.trace
            self.log(
                "external.called",
                level="info" if result.success else "warning",
                service=self.settings.service,
                endpoint=client.endpoint,
                success=result.success,
                sent=result.sent,
                status_code=result.status_code,
                attempts=result.attempts,
                response_time_s=result.response_time,
            )
            self.send(client.address, msgspec.structs.replace(result, correlation_id=client.correlation_id))

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now_ns = self.clock.monotonic_ns()
        due_ns = self._service.next_ns(now_ns)
        if due_ns is not None:
            self._timer = self.after(max(0, due_ns - now_ns) / SECOND_NS, Look())


def exchange(session: Session, send: Send, settings: ExternalSettings, now_ns: Callable[[], int]) -> Verdict:
    """Send one attempt and judge the answer; it blocks."""
    call = send.call
    url = f"{call.url}?{urlencode(call.query)}" if call.query else call.url
    try:
        answer = session.request(call.method, url, timeout_s=send.timeout_s, headers=settings.headers(), body=call.body)
    except NotSentError as error:
        return Verdict(outcome="failed", sent="no", error=str(error))
    except UnknownOutcomeError as error:
        return Verdict(outcome="failed", sent="unknown", error=str(error))
    except RefusedAnswerError as error:
        return Verdict(outcome="failed", sent="unknown", status_code=error.status_code, error=str(error))
    return settings.judge(answer, now_ns() / SECOND_NS)
