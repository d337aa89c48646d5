"""The rule on the clock (pure): by a wrong clock every age and every limit in a time is wrong."""

from __future__ import annotations

from ....domain.time import SECOND_NS, second_text
from ....messages.orders import SubmitOrder
from .situation import Situation


def clock_skew_max_s(order: SubmitOrder, situation: Situation) -> str:
    """Open nothing while our clock and the broker's are further apart, by the newest answer that tells its time."""
    limit, clock = situation.limits.clock_skew_max_s, situation.clock
    if limit == 0 or clock is None or abs(clock.skew_s) <= limit or not situation.opens(order):
        return ""
    theirs_ns = clock.as_of_ns - round(clock.skew_s * SECOND_NS)
    return (
        f"a clock at most {limit:g} s off that of the broker wanted, found {clock.skew_s:+.1f} s: "
        f"{second_text(clock.as_of_ns)} here, {second_text(theirs_ns)} there"
    )
