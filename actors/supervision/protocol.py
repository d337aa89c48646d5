"""What one may say to a supervisor besides the wire messages: plain frozen values that stay in the process."""

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

    Handled in turn like any message; a supervisor that is told `Stop` does the same by itself.
    """


class ChildrenStopped(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `StopChildren`: none is left."""

    statistics: StatisticsByPath


class AwaitSystemStop(msgspec.Struct, frozen=True):
    """To the root supervisor, from whoever runs the system. Answered by `SystemStopped` when no child is left."""


class SystemStopped(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to `AwaitSystemStop`."""

    exit_code: int
    """0: it was asked to stop; 70: it gave up."""

    reason: str
    """Which child, and what was too much of it; empty when it was asked to stop."""

    error: BaseException | None = None
    """The failure that was one too many."""

    statistics: StatisticsByPath = ()
