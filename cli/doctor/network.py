"""Checks that ask somebody over the network. No credentials are sent."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from .finding import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...config.settings import Settings

TIMEOUT_S: Final = 10.0
SLOW_S: Final = 1.0


def broker(settings: Settings) -> Iterator[Finding]:
    """Whether the broker is reached, and whether this clock and its own agree."""
    url = base_url(settings)
    if url is None:
        yield Finding("broker", "ok", "neither orders nor prices come from one: nothing is asked")
        return
    from ...actors.external import ExternalError  # noqa: PLC0415
    from ...actors.external.session import HttpSession  # noqa: PLC0415

    host = urlsplit(url).hostname or ""
    session = HttpSession(frozenset({host}))
    sent_ns = time.time_ns()
    try:
        answer = session.request("GET", url, timeout_s=TIMEOUT_S)
    except ExternalError as fault:
        mend = "is there a way to the network? DNS, a firewall, a proxy; then broker.base_url"
        yield Finding("broker", "fault", f"{host} is not reached: {fault}", mend)
        return
    finally:
        session.close()
    took_s = answer.response_time_s
    mend = "orders take as long: trade from nearer to the broker" if took_s > SLOW_S else ""
    state = "warning" if took_s > SLOW_S else "ok"
    yield Finding("broker", state, f"{host} answers in {1_000 * took_s:,.0f} ms", mend)  # type: ignore[arg-type]
    yield judged_skew(answer.headers.get("date"), sent_ns=sent_ns, received_ns=time.time_ns())


def base_url(settings: Settings) -> str | None:
    """Return where the real broker is; None where it is not spoken to."""
    if settings.broker.name == "paper" and settings.feed.source != "dhan":
        return None
    from ...actors.broker.bodies.dhan.endpoints import LIVE_URL  # noqa: PLC0415

    return settings.broker.base_url or LIVE_URL


def judged_skew(date: str | None, *, sent_ns: int, received_ns: int) -> Finding:
    """Judge the clock by what a server told of the time."""
    from ...domain.dhan.tokens import judge_skew, skew_s  # noqa: PLC0415

    skew = skew_s(date, sent_ns=sent_ns, received_ns=received_ns)
    mend = "timedatectl set-ntp true, or chronyc makestep"
    match judge_skew(skew):
        case "unknown":
            return Finding("clock skew", "warning", "the broker does not tell the time", "compare with another clock")
        case "well":
            return Finding("clock skew", "ok", f"{skew:+.1f} s against the broker")
        case "alarm":
            return Finding("clock skew", "warning", f"{skew:+.1f} s against the broker", mend)
        case "too_far":
            return Finding("clock skew", "fault", f"{skew:+.1f} s: one-time codes would be wrong", mend)
