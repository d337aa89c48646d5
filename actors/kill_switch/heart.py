"""The heart of a running system: beats as long as orders and the journal do their work.

Owns    the file `heartbeat` of the data directory (`config/heartbeat.py`).
Hears   the answers of orders (Pong) and of the journal (DurableProved).
Sends   Ping to orders, and when that is answered ProveDurable to the journal, once an interval; the file's number is
        counted up only when both have answered, so that it stands still where either is stuck, and the process with it.
        ReduceOnly to orders while little is free where the journal is: on a full disk no order can be made durable, so
        what is left is for those that close.
Fails   never: where the file cannot be written (read-only, or the disk is full and it is not there yet) it stands
        still, and whoever listens takes that for what it is. Restarted, it begins a new epoch.

Whoever watches the file (`natya deadman`) is watched by this: one that was seen here and has fallen silent, or that
says it could do nothing now, is told in the tree. That a system has stopped in order is said in the file by who
stopped it (`system.py`): an actor is stopped alike when the system gives up.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from ...config.files import free_bytes
from ...config.heartbeat import DEADMAN_NAME, HEARTBEAT_NAME, Heartbeat
from ...domain.pulse import Listener
from ...messages.addresses import JOURNAL, ORDERS
from ...messages.journal import DurableProved, ProveDurable
from ...messages.risk_state import ReduceOnly
from ...messages.system import Ping, Pong
from ..runtime import RuntimeActor, handles

if TYPE_CHECKING:
    from ..runtime import ActorAddress, Outcome

ANSWER_S: Final = 5.0
WATCHER_SILENT_S: Final = 30.0
"""A watcher that has said nothing for so long watches no more."""

FREE_BYTES_MIN: Final = 256 << 20
"""With less only orders that close pass."""

FREE_BYTES_ENOUGH: Final = 320 << 20
"""With as much all pass again: a disk at the edge does not limit and lift by turns."""

NOBODY_WATCHES: Final = "the dead-man's switch was heard, and is silent now: natya deadman"
COULD_DO_NOTHING: Final = "the dead-man's switch could cancel nothing now: "


class BeatDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time for the next beat."""


class HeartSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the actor needs."""

    data_dir: Path
    """Directory of the file."""

    journal_dir: Path
    """Where orders become durable, which may be on another disk."""

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
        self._has_begun = False
        self._of_watcher = self._of_file = ""
        """What is wrong with either; empty: nothing."""

        self._is_low: bool | None = None
        """Whether only orders that close pass for the disk; None: not looked yet; a life before may have said so."""

        self._write()
        self.after(self.settings.interval_s, BeatDue())

    @handles(BeatDue)
    def beat(self, _message: BeatDue, _sender: ActorAddress) -> None:
        """Ask orders whether it works."""
        self._look_at_watcher()
        self._look_at_disk()
        self.ask(ORDERS, Ping(), timeout_s=ANSWER_S, then=self._hear_orders)

    def _hear_orders(self, outcome: Outcome) -> None:
        if isinstance(outcome.value, Pong):
            self.ask(JOURNAL, ProveDurable(), timeout_s=ANSWER_S, then=self._hear_journal)
        else:
            self._miss(ORDERS, outcome)

    def _hear_journal(self, outcome: Outcome) -> None:
        if isinstance(outcome.value, DurableProved):
            self._write()
            self.after(self.settings.interval_s, BeatDue())
        else:
            self._miss(JOURNAL, outcome)

    def _miss(self, actor: str, outcome: Outcome) -> None:
        self.log("heart.missed", level="error", actor_asked=actor, answer=str(outcome.value or outcome.error))
        self.after(self.settings.interval_s, BeatDue())

    def _look_at_disk(self) -> None:
        """Let only orders pass that close while little is free; said each time, since orders may have restarted."""
        free, was = free_bytes(self.settings.journal_dir), self._is_low
        if free is None:
            return
        self._is_low = free < (FREE_BYTES_ENOUGH if was else FREE_BYTES_MIN)
        if self._is_low:
            wanted = f"at least {FREE_BYTES_MIN >> 20} MiB free on the disk of the journal wanted, found fewer"
            self.send(ORDERS, ReduceOnly(reason=wanted))
        elif was is not False:
            self.send(ORDERS, ReduceOnly(reason=""))

    def _write(self) -> None:
        """Begin, or beat; what cannot be written now is tried again with the next beat."""
        was = self._of_file
        try:
            if self._has_begun:
                self._file.beat()
            else:
                self._file.begin(pid=os.getpid())
                self._has_begun = True
        except OSError as fault:
            self._of_file = f"{self._file.path} cannot be written: {fault.strerror}"
        else:
            self._of_file = ""
        if self._of_file != was:
            self.log("heart.not_written" if self._of_file else "heart.written", level="error", reason=self._of_file)
        self._tell()

    def _look_at_watcher(self) -> None:
        """Tell once that whoever watched has fallen silent, or could do nothing now."""
        heard = self._watcher.read()
        pulse = self._listener.hear(heard, self.clock.monotonic_ns())
        was, self._of_watcher = self._of_watcher, ""
        if pulse == "dead":
            self._of_watcher = NOBODY_WATCHES
        elif heard is not None and heard.trouble and pulse == "alive":
            self._of_watcher = f"{COULD_DO_NOTHING}{heard.trouble}"
        if self._of_watcher and not was:
            self.log("deadman.troubled", level="error", reason=self._of_watcher)
        self._tell()

    def _tell(self) -> None:
        self.trouble = "; ".join(each for each in (self._of_file, self._of_watcher) if each)
