"""Requests that wait for a free reader, first come, first served, each until its own deadline."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from typing import Generic, TypeVar

import msgspec

from ....domain.time import SECOND_NS
from .handler import Reading

Asker = TypeVar("Asker")

QUERIES_WAITING_MAX = 1_000


class PendingRequest(msgspec.Struct, Generic[Asker], frozen=True):
    """A query, or other work for a reader, and its client."""

    query: Reading
    asker: Asker
    expires_ns: int
    """By the monotonic clock, ns. Counted from when the request came, not from when a reader was free."""

    abandoned: Future[None] = msgspec.field(default_factory=Future)
    """Done when the client has disconnected."""

    def left_s(self, now_ns: int) -> float:
        """Return the seconds until its deadline."""
        return (self.expires_ns - now_ns) / SECOND_NS


class PendingRequests(Generic[Asker]):
    """A bounded queue of requests, first come, first served."""

    def __init__(self) -> None:
        self._waiting: deque[PendingRequest[Asker]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether the next one has to be refused."""
        return len(self._waiting) >= QUERIES_WAITING_MAX

    def ask(self, query: Reading, asker: Asker, now_ns: int) -> PendingRequest[Asker]:
        """Add a request; return it with its deadline."""
        request = PendingRequest(query, asker, now_ns + int(query.timeout_s * SECOND_NS))
        self._waiting.append(request)
        return request

    def next(self) -> PendingRequest[Asker]:
        """Take the one that has waited longest."""
        return self._waiting.popleft()

    def expired(self, now_ns: int) -> list[PendingRequest[Asker]]:
        """Remove and return those whose deadline has passed."""
        over = [request for request in self._waiting if request.expires_ns <= now_ns]
        if over:
            self._waiting = deque(request for request in self._waiting if request.expires_ns > now_ns)
        return over

    def give_up(self) -> list[PendingRequest[Asker]]:
        """Remove and return all."""
        waiting = list(self._waiting)
        self._waiting.clear()
        return waiting
