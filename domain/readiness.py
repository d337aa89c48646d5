"""What a system needs beside its actors to be ready: the marks that health, alarms and `natya doctor` go by; pure."""

from __future__ import annotations

from typing import Final

from .clock_skew import judge_skew
from .time import SECOND_NS
from .wording import counted

TOKEN_MIN_S: Final = 1_800.0
"""How long an access token should be good still."""

DISK_WARN_BYTES: Final = 1 << 30
DISK_CRITICAL_BYTES: Final = 256 << 20
"""Below it nothing should be opened any more: orders are refused when nothing can be made durable."""


def token_fault(*, alive: bool, ends_ns: int, now_ns: int) -> str:
    """Return what is wrong with an access token; empty: it is good for a while.

    Args:
        alive: whether the broker takes it, as far as is known.
        ends_ns: until when it is good; 0: that is not known.
        now_ns: the time; both in nanoseconds since 1970-01-01 UTC.
    """
    if not alive:
        return "there is no good access token: the broker takes nothing"
    if 0 < ends_ns < now_ns + TOKEN_MIN_S * SECOND_NS:
        minutes = max(0, (ends_ns - now_ns) // (60 * SECOND_NS))
        return f"the access token ends in {counted(minutes, 'minute')}"
    return ""


def clock_fault(skew_s: float | None, service: str) -> str:
    """Return what is wrong with our clock, by that of a service; empty: nothing, or nobody knows.

    Args:
        skew_s: how many seconds ours is ahead; None: that is not known.
        service: its name.
    """
    if judge_skew(skew_s) in {"alarm", "too_far"}:
        return f"our clock is {skew_s:+.1f} s off that of {service}"
    return ""
