"""A person who puts the kill switch on in the midst of a simulation, takes it off again, and resumes."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any, Final

from ..actors.runtime import UnknownActorError
from ..actors.runtime.simulation.loop import SteppedLoop
from ..messages.addresses import KILL_SWITCH, ORDERS
from ..messages.kill_switch import EngageKillSwitch, ReleaseKillSwitch
from ..messages.risk_state import Resume

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Sequence

    from ..actors.runtime import InProcessSystem

ENGAGE: Final = EngageKillSwitch(reason="a halt of the world", person="asha")
RESUME: Final = Resume(reason="the world goes on", person="asha")


class Person:
    """Speaks to one life of a system, and counts what it has said."""

    def __init__(self, system: InProcessSystem, said: Counter[str]) -> None:
        self._system: Final = system
        self._said: Final = said

    def halt(self, halts: Sequence[tuple[float, float]]) -> None:
        """Do it each time after so many seconds, for so many."""
        loop = self._system.base.loop
        assert isinstance(loop, SteppedLoop), "the system is simulated"
        for after_s, halted_s in halts:
            loop.call_after(int(after_s * 1e9), self._engage)
            loop.call_after(int((after_s + halted_s) * 1e9), self.lift)

    def lift(self) -> None:
        """Take the switch off, and let orders pass again."""
        self._tell(KILL_SWITCH, ReleaseKillSwitch())
        self.resume()

    def resume(self) -> None:
        """Let orders pass again."""
        self._tell(ORDERS, RESUME)

    def _engage(self) -> None:
        self._tell(KILL_SWITCH, ENGAGE)

    def _tell(self, name: str, message: Any) -> None:
        with contextlib.suppress(UnknownActorError):  # it is not started yet: nobody is there to be told
            self._system.tell(name, message)
            self._said[type(message).__name__] += 1
