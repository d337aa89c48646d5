"""Queries and their answers: what the actor does with them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from ...messages.database import Query, QueryFailed, Rows
from .errors import DatabaseDamaged, DatabaseError, DatabaseInvalidated
from .questions import QUERIES_WAITING_MAX, Question, Questions

if TYPE_CHECKING:
    from ..runtime import ActorAddress, Outcome, RuntimeActor, Timer
    from .files import Files

EXPIRE_S = 0.5
"""How often waiting queries are looked through for those whose time is over."""


class Answerer:
    """Answers as many queries at a time as there are lanes, each on one of its own: a slow one delays nobody.

    Args:
        actor: whose threads, clock and messages these are.
        files: what is asked, while they are open.
        lanes: queries at a time.
        expire: a message to the actor, at which it calls `expire`.
    """

    def __init__(self, actor: RuntimeActor, files: Files, *, lanes: int, expire: object) -> None:
        self.answered = 0
        self._actor = actor
        self._files = files
        self._lanes = [f"query-{number}" for number in range(lanes)]
        self._running = 0
        self._questions: Questions[ActorAddress] = Questions()
        self._expire = expire
        self._expiry: Timer | None = None

    @property
    def waiting(self) -> int:
        """Queries that wait for a reader."""
        return len(self._questions)

    @property
    def is_idle(self) -> bool:
        """Whether everyone is answered."""
        return not (self._questions or self._running)

    def ask(self, query: Query, asker: ActorAddress) -> None:
        """Answer at once what is kept of an earlier answer, or why not; all else as soon as a reader is free."""
        database = self._files.database
        if database is None:
            self._actor.send(asker, QueryFailed(error="DatabaseDown", reason=self._files.down))
            return
        kept = database.kept(query.sql, query.parameters)
        if kept is not None and len(kept.rows) <= query.rows_max:
            self.answered += 1
            self._actor.send(asker, kept)
        elif self._questions.is_full:
            self._refuse(asker, database.exhausted(waiters=QUERIES_WAITING_MAX))
        else:
            self._questions.ask(query, asker, self._actor.clock.monotonic_ns())
            self._next()

    def fall(self, fault: DatabaseError) -> None:
        """Tell everyone who waits that the files are down."""
        for question in self._questions.give_up():
            self._refuse(question.asker, fault)

    def expire(self) -> None:
        """Answer those who have waited as long as they would."""
        self._expiry = None
        for question in self._questions.expired(self._actor.clock.monotonic_ns()):
            reason = f"no reader was free for {question.query.timeout_s} s: {question.query.sql}"
            self._actor.send(question.asker, QueryFailed(error="QueryTimedOut", reason=reason))
        self._look_again()

    def _next(self) -> None:
        database = self._files.database
        if self._questions and self._lanes and database is not None:
            question, lane = self._questions.next(), self._lanes.pop()
            query = question.query
            timeout_s = max(0.0, question.left_s(self._actor.clock.monotonic_ns()))
            self._running += 1
            self._actor.offload(
                functools.partial(database.query, timeout_s=timeout_s, rows_max=query.rows_max),
                query.sql,
                query.parameters,
                then=functools.partial(self._done, question, lane, self._files.life),
                lane=lane,
            )
        self._look_again()

    def _done(self, question: Question[ActorAddress], lane: str, life: int, outcome: Outcome) -> None:
        self._lanes.append(lane)
        self._running -= 1
        self.answered += 1
        if isinstance(outcome.error, DatabaseError):
            self._refuse(question.asker, outcome.error)
            if isinstance(outcome.error, DatabaseDamaged | DatabaseInvalidated):
                self._files.failed(outcome.error, life)
        else:
            rows: Rows = outcome.unwrap()
            self._actor.send(question.asker, rows)
        self._next()

    def _look_again(self) -> None:
        if self._questions and self._expiry is None:
            self._expiry = self._actor.after(EXPIRE_S, self._expire)

    def _refuse(self, asker: ActorAddress, refusal: DatabaseError) -> None:
        self._actor.send(asker, QueryFailed(error=type(refusal).__name__, reason=str(refusal)))
