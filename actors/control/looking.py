"""Asking all actors how they are, on behalf of the control actor: a `View` of the system, and what has been counted.

One look serves everybody who wants one while it goes on. An actor that does not answer in time is left out.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from ...config.files import free_bytes
from ...domain.timings import Timings
from ...messages.addresses import SYSTEM
from ...messages.supervision import DescribeTree, SupervisionTree
from ...messages.system import Ping, Pong
from ...messages.trace import ReadTrace, TraceRead
from ..observability import LOSS, View

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from ...messages.system import Statistics
    from ..runtime import Outcome
    from ..runtime.offload import Then

LOOK_S: Final = 1.0
"""How long an actor may take to say how it is."""

HOPS_MAX: Final = 50_000

Use: TypeAlias = Callable[[View], object]
Handover: TypeAlias = tuple[dict[str, Timings], dict[str, Timings], frozenset[int]]
"""How long messages waited and handlers took, by actor; and which hops are counted in these."""


class Asking(Protocol):
    """The part of an actor that is needed here."""

    name: str
    directory: Mapping[str, Any]

    def ask(self, target: str, message: Any, *, timeout_s: float, then: Then) -> None:
        """Send a request."""


class Looker:
    """Looks at the system."""

    def __init__(
        self,
        actor: Asking,
        folders: tuple[Path, ...],
        turned_away: Callable[[], dict[str, int]],
        services: Callable[[], dict[str, str]],
    ) -> None:
        """Begin.

        Args:
            actor: asks.
            folders: the system writes in; the fullest of them is told.
            turned_away: counts requests from outside, by why they were refused.
            services: tells why each service of the container does not work, by name.
        """
        self._actor = actor
        self._folders = folders
        self._turned_away = turned_away
        self._services = services
        self._uses: list[Use] = []
        self._running: frozenset[str] = frozenset()
        self._wanted: set[str] = set()
        self._statistics: dict[str, Statistics] = {}
        self._tree: SupervisionTree | None = None
        self._waits: dict[str, Timings] = {}
        self._turns: dict[str, Timings] = {}
        self._hops_read: frozenset[int] = frozenset()
        self._wants_hops = False

    def handover(self) -> Handover:
        """Return what has been counted, for the actor's next life."""
        return self._waits, self._turns, self._hops_read

    def take_over(self, handover: Handover) -> None:
        """Go on with what a former life of the actor has counted."""
        self._waits, self._turns, self._hops_read = handover

    def look(self, use: Use, *, with_hops: bool = False) -> None:
        """Have `use` called with a view, in a later turn of the actor.

        Args:
            use: is given the view.
            with_hops: count the hops recorded since the last time, too; up to 5 ms of this actor's thread.
        """
        self._uses.append(use)
        self._wants_hops |= with_hops
        if len(self._uses) > 1:
            return
        self._statistics, self._tree, self._running = {}, None, frozenset()
        if SYSTEM not in self._actor.directory:
            self._finish()
            return
        self._actor.ask(SYSTEM, DescribeTree(), timeout_s=LOOK_S, then=self._ask_all)

    def _ask_all(self, outcome: Outcome) -> None:
        if isinstance(outcome.value, SupervisionTree):
            self._tree = outcome.value
            running = [each for each in outcome.value.children if each.state == "RUNNING"]
            self._running = frozenset(each.path.rpartition("/")[2] for each in running)
            self._wanted = {*self._running}
        if not self._wanted:
            self._finish()
        for name in tuple(self._wanted):
            self._actor.ask(name, Ping(), timeout_s=LOOK_S, then=functools.partial(self._take, name))

    def _take(self, name: str, outcome: Outcome) -> None:
        if isinstance(outcome.value, Pong):
            self._statistics[name] = outcome.value.statistics
        self._wanted.discard(name)
        if self._wanted:
            return
        if not self._wants_hops:
            self._finish()
        else:
            read = ReadTrace(hops_max=HOPS_MAX)
            self._actor.ask(self._actor.name, read, timeout_s=LOOK_S, then=self._count_hops)

    def _count_hops(self, outcome: Outcome) -> None:
        if isinstance(outcome.value, TraceRead):
            for hop in outcome.value.hops:
                if hop.hop_id not in self._hops_read:
                    self._turns.setdefault(hop.actor, Timings()).add(hop.ended_ns - hop.begun_ns)
                    self._waits.setdefault(hop.actor, Timings()).add(hop.begun_ns - hop.sent_ns)
            self._hops_read = frozenset(hop.hop_id for hop in outcome.value.hops)
        self._finish()

    def _finish(self) -> None:
        view = View(
            tree=self._tree,
            statistics=self._statistics,
            silent=self._running - self._statistics.keys(),
            disk_free_bytes=free_bytes(*self._folders),
            log_lines_lost=LOSS.lines,
            log_fault=LOSS.fault,
            waits={name: each.timing() for name, each in self._waits.items()},
            turns={name: each.timing() for name, each in self._turns.items()},
            refused=self._turned_away(),
            services=self._services(),
        )
        uses, self._uses, self._wants_hops = self._uses, [], False
        for use in uses:
            use(view)
