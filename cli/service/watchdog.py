"""Feeds systemd's watchdog: only behind a proof that the system does its work.

A proof is a request to each actor without which nothing is traded, asked anew for each feeding; the journal's answer
comes when a sync has reached the disk. So a process whose main thread lives is killed, and started again, where its
router, its orders or its disk hangs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

from ...actors.runtime import UnknownActorError
from ...messages.addresses import EVENTS, JOURNAL, NODES, ORDERS
from ...messages.journal import DurableProved, ProveDurable
from ...messages.system import Ping, Pong

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from .manager import ServiceManager

Proof: TypeAlias = "tuple[tuple[str, Any, type], ...]"
"""Of each actor: its name, what it is asked, and what it answers where it works."""

OF_TRADING: Final[Proof] = (
    (EVENTS, Ping(), Pong),
    (ORDERS, Ping(), Pong),
    (JOURNAL, ProveDurable(), DurableProved),
)
OF_A_NODE: Final[Proof] = ((EVENTS, Ping(), Pong), (NODES, Ping(), Pong))
"""It has neither orders nor a journal of its own."""


class Watchdog:
    """Asks for a proof each time the watchdog is to be fed, and feeds it when all of it has come; never waits."""

    def __init__(self, manager: ServiceManager, proof: Proof, ask: Callable[[str, Any], Future[Any]]) -> None:
        """Ask nothing yet; `ask` sends to an actor by its name."""
        self._manager: Final = manager
        self._proof: Final = proof
        self._ask: Final = ask
        self._asked: list[Future[Any]] = []

    def look(self, now_ns: int) -> None:
        """Do what is due (monotonic time); to be called several times a second."""
        if self._asked and all(each.done() for each in self._asked):
            answers = [each.result() for each in self._asked]
            self._asked = []
            if all(isinstance(found, wanted) for found, (_, _, wanted) in zip(answers, self._proof, strict=True)):
                self._manager.feed()
        if self._manager.is_hungry(now_ns):  # an answer that has not come by then is waited for no longer
            try:
                self._asked = [self._ask(actor, message) for actor, message, _ in self._proof]
            except UnknownActorError:  # gone for the moment, or for good
                self._asked = []
