"""What a cell in a simulation may use of it, beside what every cell may."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from ..thespian.services import ThespianServices

if TYPE_CHECKING:
    from random import Random

    from .injector import Injector
    from .links import Links


class SimulatedServices(ThespianServices, Protocol):
    """What the cells of one simulation share."""

    random: Random
    """Generator of the order of events."""

    injector: Injector
    links: Links

    fatal: tuple[type[BaseException], ...]
    """Errors that end the simulation instead of failing an actor."""
