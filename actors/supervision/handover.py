"""What a supervisor that is restarted has from its life before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from ..runtime import ActorAddress
    from .restart_budget import RestartBudget


class GivenUp(msgspec.Struct, frozen=True):
    """Why it gave up: on which child, what was too much, and the failure that was one too many."""

    child: str
    reason: str
    error: BaseException | None


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """From the failed instance to the fresh one."""

    running: tuple[tuple[str, ActorAddress], ...]
    """Children that were left, by name and address."""

    budget: RestartBudget
    given_up: GivenUp | None
