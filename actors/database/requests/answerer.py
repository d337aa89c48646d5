"""Runs requests on the readers and sends their answers; the part of the database actor that serves clients."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import msgspec

from ....messages.database import ArchiveDay, Query, QueryFailed
from ...runtime import reason_of
from ..errors import DatabaseDamaged, DatabaseError, DatabaseInvalidated
from .pending import QUERIES_WAITING_MAX, PendingRequest, PendingRequests

if TYPE_CHECKING:
    from concurrent.futures import Future

    from ...runtime import ActorAddress, Outcome, RuntimeActor, Timer
    from .files import Files
    from .handler import Reading, RequestHandler

ARCHIVE_LANE = "archive"
"""The lane of archiving, one at a time: each run names its files after those that exist."""

EXPIRE_S = 0.5
"""Seconds between two checks of the waiting queries' deadlines."""


class Answerer:
    """Answers as many queries at a time as there are lanes, each on its own: a slow one does not delay the others.

    Args:
        actor: provides threads, clock and messages.
        files: the files to query, while they are open.
        lanes: queries at a time.
        expire: a message to the actor, at which it calls `expire`.
    """

    def __init__(self, actor: RuntimeActor, files: Files, *, lanes: int, expire: object) -> None:
        self.answered = 0
        self._actor = actor
        self._files = files
        self._lanes = [f"query-{number}" for number in range(lanes)]
        self._at_work: dict[str, PendingRequest[ActorAddress]] = {}
        """The request that each busy lane works on."""

        self._archiving: list[ActorAddress] = []
        self._pending: PendingRequests[ActorAddress] = PendingRequests()
        self._handler: RequestHandler | None = None
        self._abandonable: dict[str, Future[None]] = {}
        """By client outside of the system with a request that waits or runs: done when it has disconnected."""

        self._expire = expire
        self._expiry: Timer | None = None

    @property
    def waiting(self) -> int:
        """Queries that wait for a reader."""
        return len(self._pending)

    @property
    def is_idle(self) -> bool:
        """Whether every request is answered."""
        return not (self._pending or self._at_work)

    def opened(self, handler: RequestHandler) -> None:
        """Continue with opened files, and their handler."""
        self._handler = handler

    def ask(self, query: Reading, asker: ActorAddress) -> None:
        """Answer at once from the cache, or with a refusal; else as soon as a reader is free."""
        database = self._files.database
        if database is None:
            self._refuse_while_down(asker)
            return
        kept = database.kept(query.sql, query.parameters, query.tables) if isinstance(query, Query) else None
        if kept is not None and isinstance(query, Query) and len(kept.rows) <= query.rows_max:
            self.answered += 1
            self._actor.send(asker, kept)
        elif self._pending.is_full:
            self._refuse(asker, database.exhausted(waiters=QUERIES_WAITING_MAX))
        else:
            request = self._pending.ask(query, asker, self._actor.clock.monotonic_ns())
            if query.asker:
                self._abandonable[query.asker] = request.abandoned
            self._next()

    def archive(self, work: ArchiveDay, asker: ActorAddress) -> None:
        """Archive, beside the batches of the market, and answer."""
        if self._files.database is None or self._handler is None:
            self._refuse_while_down(asker)
            return
        then = functools.partial(self._archived, asker, self._files.life)
        self._actor.offload(self._handler.perform, work, then=then, lane=ARCHIVE_LANE)
        self._archiving.append(asker)

    def abandon(self, asker: str) -> None:
        """Interrupt this client's running request, and cancel its waiting ones."""
        if asker in self._abandonable:
            self._abandonable.pop(asker).set_result(None)

    def abandon_all(self) -> None:
        """Abandon the requests of all clients outside of the system."""
        for asker in tuple(self._abandonable):
            self.abandon(asker)

    def went_down(self, fault: DatabaseError) -> None:
        """Answer all waiting requests that the files are down."""
        for request in self._pending.give_up():
            self._abandonable.pop(request.query.asker, None)
            self._refuse(request.asker, fault)

    def end(self) -> None:
        """Interrupt running requests, and answer all that wait: the actor is stopping."""
        self.abandon_all()
        for request in self._at_work.values():
            if not request.abandoned.done():
                request.abandoned.set_result(None)
        asked = [request.asker for request in (*self._at_work.values(), *self._pending.give_up())]
        for asker in (*asked, *self._archiving):
            reason = "the database starts again; ask again"
            self._actor.send(asker, QueryFailed(error="DatabaseDown", reason=reason))

    def expire(self) -> None:
        """Answer requests whose deadline has passed."""
        self._expiry = None
        for request in self._pending.expired(self._actor.clock.monotonic_ns()):
            self._abandonable.pop(request.query.asker, None)
            what = getattr(request.query, "sql", type(request.query).__name__)
            reason = f"no reader was free for {request.query.timeout_s} s: {what}"
            self._actor.send(request.asker, QueryFailed(error="QueryTimedOut", reason=reason))
        self._look_again()

    def _next(self) -> None:
        if self._pending and self._lanes and self._files.database is not None and self._handler is not None:
            request, lane = self._pending.next(), self._lanes.pop()
            timeout_s = max(0.0, request.left_s(self._actor.clock.monotonic_ns()))
            self._at_work[lane] = request
            self._actor.offload(
                self._handler.perform,
                msgspec.structs.replace(request.query, timeout_s=timeout_s),
                request.abandoned,
                then=functools.partial(self._done, request, lane, self._files.life),
                lane=lane,
            )
        self._look_again()

    def _done(self, request: PendingRequest[ActorAddress], lane: str, life: int, outcome: Outcome) -> None:
        self._lanes.append(lane)
        del self._at_work[lane]
        self._abandonable.pop(request.query.asker, None)
        self._answer(request.asker, life, outcome)
        self._next()

    def _archived(self, asker: ActorAddress, life: int, outcome: Outcome) -> None:
        self._archiving.remove(asker)
        self._answer(asker, life, outcome)

    def _answer(self, asker: ActorAddress, life: int, outcome: Outcome) -> None:
        self.answered += 1
        if isinstance(outcome.error, DatabaseError):
            self._refuse(asker, outcome.error)
            if isinstance(outcome.error, DatabaseDamaged | DatabaseInvalidated):
                self._files.failed(outcome.error, life)
        elif isinstance(outcome.error, Exception):
            # An error of ours in a query: nothing was changed, and recording goes on.
            fault = outcome.error
            self._actor.log_bounded("query.broke", level="error", error=type(fault).__name__, reason=reason_of(fault))
            self._actor.send(asker, QueryFailed(error=type(fault).__name__, reason=reason_of(fault)))
        else:
            self._actor.send(asker, outcome.unwrap())

    def _look_again(self) -> None:
        if self._pending and self._expiry is None:
            self._expiry = self._actor.after(EXPIRE_S, self._expire)

    def _refuse(self, asker: ActorAddress, refusal: DatabaseError) -> None:
        self._actor.send(asker, QueryFailed(error=type(refusal).__name__, reason=str(refusal)))

    def _refuse_while_down(self, asker: ActorAddress) -> None:
        self._actor.send(asker, QueryFailed(error="DatabaseDown", reason=self._files.down))
