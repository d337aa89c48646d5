"""The kill switch actor: watches the file `HALT`, and has orders halt while it is there.

Owns    the file `HALT` of the data directory, and the one that the settings name (`config/halt_file.py`), which any
        process of the user may make or remove; `HALT.elsewhere`, which says in the former where the latter is.
Hears   EngageKillSwitch, ReleaseKillSwitch and ReadKillSwitch of a person; FlatteningBegun.
Sends   HaltTrading to orders, whenever the file appears or says something else, until orders has confirmed it, and
        then Flatten to the flattener if the file wants that; where the settings want it, StopTrading to the broker
        session, once nothing is held or open; to the sender KillSwitchEngaged or KillSwitchRead.
Fails   not by the file: one that cannot be read halts with that reason, and one that cannot be written is told to who
        wanted it, while orders halts all the same. Restarted, it tells orders again, which cancels what is still open.

It has a thread of its own, so that it goes on looking where the shared loop is held. Nothing depends on that alone: the
owner of the calls to the broker looks for the file by itself, on the thread of each request, right before it leaves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from ...config.halt_file import HaltFile, HaltNote, write_down_elsewhere
from ...domain.wording import printable
from ...messages.addresses import FLATTENER, ORDERS
from ...messages.kill_switch import (
    EngageKillSwitch,
    Flatten,
    FlatteningBegun,
    HaltTrading,
    KillSwitchEngaged,
    KillSwitchRead,
    KillSwitchStatistics,
    ReadKillSwitch,
    ReleaseKillSwitch,
    TradingHalted,
)
from ..runtime import RuntimeActor, handles
from .at_broker import BrokerSwitch, StopDue
from .settings import KillSwitchActorSettings

if TYPE_CHECKING:
    from ..runtime import ActorAddress, Outcome

ORDERS_TIMEOUT_S: Final = 2.0
"""Seconds that orders may take to confirm; then it is told again."""


class LookDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to look for the file."""


class KillSwitchActor(RuntimeActor):
    """Tells orders to halt while the file is there."""

    blocking = True  # it reads and syncs a file, and looks for it while the shared loop is held
    background = True  # a simulated market does not wait for its looks
    system_time = True  # people make the file in real time

    settings: KillSwitchActorSettings

    def on_start(self) -> None:
        """Look for the file before anything else: whoever starts after this finds orders halting."""
        self._file = HaltFile(*self.settings.paths)
        self._confirmed: tuple[int, ...] | None = None
        """Signature of the file that orders has halted for; None: of none."""

        self._asked: tuple[int, ...] | None = None
        self._waiting: list[tuple[ActorAddress, str]] = []
        self._looks = self._halts = 0
        self._at_broker = BrokerSwitch(self)
        self.look(LookDue(), self.myAddress)
        try:
            write_down_elsewhere(self.settings.paths)
        except OSError as fault:  # who knows the directory alone does not see the other file, once this has stopped
            self.log("kill_switch.not_written_down", level="warning", reason=str(fault))

    def statistics(self) -> KillSwitchStatistics:
        """Return the counts."""
        return KillSwitchStatistics(engaged=self._file.is_engaged(), looks=self._looks, halts=self._halts)

    @handles(LookDue)
    def look(self, _message: LookDue, _sender: ActorAddress) -> None:
        """Look whether the file has come, gone or changed."""
        self._looks += 1
        self._tell_orders()
        self.after(self.settings.look_interval_s, LookDue())

    @handles(EngageKillSwitch)
    def engage(self, request: EngageKillSwitch, sender: ActorAddress) -> None:
        """Make the file, and answer when orders has confirmed; orders is told even if there can be no file."""
        note = HaltNote(
            reason=printable(request.reason, 200), person=printable(request.person), flatten=request.flatten
        )
        try:
            problem = self._file.engage(note)
        except OSError as fault:
            problem = f"the file {self._file.path} wanted, found that it cannot be made: {fault.strerror}"
        if problem:  # what it says of the reason, and of closing, goes on in this process alone
            self.log("kill_switch.not_written", level="error", reason=problem)
        self._waiting.append((sender, problem))
        self._asked = None  # tell it now, and again where it is told already: what is still open is cancelled again
        self._halt(self._file.signature(), self._file.note() if not problem else note)

    @handles(ReleaseKillSwitch)
    def release(self, _request: ReleaseKillSwitch, sender: ActorAddress) -> None:
        """Remove the file; orders stays HALTED until a person resumes."""
        try:
            if self._file.release():
                self.log("kill_switch.released", level="warning")
        except OSError as fault:
            self.log("kill_switch.not_released", level="error", reason=str(fault.strerror))
        self._tell_orders()
        self.read(ReadKillSwitch(), sender)

    @handles(ReadKillSwitch)
    def read(self, _request: ReadKillSwitch, sender: ActorAddress) -> None:
        """Say how it stands."""
        signature = self._file.signature()
        if signature is None:
            self.send(sender, KillSwitchRead(engaged=False))
            return
        note = self._file.note()
        told = signature == self._confirmed
        read = KillSwitchRead(
            engaged=True,
            reason=note.reason,
            person=note.person,
            flatten=note.flatten,
            told=told,
            at_broker=self._at_broker.told,
            path=self._file.where(),
        )
        self.send(sender, read)

    @handles(FlatteningBegun)
    def note_begun(self, _message: FlatteningBegun, _sender: ActorAddress) -> None:
        """Do nothing: the flattener goes on by itself."""

    @handles(StopDue)
    def stop_at_broker(self, _message: StopDue, _sender: ActorAddress) -> None:
        """Look whether the broker's own switch can be set."""
        self._at_broker.look()

    # Helpers.

    def _tell_orders(self) -> None:
        signature = self._file.signature()
        if signature is None:
            self._confirmed = self._asked = None
            self._at_broker.leave()
            self.trouble = ""
        elif signature not in {self._confirmed, self._asked}:
            self._halt(signature, self._file.note())

    def _halt(self, signature: tuple[int, ...] | None, note: HaltNote) -> None:
        self._asked = signature
        self.trouble = f"on: {note.cause()}"
        self.log("kill_switch.engaged", level="error", cause=note.cause(), person=note.person)

        def confirmed(outcome: Outcome) -> None:
            if isinstance(outcome.value, TradingHalted):
                self._halts += 1
                self._confirmed = signature
                self._answer(outcome.value.cancelling, outcome.value.not_written)
                if note.flatten:
                    self.send(FLATTENER, Flatten(person=note.person))
                if self.settings.at_broker and self._file.is_engaged():  # else it is off again, and that would not be
                    self._at_broker.want()
            else:
                found = outcome.value or outcome.error
                reason = f"an answer of orders wanted, found {found}: nothing leaves all the same"
                self.log("kill_switch.not_confirmed", level="error", reason=reason)
                self._answer(0, reason)
            if self._asked == signature:
                self._asked = None

        halt = HaltTrading(cause=note.cause(), person=note.person)
        self.ask(ORDERS, halt, timeout_s=ORDERS_TIMEOUT_S, then=confirmed)

    def _answer(self, cancelling: int, problem: str) -> None:
        waiting, self._waiting = self._waiting, []
        for sender, earlier in waiting:
            told = "; ".join(filter(None, (earlier, problem)))
            self.send(sender, KillSwitchEngaged(cancelling=cancelling, problem=told))
