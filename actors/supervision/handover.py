"""What a restarted supervisor takes over from the instance that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from ..runtime import ActorAddress
    from .restart_budget import RestartBudget


class GivenUp(msgspec.Struct, frozen=True):
    """Why it gave up: on which child, which limit was exceeded, and the last failure."""

    child: str
    reason: str
    error: BaseException | None


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """From the failed instance to the fresh one."""

    running: tuple[tuple[str, ActorAddress], ...]
    """Names and addresses of the children that still run."""

    budget: RestartBudget
    """Restarts spent so far: a restart of the supervisor does not reset them."""

    given_up: GivenUp | None
