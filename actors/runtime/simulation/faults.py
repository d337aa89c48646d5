"""Which faults a simulation injects: by rate, or by script."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from ....messages.market import Candle, Tick

FaultKind: TypeAlias = Literal["crash", "crash_after", "lose", "repeat", "delay", "pause", "wall_step"]
"""`crash` raises before the handler runs, `crash_after` when it has done its work. The others come on the way there:
`pause` lets the receiver's thread stand still before its next turn, `wall_step` sets the wall clock."""


class ScriptedFault(msgspec.Struct, frozen=True, kw_only=True):
    """The `nth` message of this type to this actor meets this fault."""

    kind: FaultKind
    actor: str
    message_type: type

    nth: int = 1
    """Counted from 1: handled by the actor for a crash, sent to it for the others."""

    seconds: float = 0.5
    """How late it comes, how long its receiver stands still, how far forward (or back) the wall clock is set."""


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """All rates are chances from 0 to 1; by default nothing goes wrong."""

    crash: float = 0.0
    """Of a message that its handler raises: before it has done anything, or after all."""

    crash_inside: float = 0.0
    """Of a message that its handler raises at one of its sends."""

    lose: float = 0.0
    repeat: float = 0.0
    """Of a message that may be lost (`at_most_once`) that it is, or comes twice."""

    delay: float = 0.0
    """Of a message that it comes late, and whatever its sender sends to the same receiver meanwhile behind it."""

    delay_s_max: float = 0.5

    pause: float = 0.0
    """Of a turn that its actor's thread stands still before it."""

    pause_s_max: float = 0.05

    wall_step: float = 0.0
    """Of a turn that the wall clock is set, forward or back."""

    wall_step_s_max: float = 60.0

    script: tuple[ScriptedFault, ...] = ()

    at_most_once: tuple[type, ...] = (Tick, Candle)
    """What is promised to arrive once or never."""

    spared: tuple[str, ...] = ("system",)
    """Actors that never crash; the root's crash would be the process's."""
