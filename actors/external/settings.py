"""What the owner of the calls to one service is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Protocol

import msgspec

from ...domain.quotas import Allowance
from ...domain.wording import expect_number
from .answer import BODY_BYTES_MAX, HttpAnswer
from .calls import Verdict
from .judging import judge
from .tally import TallySettings

READS_AT_ONCE: Final = 8
WRITES_AT_ONCE: Final = 48
URGENT_AT_ONCE: Final = 16
"""Threads that wait for answers, each kind its own, so that none holds up another; made when they are needed."""

REQUESTS_AT_ONCE: Final = READS_AT_ONCE + WRITES_AT_ONCE + URGENT_AT_ONCE


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


def _nothing() -> Mapping[str, str]:
    return {}


def _nowhere() -> str:
    return ""


def _http_session(settings: ExternalSettings) -> Session:
    from .session import HttpSession  # noqa: PLC0415  60 ms that only who has a service has to pay

    return HttpSession(
        settings.hosts,
        threads=REQUESTS_AT_ONCE,
        body_bytes_max=settings.body_bytes_max,
        ca_file=settings.ca_file,
        proxy=settings.proxy,
    )


class ExternalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One service.

    Raises:
        ValueError: on construction: a number that is not above 0.
    """

    service: str
    """Its name, in logs."""

    hosts: frozenset[str]
    allowances: Mapping[str, Allowance]
    """By kind of request."""

    headers: Callable[[], Mapping[str, str]] = _nothing
    """What each request has besides; asked anew for each, since tokens change. It is never logged."""

    halted: Callable[[], str] = _nowhere
    """Says why nothing may leave that makes an exposure larger; empty: it may. Asked on the request's own thread, last
    of all, so that it does not matter what else is stuck."""

    judge: Callable[[HttpAnswer, float], Verdict] = judge
    new_session: Callable[[ExternalSettings], Session] = _http_session
    fail_max: int = 5
    reset_timeout_s: float = 10.0
    body_bytes_max: int = BODY_BYTES_MAX
    ca_file: str | None = None
    proxy: str | None = None
    tally: TallySettings | None = None
    """Which requests the next process is to count, if there is a folder for the files; None: those it is told of."""

    tally_folder: Path | None = None

    def __post_init__(self) -> None:
        expect_number("fail_max", self.fail_max, least=1, is_whole=True)
        expect_number("reset_timeout_s", self.reset_timeout_s)
        expect_number("body_bytes_max", self.body_bytes_max, least=1, is_whole=True)
