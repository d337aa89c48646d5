"""Several machines in one play: the gate of a broker node, and the actors of those that run its strategies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..actors.events import EventsActor, EventsSettings
from ..actors.strategy import StrategySupervisor
from ..actors.supervision import KILL_S, ChildSpec, SupervisorSettings
from ..messages.addresses import CONTROL, EVENTS, NODES, STRATEGIES, SYSTEM
from ..messages.events import Subscribe
from ..messages.nodes import ASKED_ELSEWHERE
from .choices import elsewhere, has_nodes
from .control import control_socket

if TYPE_CHECKING:
    from ..config.settings import Settings

LOOKED_AT: Final = frozenset({SYSTEM, CONTROL, STRATEGIES})
"""Whom one may ask on a machine that runs strategies for a broker node: its doors lead to the latter."""


def heard_elsewhere(settings: Settings) -> tuple[Subscribe, ...]:
    """Return the subscription to what other machines hear: the ticks of the symbols of their strategies."""
    if not has_nodes(settings):
        return ()
    wanted = [each.symbols for each in elsewhere(settings)]
    symbols = dict.fromkeys(symbol for symbols in wanted for symbol in symbols) if all(wanted) else ()
    return (Subscribe(subscriber=NODES, topics=("Tick",), symbols=tuple(symbols)),)


def gate(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return who lets the strategies of other machines speak here; parked at the worst: then none of them orders."""
    if not has_nodes(settings):
        return ()
    from ..actors.nodes import Gate, PlaySettings  # noqa: PLC0415  loaded where it is used

    play = PlaySettings(server=settings.redis, limits=settings.nodes, strategies=elsewhere(settings))
    return (ChildSpec(NODES, Gate, play, when_exhausted="park"),)


def strategies_stop_s(settings: Settings) -> float:
    """Return the seconds after which all strategies have ended, one after another, though each had to be killed."""
    return len(settings.strategies) * (settings.system.shutdown_s + KILL_S)


def node_children(settings: Settings) -> tuple[ChildSpec, ...]:
    """Return the actors of a machine that runs strategies for a broker node, in the order of starting.

    It has no journal: what its supervisors say goes to the log, and by its control socket one only looks. Which
    strategies run is for its keeper to say; to stop, they have as long as all that may.
    """
    from ..actors.nodes import Door, Keeper, PlaySettings  # noqa: PLC0415  loaded where it is used

    exchange = None if settings.feed.exchange == "none" else settings.feed.exchange
    play = PlaySettings(server=settings.redis, limits=settings.nodes, strategies=elsewhere(settings))
    each_s = settings.system.shutdown_s
    strategies = SupervisorSettings(children=(), policy=settings.supervision, shutdown_s=each_s, journal="")
    stop_s = each_s + strategies_stop_s(settings)
    return (
        ChildSpec(EVENTS, EventsActor, EventsSettings(exchange=exchange)),
        ChildSpec(NODES, Keeper, play),
        *(ChildSpec(name, Door) for name in ASKED_ELSEWHERE),
        ChildSpec(STRATEGIES, StrategySupervisor, strategies, shutdown_s=stop_s),
        *([control_socket(settings, looks_at=LOOKED_AT)] if settings.control.enabled else []),
    )
