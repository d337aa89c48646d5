"""The heart of a running system: beats as long as orders and the journal do their work.

Owns    the file `heartbeat` of the data directory (`config/heartbeat.py`).
Hears   the answers of orders (Pong) and of the journal (DurableProved).
Sends   Ping to orders, and when that is answered ProveDurable to the journal, once an interval; the file's number is
        counted up only when both have answered, so that it stands still where either is stuck, and the process with it.
Fails   when the file cannot be written. Restarted, it begins a new epoch.

Whoever watches the file (`natya deadman`) is watched by this: one that was seen here and has fallen silent is told in
the tree. A system that stops in order says so in the file.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from ...config.heartbeat import DEADMAN_NAME, HEARTBEAT_NAME, Heartbeat
from ...domain.pulse import Listener
from ...messages.addresses import JOURNAL, ORDERS
from ...messages.journal import DurableProved, ProveDurable
from ...messages.system import Ping, Pong
from ..runtime import RuntimeActor, handles

if TYPE_CHECKING:
    from ..runtime import ActorAddress, Outcome

ANSWER_S: Final = 5.0
WATCHER_SILENT_S: Final = 30.0
"""A watcher that has said nothing for so long watches no more."""

NOBODY_WATCHES: Final = "the dead-man's switch was heard, and is silent now: natya deadman"


class BeatDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time for the next beat."""


class HeartSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the actor needs."""

    data_dir: Path
    interval_s: float


class HeartActor(RuntimeActor):
    """Beats once an interval, if orders and the journal have answered."""

    blocking = True  # it writes a file
    background = True
    system_time = True  # whoever listens does so in real time

    settings: HeartSettings

    def on_start(self) -> None:
        """Begin a new epoch."""
        self._file = Heartbeat(self.settings.data_dir / HEARTBEAT_NAME)
        self._watcher = Heartbeat(self.settings.data_dir / DEADMAN_NAME)
        self._listener = Listener(WATCHER_SILENT_S)
        self._was_heard = False
        self._file.begin(pid=os.getpid())
        self.after(self.settings.interval_s, BeatDue())

    def on_stop(self) -> None:
        """Say that this is the end, in order."""
        self._file.end()

    @handles(BeatDue)
    def beat(self, _message: BeatDue, _sender: ActorAddress) -> None:
        """Ask orders whether it works."""
        self._look_at_watcher()
        self.ask(ORDERS, Ping(), timeout_s=ANSWER_S, then=self._hear_orders)

    def _hear_orders(self, outcome: Outcome) -> None:
        if isinstance(outcome.value, Pong):
            self.ask(JOURNAL, ProveDurable(), timeout_s=ANSWER_S, then=self._hear_journal)
        else:
            self._miss(ORDERS, outcome)

    def _hear_journal(self, outcome: Outcome) -> None:
        if isinstance(outcome.value, DurableProved):
            self._file.beat()
            self.after(self.settings.interval_s, BeatDue())
        else:
            self._miss(JOURNAL, outcome)

    def _miss(self, actor: str, outcome: Outcome) -> None:
        self.log("heart.missed", level="error", actor_asked=actor, answer=str(outcome.value or outcome.error))
        self.after(self.settings.interval_s, BeatDue())

    def _look_at_watcher(self) -> None:
        """Tell once that whoever watched has fallen silent."""
        pulse = self._listener.hear(self._watcher.read(), self.clock.monotonic_ns())
        if pulse == "alive" and self._listener.silent_s(self.clock.monotonic_ns()) < self.settings.interval_s:
            self._was_heard = True
        trouble = NOBODY_WATCHES if self._was_heard and pulse == "dead" else ""
        if trouble and not self.trouble:
            self.log("deadman.silent", level="error")
        self.trouble = trouble
