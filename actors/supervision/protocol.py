"""Messages to and from supervisors that stay in the process: frozen structs without a form on the wire."""

from __future__ import annotations

from typing import Final, TypeAlias

import msgspec

from ...messages.system import Statistics

EXIT_GAVE_UP: Final = 70
"""Exit code of a system whose root supervisor gave up; EX_SOFTWARE of sysexits.h."""

StatisticsByPath: TypeAlias = tuple[tuple[str, Statistics], ...]
"""Final statistics of actors by path (`system/strategies/crossover`): parents before children, in start order."""


class StopChildren(msgspec.Struct, frozen=True):
    """To a supervisor: stop all children, the last started first. Answered by `ChildrenStopped`.

    Handled in order of the mailbox; the control message `lifecycle.Stop` has the same effect.
    """


class ChildrenStopped(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `StopChildren`: no child runs."""

    statistics: StatisticsByPath
    failures: tuple[str, ...] = ()
    """Of each actor that ended by an error when it was to stop, or had to be killed: its path, the error, and where it
    was raised."""

    def told(self) -> tuple[str, ...]:
        """Return a sentence for each of the failures."""
        parts = (failure.partition(": ") for failure in self.failures)
        return tuple(f"{path.rpartition('/')[2]} failed when it stopped: {what}" for path, _, what in parts)


class AwaitSystemStop(msgspec.Struct, frozen=True):
    """To the root supervisor, from the owner of the system. Answered by `SystemStopped` when no child runs any more."""


class SystemStopped(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `AwaitSystemStop`."""

    exit_code: int
    """0: it was asked to stop; 70: it gave up."""

    reason: str
    """Which child, and which limit it exceeded; empty when it was asked to stop."""

    error: BaseException | None = None
    """The last failure of that child."""

    statistics: StatisticsByPath = ()
