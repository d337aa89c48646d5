"""The risk state: what orders lets pass now, who narrows it, and the person who widens it again.

NORMAL     every order that passes the rules
REDUCING   only orders that reduce a position, be it by a limit (journaled) or by `ReduceOnly` (in this run)
HALTED     none; a fact, so that it survives every restart: only `Resume` leaves it
"""

from typing import Literal, TypeAlias

import msgspec

from .units import Nanoseconds

RiskState: TypeAlias = Literal["STARTING", "RECONCILING", "NORMAL", "REDUCING", "HALTED"]
KeptRiskState: TypeAlias = Literal["NORMAL", "REDUCING", "HALTED"]
"""The states that are journaled; STARTING and RECONCILING are phases of a start."""


class RiskStateChanged(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="RiskStateChanged"):
    """Fact: the risk state changed. The newest holds, also after a restart; before the first, NORMAL."""

    previous: KeptRiskState
    state: KeptRiskState

    cause: str
    """What happened, or the reason that a person gave with `Resume`."""

    changed_by: str
    """`orders`, or the name of the person who resumed."""

    occurred_ns: Nanoseconds
    """Nanoseconds since 1970-01-01 UTC."""

    keeps_day: bool = False
    """Whether no other day begins until a person resumes: the clock was set ahead, and the day's counts go on."""

    cancels_open: bool = False
    """Whether every open order is to be cancelled: of a halt by the kill switch, or by a limit of the day."""


class ReduceOnly(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ReduceOnly"):
    """From the token keeper, reconciliation or the heart to orders: let only orders pass that reduce a position.

    It holds until its own sender takes it back, and no longer than the process runs: it is not journaled.
    """

    reason: str
    """Why; empty: the sender takes it back."""


class Resume(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Resume"):
    """From a person to orders: go on trading after HALTED. Answered by `Resumed`, durable by then, or `ResumeRefused`.

    Nothing else leaves HALTED.
    """

    reason: str
    """Why trading may go on; kept in the fact."""

    person: str = ""
    """Who resumes, as the operating system names the user."""


class Resumed(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="Resumed"):
    """Answer to `Resume`: orders pass again."""

    halted_because: str
    """The cause of the halt that has ended."""

    still: str = ""
    """Why only orders pass still that reduce a position; empty: others do, too."""


class ResumeRefused(msgspec.Struct, frozen=True, kw_only=True, gc=False, array_like=True, tag="ResumeRefused"):
    """Answer to `Resume`: nothing changed."""

    risk_state: RiskState
    reason: str
    """What was wanted and what was found."""
