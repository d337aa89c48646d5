"""A call to a service and what came of it: what an adapter fills in, and what it is given back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

import msgspec

from ...domain.wording import expect_number

WAIT_S_MAX: Final = 86_400.0
"""No service is waited for longer than a day because it says so."""

Sent: TypeAlias = Literal["yes", "no", "unknown"]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """What may be done with requests of one sort.

    Raises:
        ValueError: on construction: no attempt, or seconds that are none.
    """

    name: str
    """For logs and metrics: `orders.place`."""

    kind: str
    """Whose allowance it counts against."""

    read: bool
    """It changes nothing: to ask twice does no harm."""

    attempts_max: int = 1
    """Of a read; a write has one."""

    timeout_s: float = 10.0
    """Of one attempt, from connection to the last byte."""

    kept_s: float = 0.0
    """An answer to a read may be given again for so long; 0: never."""

    shared: bool = True
    """A read that is asked while an equal one is on its way gets its answer, which may be older than the question;
    False: each is sent for itself."""

    reads: Callable[[bytes], Any] | None = None
    """Makes the data of the body of a good answer, in the thread that got it, or raises ValueError; None: JSON."""

    exposes: bool = False
    """It may make an exposure larger: while `ExternalSettings.halted` gives a reason it does not leave."""

    hedged: bool = False
    """A read without an answer after the 95th percentile of such times is sent a second time; the first answer wins."""

    def __post_init__(self) -> None:
        expect_number("attempts_max", self.attempts_max, least=1, is_whole=True)
        expect_number("timeout_s", self.timeout_s)
        expect_number("kept_s", self.kept_s, least=0)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request, as it will be sent."""

    endpoint: Endpoint
    method: str
    url: str
    """Without a query."""

    query: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    key: str | None = None
    """What limits of single things count by: an order, an underlying."""

    urgent: bool = False
    """It overtakes others in the limiter."""

    in_halt: bool = False
    """It leaves although everything is halted: it closes what is held."""

    deadline_s: float = 30.0
    """For all of it: waiting, attempts, pauses between them."""


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What one attempt came to; an adapter judges the answers of its service."""

    outcome: Literal["ok", "refused", "throttled", "failed"]
    """`refused`: the service works, and said no. `throttled`: too many. `failed`: it does not work, or cannot be
    understood."""

    sent: Sent = "yes"
    status_code: int | None = None
    data: Any = None
    error: str | None = None
    retry_after_s: float | None = None
    response_time_s: float = 0.0
    size_bytes: int = 0
    """Of the body of the answer."""

    clock_skew_s: float | None = None
    """How far our clock is ahead of the service's; None: the answer does not tell."""


class ExternalServiceResult(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a call."""

    success: bool
    data: Any = None
    error: str | None = None
    status_code: int | None = None
    """Of HTTP; None where there was no answer."""

    response_time: float = 0.0
    """Seconds from the call to the result, waiting included; 0 for one that was kept."""

    attempts: int = 0
    correlation_id: str = ""
    sent: Sent = "no"
    """Whether the service has it: `unknown` means that a write may have been carried out."""

    retry_after_s: float | None = None
    """Not before this, where that is known."""

    clock_skew_s: float | None = None
    """How far our clock is ahead of the service's; None: the answer does not tell, or was kept."""
