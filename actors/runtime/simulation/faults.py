"""Which faults a simulation injects: by rate, or by script."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from ....messages.market import Candle, Tick

FaultKind: TypeAlias = Literal["crash", "crash_after", "lose", "repeat", "delay", "pause", "wall_step"]
"""`crash` raises before the handler runs, `crash_after` when it has done its work. The others happen during delivery:
`pause` stops the receiver's thread before its next turn, `wall_step` sets the wall clock."""


class ScriptedFault(msgspec.Struct, frozen=True, kw_only=True):
    """The `nth` message of this type to this actor meets this fault."""

    kind: FaultKind
    actor: str
    message_type: type

    nth: int = 1
    """Counted from 1: handled by the actor for a crash, sent to it for the others."""

    seconds: float = 0.5
    """The delay, the length of the pause, or how far forward (below 0: back) the wall clock is set."""


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """Probabilities from 0 to 1, by default 0, and their bounds in seconds."""

    crash: float = 0.0
    """That a handler raises, before it has done anything or after all of its work."""

    crash_inside: float = 0.0
    """That a handler raises at one of its sends."""

    lose: float = 0.0
    repeat: float = 0.0
    """That a message of a type in `at_most_once` is lost, or delivered twice."""

    delay: float = 0.0
    """That a message is late; later ones of the same sender to the same receiver wait behind it."""

    delay_s_max: float = 0.5

    pause: float = 0.0
    """That an actor's thread stops before a turn."""

    pause_s_max: float = 0.05

    wall_step: float = 0.0
    """That the wall clock is set, forward or back, after a turn."""

    wall_step_s_max: float = 60.0

    script: tuple[ScriptedFault, ...] = ()

    at_most_once: tuple[type, ...] = (Tick, Candle)
    """Message types that are delivered at most once, and so may be lost."""

    spared: tuple[str, ...] = ("system",)
    """Actors that never crash; a crash of the root would end the process."""
