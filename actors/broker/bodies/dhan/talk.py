"""Drives the flows: asks the owner of the calls to Dhan, waits, and reads the whole day once for all who want it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Final

from .....messages.addresses import BROKER_SERVICE
from .....messages.supervision import Unavailable
from ....external import Ask, ExternalServiceResult
from ...access_token import TokenDeadError
from ...body import BrokerSession, Due
from .flows import Flow, Pause, Question, Wish, read_day
from .replies import Reply, reply_of

if TYPE_CHECKING:
    from ....external import Call
    from ....runtime import Outcome
    from .endpoints import Route

READ_DEADLINE_S: Final = 4.0
"""Seconds that one read may take, with its retries."""

CANCEL_DEADLINE_S: Final = 5.0
"""Seconds that a cancellation may wait for the rate limits."""

ROWS_READ_HERE_MAX: Final = 100
"""An answer of more rows is read on another thread: a day's order book takes as long as a thousand ticks."""

NOTHING_LEAVES: Final = "the broker calls the access token dead: nothing is sent before there is a new one"

SLACK_S: Final = 5.0
"""Seconds after a deadline from which an owner that has not answered is not waited for any more."""


class Talk:
    """The conversations with Dhan that are under way."""

    def __init__(self, session: BrokerSession, base_url: str | None) -> None:
        """Begin none; with a base URL that is not known yet (None), calls wait for `is_at`."""
        self._session: Final = session
        self._base_url = base_url
        self._waiting: list[Callable[[], None]] = []
        self._await_day: list[Callable[[Reply], object]] = []
        self._reads_day = False
        self._has_dead_token = False

    def run(self, flow: Flow[Any], then: Callable[[Any], object]) -> None:
        """Run a flow to its end, and give its result to `then`; neither is called again after a restart."""
        self._go_on(flow, None, then)

    def ask(  # noqa: PLR0913  each is one part of the request
        self,
        route: Route,
        read: Callable[[Any], Any],
        then: Callable[[Reply], object],
        names: dict[str, str] | None = None,
        *,
        query: tuple[tuple[str, str], ...] = (),
        deadline_s: float | None = None,
        body: bytes | None = None,
        urgent: bool = False,
        in_halt: bool = False,
    ) -> None:
        """Make one call."""
        if self._base_url is None:
            again = functools.partial(self.ask, route, read, then, names, query=query, deadline_s=deadline_s)
            self._waiting.append(functools.partial(again, body=body, urgent=urgent, in_halt=in_halt))
            return
        if deadline_s is None:
            deadline_s = READ_DEADLINE_S if route.endpoint.read else CANCEL_DEADLINE_S
        make = functools.partial(route.call, self._base_url, names, query=query, deadline_s=deadline_s)
        call = make(body=body, urgent=urgent, in_halt=in_halt)
        self._send(call, read, then)

    def is_at(self, base_url: str) -> None:
        """Set the base URL, and make the calls that have waited for it."""
        self._base_url = base_url
        waiting, self._waiting = self._waiting, []
        for call in waiting:
            call()

    def _send(self, call: Call, read: Callable[[Any], Any], then: Callable[[Reply], object]) -> None:
        timeout_s = call.deadline_s + call.endpoint.timeout_s + SLACK_S

        def answered(outcome: Outcome) -> None:
            if (skew_s := getattr(outcome.value, "clock_skew_s", None)) is not None:
                self._session.tell_skew(skew_s)
            rows = getattr(outcome.value, "data", None)
            if isinstance(rows, list) and len(rows) > ROWS_READ_HERE_MAX:
                self._session.offload(_reply, outcome, read, then=take_read, lane="reading")
            else:
                take(_reply(outcome, read))

        def take_read(reading: Outcome) -> None:
            take(reading.unwrap())

        def take(reply: Reply) -> None:
            self._watch_token(reply)
            then(reply)

        self._session.ask(BROKER_SERVICE, Ask(call), timeout_s=timeout_s, then=answered)

    def _watch_token(self, reply: Reply) -> None:
        """Log once that nothing leaves because the token is dead, until a request is answered again."""
        is_dead = reply.meaning == "token" or TokenDeadError.__name__ in reply.reason
        if is_dead != self._has_dead_token and (is_dead or reply.outcome == "told"):
            self._has_dead_token = is_dead
            self._session.tell_trouble(NOTHING_LEAVES if is_dead else "")

    def _go_on(self, flow: Generator[Wish, Any, Any], told: Any, then: Callable[[Any], object]) -> None:
        try:
            wish = flow.send(told)
        except StopIteration as end:
            then(end.value)
            return

        def go_on(answer: Any) -> None:
            self._go_on(flow, answer, then)

        match wish:
            case Question():
                self.ask(wish.route, wish.read, go_on, wish.names, body=wish.body)
            case Pause():
                self._session.after(wish.seconds, Due(lambda: go_on(None)))
            case _:
                self._await_day.append(go_on)
                self._read_day()

    def _read_day(self) -> None:
        """Read the day for all who wait; who comes meanwhile gets the next reading, since this one may be too old."""
        if self._reads_day or not self._await_day:
            return
        self._reads_day = True
        waiting, self._await_day = self._await_day, []

        def tell(reply: Reply) -> None:
            self._reads_day = False
            for go_on in waiting:
                go_on(reply)
            self._read_day()

        self.run(read_day(), tell)


def _reply(outcome: Outcome, read: Callable[[Any], Any]) -> Reply:
    """Tell what came of asking: an owner that is down has sent nothing, one that failed may have."""
    answer = outcome.value
    if isinstance(answer, ExternalServiceResult):
        return reply_of(answer, read)
    if isinstance(answer, Unavailable):
        return Reply(outcome="not_sent", reason=f"{answer.actor}: {answer.reason}", retry_after_s=answer.retry_after_s)
    reason = getattr(answer, "reason", "") or f"{type(outcome.error or answer).__name__}: {outcome.error or answer}"
    return Reply(outcome="unknown", reason=reason)
