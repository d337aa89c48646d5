"""The system at one moment, as its actors describe it: what health and metrics are made of."""

from __future__ import annotations

import msgspec

from ...messages.health import Timing
from ...messages.supervision import SupervisionTree
from ...messages.system import Statistics


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What all actors say of themselves; one that is busy or down is absent."""

    tree: SupervisionTree | None
    """None: the root did not answer."""

    statistics: dict[str, Statistics]
    """By name of the actor."""

    silent: frozenset[str] = frozenset()
    """Names of those that run and did not say in time how they are."""

    disk_free_bytes: int | None = None
    """Of the file systems that it writes in the fullest; None: it is not known."""

    log_lines_lost: int = 0
    """That could not be written since the process began."""

    log_fault: str = ""
    """Why the newest line could not be written; empty: it could."""

    waits: dict[str, Timing] = {}
    """How long messages waited in mailboxes, by name of the actor: of a sample, and of all about orders."""

    turns: dict[str, Timing] = {}
    """How long their handlers took."""

    refused: dict[str, int] = {}
    """Requests from outside that were turned away, by why."""

    services: dict[str, str] = {}
    """Why each service of the container that can be pinged does not work, by its name; an empty text: it does."""

    def name_of(self, path: str) -> str:
        """Return the name of an actor in the tree."""
        return path.rpartition("/")[2]


class ShowView(msgspec.Struct, frozen=True):
    """To control, from an actor of this process: answered by `View`."""
