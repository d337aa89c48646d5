"""What is done about calls to one service: pure, with time and randomness passed in; `actor.py` carries it out.

The problem: a call may have to wait for the service's limits, may be answered by an answer that is here already or on
its way, may fail in ways after which trying again helps, harms, or is forbidden. The idea: one state machine that is
told of calls, outcomes and time, and returns what to send and what to answer. The trap: a request that *does* something
is never sent twice here, whatever came of it, not even if it is certain that it never left: the client decides, since
it alone knows what else has happened meanwhile.

    reads   repeated with exponential back-off and full jitter while their time lasts; kept, shared, hedged where their
            endpoint says so; refused while the breaker is open
    writes  sent once or not at all; the breaker hears how they ended and never stands in their way
"""

from __future__ import annotations

import math
from collections import deque
from statistics import quantiles
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from ...domain.time import SECOND_NS
from ...domain.timings import Timings
from .calls import WAIT_S_MAX, Call, ExternalServiceResult, Verdict
from .kept import KeptAnswers
from .limiter import Granted, Limiter, Refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...domain.breaker import Breaker

TIMES_KEPT: Final = 100
TIMES_MIN: Final = 20
"""So many answers must have been timed before a read is hedged."""

THROTTLED_S: Final = 1.0
THROTTLED_MAX_S: Final = 60.0


class Send(msgspec.Struct, frozen=True):
    """Send it, and tell what came of the attempt."""

    attempt: int
    call: Call
    deadline_ns: int
    """After this it may not be begun; a read has to be at its end by then."""


class Finish(msgspec.Struct, frozen=True):
    """Answer those who asked."""

    numbers: tuple[int, ...]
    result: ExternalServiceResult
    """Without the correlation id, which each of them has of its own."""


Effect: TypeAlias = Send | Finish


class Flight(msgspec.Struct, kw_only=True):
    """A call that is not answered yet."""

    number: int
    """Of the first who asked."""

    call: Call
    numbers: dict[int, int]
    """Who asked and has no answer yet, and by when each has to have it."""

    started_ns: int
    deadline_ns: int
    """Of the last who asked."""

    attempts: int = 0
    open: set[int] = msgspec.field(default_factory=set)
    """Attempts that are in the limiter or on their way."""

    probe: bool = False
    retry_ns: int | None = None
    hedge_ns: int | None = None
    last: Verdict | None = None


class Service:
    """The calls to one service.

    Args:
        limiter: of its requests.
        breaker: of its failures.
        jitter: returns a random number from 0 to below 1.
        backoff_s: the longest pause before the second attempt of a read; it doubles.
        backoff_max_s: no pause is longer.
    """

    def __init__(
        self,
        limiter: Limiter,
        breaker: Breaker,
        jitter: Callable[[], float],
        *,
        backoff_s: float = 0.1,
        backoff_max_s: float = 5.0,
    ) -> None:
        self._limiter: Final = limiter
        self._breaker: Final = breaker
        self._jitter: Final = jitter
        self._backoff_s: Final = backoff_s
        self._backoff_max_s: Final = backoff_max_s
        self._flights: Final[dict[int, Flight]] = {}
        """By the number of the first who asked."""

        self._of_attempt: Final[dict[int, Flight]] = {}
        self._entered_ns: Final[dict[int, int]] = {}
        """When those attempts that wait for the limits began to."""

        self.waits: Final = Timings()
        """How long attempts waited for the limits before they left."""

        self._shared: Final[dict[Any, Flight]] = {}
        self.kept: Final = KeptAnswers()
        self._times: Final[dict[str, deque[float]]] = {}
        self._throttled: Final[dict[str, int]] = {}
        self._failure: str | None = None
        """What was said of the newest failure."""

    def ask(self, number: int, call: Call, now_ns: int) -> list[Effect]:
        """Begin a call, whose number is not that of another that is under way."""
        endpoint, identity = call.endpoint, _identity(call)
        deadline_ns = now_ns + round(call.deadline_s * SECOND_NS)
        if endpoint.read:
            if kept := self.kept.find(identity, now_ns):
                result = msgspec.structs.replace(kept, response_time=0.0, attempts=0, clock_skew_s=None)
                return [Finish((number,), result)]
            shared = self._shared.get(identity)
            if shared is not None and shared.deadline_ns > now_ns and _is_no_harder(call, shared.call):
                shared.numbers[number] = deadline_ns
                shared.deadline_ns = max(shared.deadline_ns, deadline_ns)
                return []
        flight = Flight(
            number=number, call=call, numbers={number: deadline_ns}, started_ns=now_ns, deadline_ns=deadline_ns
        )
        self._flights[number] = flight
        if endpoint.read and endpoint.shared:
            self._shared[identity] = flight
        return self._attempt(flight, now_ns)

    def ended(self, attempt: int, verdict: Verdict, now_ns: int) -> list[Effect]:
        """Take in what came of an attempt."""
        self._limiter.end(attempt, now_ns)
        flight = self._of_attempt.pop(attempt)
        self._learn(flight, verdict, now_ns)
        effects: list[Effect] = []
        flight.open.discard(attempt)
        if flight.numbers:  # else another attempt of it was first
            flight.last = verdict
            is_last = verdict.outcome in {"ok", "refused"}
            if is_last or not (flight.open or self._tries_again(flight, verdict, now_ns)):
                effects.append(self._settle(flight, verdict, now_ns))
        return effects + self._let_leave(now_ns)

    def look(self, now_ns: int) -> list[Effect]:
        """Do what is due: to be called at `next_ns`."""
        effects = self._let_leave(now_ns)
        for flight in [*self._flights.values()]:
            if flight.call.endpoint.read and (late := _late(flight, now_ns)):
                effects.append(self._settle(flight, _overdue(flight), now_ns, late))  # with the last nothing is due
            if flight.retry_ns is not None and flight.retry_ns <= now_ns:
                flight.retry_ns = None
                effects += self._attempt(flight, now_ns)
            elif flight.hedge_ns is not None and flight.hedge_ns <= now_ns:
                flight.hedge_ns = None
                effects += self._hedge(flight, now_ns)
        return effects

    def next_ns(self, now_ns: int) -> int | None:
        """Tell when `look` has something to do, if no outcome comes before."""
        times = [time for flight in self._flights.values() for time in (flight.retry_ns, flight.hedge_ns)]
        times += [min(each.numbers.values()) for each in self._flights.values() if each.call.endpoint.read]
        return min((time for time in (*times, self._limiter.next_ns(now_ns)) if time is not None), default=None)

    # Attempts.

    def _attempt(self, flight: Flight, now_ns: int) -> list[Effect]:
        if flight.call.endpoint.read and (refusal := self._refusal_of_breaker(flight, now_ns)) is not None:
            return [self._settle(flight, refusal, now_ns)]
        return self._enter(flight, now_ns, wait_ns=flight.deadline_ns - now_ns)

    def _hedge(self, flight: Flight, now_ns: int) -> list[Effect]:
        """Send it a second time, if there is room in the limiter at once, and the service is not said to fail."""
        if self._breaker.state != "closed":
            return []
        return self._enter(flight, now_ns, wait_ns=0, alone=False)

    def _enter(self, flight: Flight, now_ns: int, *, wait_ns: int, alone: bool = True) -> list[Effect]:
        attempt, call = self._limiter.new_number(), flight.call
        answer = self._limiter.ask(
            attempt, call.endpoint.kind, now_ns=now_ns, wait_ns=wait_ns, urgent=call.urgent, key=call.key
        )
        if isinstance(answer, Refused):
            return [self._settle(flight, _not_in_time(answer, flight), now_ns)] if alone else []
        flight.open.add(attempt)
        self._of_attempt[attempt] = flight
        self._entered_ns[attempt] = now_ns
        return [self._send(attempt, now_ns)] if isinstance(answer, Granted) else []

    def _let_leave(self, now_ns: int) -> list[Effect]:
        """Send what the limiter lets leave now, and give up what it does not in time."""
        effects: list[Effect] = []
        for answer in self._limiter.grants(now_ns):
            if isinstance(answer, Granted):
                effects.append(self._send(answer.number, now_ns))
                continue
            flight = self._of_attempt.pop(answer.number)
            del self._entered_ns[answer.number]
            flight.open.discard(answer.number)
            effects.append(self._settle(flight, _not_in_time(answer, flight), now_ns))
        return effects

    def _send(self, attempt: int, now_ns: int) -> Send:
        flight = self._of_attempt[attempt]
        self.waits.add(now_ns - self._entered_ns.pop(attempt))
        endpoint = flight.call.endpoint
        flight.attempts += 1
        times = self._times.get(endpoint.name, ())
        if endpoint.read and endpoint.hedged and flight.attempts == 1 and len(times) >= TIMES_MIN:
            flight.hedge_ns = now_ns + round(quantiles(times, n=20)[-1] * SECOND_NS)
        return Send(attempt, flight.call, flight.deadline_ns)

    # What is made of outcomes.

    def _tries_again(self, flight: Flight, verdict: Verdict, now_ns: int) -> bool:
        """Plan another attempt of a read, if there is to be one."""
        endpoint = flight.call.endpoint
        if not endpoint.read or flight.attempts >= endpoint.attempts_max:
            return False
        pause_s = self._jitter() * min(self._backoff_max_s, self._backoff_s * 2.0 ** (flight.attempts - 1))
        retry_ns = now_ns + round(max(pause_s, _bounded(verdict.retry_after_s)) * SECOND_NS)
        if retry_ns >= flight.deadline_ns:
            return False
        flight.retry_ns = retry_ns
        return True

    def _learn(self, flight: Flight, verdict: Verdict, now_ns: int) -> None:
        """Tell the breaker and the limiter."""
        endpoint = flight.call.endpoint
        if verdict.outcome == "ok":
            self._breaker.succeeded()
            self._throttled.pop(endpoint.kind, None)
            self._times.setdefault(endpoint.name, deque(maxlen=TIMES_KEPT)).append(verdict.response_time_s)
        elif verdict.outcome == "failed":
            self._breaker.failed(now_ns)
            self._failure = verdict.error
        elif verdict.sent == "no":  # we said no, not the service: of a probe `_settle` knows
            return
        elif flight.probe:  # it works: that it said no is nothing against it
            self._breaker.succeeded()
        if verdict.outcome == "throttled":
            times = self._throttled[endpoint.kind] = self._throttled.get(endpoint.kind, 0) + 1
            pause_s = min(THROTTLED_MAX_S, THROTTLED_S * 2.0 ** min(times - 1, 10))
            pause_s = max(pause_s, _bounded(verdict.retry_after_s))
            self._limiter.penalise(endpoint.kind, now_ns + math.ceil(pause_s * SECOND_NS))
        flight.probe = False

    def _refusal_of_breaker(self, flight: Flight, now_ns: int) -> Verdict | None:
        """Say why it may not be asked now; one that may, after a while of silence, is the probe."""
        if self._breaker.state == "open" and self._breaker.retry_after_s(now_ns) == 0:
            self._breaker.try_again()
            flight.probe = True
            return None
        if self._breaker.state == "closed" or flight.probe:
            return None
        wait_s = self._breaker.retry_after_s(now_ns)
        why = _last_error(flight) or f"; the last failure: {self._failure}"
        error = f"too many failures in a row, the next attempt is made in {wait_s:.1f} s{why}"
        return Verdict(outcome="failed", sent="no", error=error, retry_after_s=wait_s)

    def _settle(self, flight: Flight, verdict: Verdict, now_ns: int, late: tuple[int, ...] = ()) -> Finish:
        """Answer all who asked, or those alone whose time is over.

        With the last one attempts of it that wait are taken back, and those on their way are heard by nobody.
        """
        numbers = late or tuple(flight.numbers)
        result = ExternalServiceResult(
            success=verdict.outcome == "ok",
            data=verdict.data,
            error=verdict.error,
            status_code=verdict.status_code,
            response_time=(now_ns - flight.started_ns) / SECOND_NS,
            attempts=flight.attempts,
            sent=verdict.sent,
            retry_after_s=verdict.retry_after_s,
            clock_skew_s=verdict.clock_skew_s,
        )
        for number in numbers:
            del flight.numbers[number]
        if not flight.numbers:
            self._end(flight, verdict, result, now_ns)
        return Finish(numbers, result)

    def _end(self, flight: Flight, verdict: Verdict, result: ExternalServiceResult, now_ns: int) -> None:
        call, identity = flight.call, _identity(flight.call)
        if flight.probe:  # it never left, and so showed nothing: another has to
            flight.probe = False
            self._breaker.failed(now_ns)
        for attempt in [*flight.open]:
            if self._limiter.withdraw(attempt):
                flight.open.discard(attempt)
                del self._of_attempt[attempt]
                del self._entered_ns[attempt]
        flight.retry_ns = flight.hedge_ns = None
        del self._flights[flight.number]
        if self._shared.get(identity) is flight:
            del self._shared[identity]
        if call.endpoint.kept_s and result.success:
            until_ns = now_ns + round(call.endpoint.kept_s * SECOND_NS)
            size_bytes = verdict.size_bytes + len(call.body or b"") + len(call.url) + len(str(call.query))
            self.kept.keep(identity, result, until_ns=until_ns, size_bytes=size_bytes, now_ns=now_ns)


def _bounded(wait_s: float | None) -> float:
    """Return how long a service is waited for: what it says, within a day."""
    return min(max(wait_s, 0.0), WAIT_S_MAX) if wait_s is not None and wait_s == wait_s else 0.0  # noqa: PLR0124  NaN


def _last_error(flight: Flight) -> str:
    """Add what came of the attempt before, if there was one: the real error is never hidden behind ours."""
    return "" if flight.last is None else f"; the last attempt: {flight.last.error}"


def _is_no_harder(call: Call, known: Call) -> bool:
    """Say whether a call asks for no more haste and no more patience than one like it that is on its way."""
    return call.deadline_s <= known.deadline_s and (known.urgent or not call.urgent)


def _late(flight: Flight, now_ns: int) -> tuple[int, ...]:
    """Return those who have to have their answer now."""
    return tuple(number for number, deadline_ns in flight.numbers.items() if deadline_ns <= now_ns)


def _overdue(flight: Flight) -> Verdict:
    """Say that a read has no answer by its deadline; what it was told last is told as well."""
    error = f"no answer in {flight.call.deadline_s:g} s{_last_error(flight)}"
    return Verdict(outcome="failed", sent="unknown" if flight.attempts else "no", error=error)


def _identity(call: Call) -> tuple[Any, ...]:
    """Tell two questions apart."""
    return call.endpoint.name, call.endpoint.reads, call.method, call.url, call.query, call.body


def _not_in_time(refused: Refused, flight: Flight) -> Verdict:
    """Say that it did not fit into the limits; a read that was sent before has its last failure told as well."""
    retry_after_s = None if refused.retry_after_ns is None else refused.retry_after_ns / SECOND_NS
    when = "ever" if retry_after_s is None else f"for {retry_after_s:.3f} s"
    error = f"it does not fit into {refused.quota} {when}{_last_error(flight)}"
    return Verdict(outcome="refused", sent="no", error=error, retry_after_s=retry_after_s)
