"""How long the actors of some settings may take to stop, for who would kill the process: a service manager."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ..actors.supervision import stop_bound_s
from .nodes import gate, node_children, strategies_stop_s
from .trading import children

if TYPE_CHECKING:
    from ..config.settings import Settings


def actors_stop_s(settings: Settings) -> float:
    """Return the seconds after which all actors have ended, one after another, though each had to be killed.

    No strategy is loaded for it, since whoever asks may be another user than who runs it, root for one.
    """
    each_s = settings.system.shutdown_s
    if settings.system.profile == "node":
        return stop_bound_s(node_children(settings), each_s)
    actors = (*children(msgspec.structs.replace(settings, strategies=())), *gate(settings))
    return stop_bound_s(actors, each_s) + strategies_stop_s(settings)
