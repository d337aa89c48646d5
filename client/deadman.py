"""The dead-man's switch: watches a running system from a process of its own, and cancels its orders when it is dead.

It shares nothing with the system but the data directory: no interpreter, no connection, no token in memory. What it
does is decided by the heartbeat alone (`domain/pulse.py`), and each step asks for it anew:

    the number stands still for `after_s`   it puts the kill switch on, cancels the open orders of the system, and has
                                            the broker close all at a loss of the day, where that is wanted
    it goes on, or a new epoch has begun    it lets go at once, even between two cancellations
    the system ended in order               nothing: what is open then was left open on purpose

A system that comes back is not fought: the kill switch has it halted, so it cancels the same orders itself, and a
cancellation that comes twice does nothing twice. No order is ever sent from here: what is held stays, until the broker
closes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

import msgspec

from ..config.halt_file import HaltNote
from ..domain.brackets import purpose
from ..domain.pulse import Listener, Pulse
from ..domain.time import SECOND_NS

if TYPE_CHECKING:
    from ..config.halt_file import HaltFile
    from ..config.heartbeat import Heartbeat
    from ..domain.pulse import Beat

Policy: TypeAlias = Literal["cancel", "halt", "watch"]
"""`cancel`: halt, cancel the system's open orders, have the broker look at the loss of the day. `halt`: put the kill
switch on. `watch`: tell."""

PERSON: Final = "deadman"
PROVE_S: Final = 60.0
"""From one look whether the broker would do anything for us, while nothing has to be done, to the next."""


class AccountError(Exception):
    """The broker did not do it, or did not say that it has; it is tried again."""


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order that is open at the broker."""

    broker_order_id: str
    client_order_id: str
    """Empty: it was placed by other means."""


class Account(Protocol):
    """The account, over a connection of one's own."""

    def open_orders(self) -> Iterable[OpenOrder]:
        """List what is open, or raise AccountError."""

    def cancel(self, broker_order_id: str) -> None:
        """Cancel it, or raise AccountError."""

    def set_loss_exit(self, loss_rupees: float) -> float:
        """Have the broker close all at this loss of the day or a lesser one; return at which, or raise AccountError."""

    def problem(self) -> str:
        """Say why the broker would do nothing for us now; empty: it would."""


class Deadman:
    """Listens, and does what the policy says. `step` is to be called about once a second."""

    def __init__(  # noqa: PLR0913  each is one thing that a test replaces
        self,
        heart: Heartbeat,
        halt: HaltFile,
        account: Account,
        *,
        find_ours: Callable[[], Callable[[str], bool]],
        monotonic_ns: Callable[[], int],
        after_s: float,
        policy: Policy = "cancel",
        loss_rupees: float = 0.0,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        """Begin to listen.

        Args:
            heart: of the system that is watched.
            halt: its kill switch.
            account: the broker's.
            find_ours: returns how to tell by its client order id whether an order is the system's; asked at each death.
            monotonic_ns: the clock of this process.
            after_s: seconds without a beat after which the system is dead.
            policy: what to do then.
            loss_rupees: of the day, at which the broker is to close all of the account then; 0: it is not asked to.
            tell: hears each thing that happens, in words.
        """
        self._heart: Final = heart
        self._halt: Final = halt
        self._account: Final = account
        self._find_ours: Final = find_ours
        self._is_ours: Callable[[str], bool] | None = None
        self._monotonic_ns: Final = monotonic_ns
        self._listener: Final = Listener(after_s)
        self._policy: Final = policy
        self._loss_rupees: Final = loss_rupees
        self._is_guarded = False
        self._not_guarded = ""
        """Why the broker is not to close all yet, as it was told last."""

        self._tell: Final = tell
        self._pulse: Pulse | None = None
        self._proved_ns: int | None = None
        self.trouble = ""
        """Why the broker would do nothing for us, as it was found last; empty: it would."""

        self.cancelled = 0
        """Cancellations that the broker has taken."""

    def step(self) -> Pulse:
        """Listen once, and act if the system is dead."""
        beat = self._heart.read()
        pulse = self._listener.hear(beat, self._monotonic_ns())
        if pulse != self._pulse:
            self._pulse, self._is_ours = pulse, None
            self._is_guarded, self._not_guarded = False, ""
            self._tell(_WORDS[pulse])
        if pulse == "dead" and self._policy != "watch":
            self._act(beat)
        elif self._policy == "cancel":
            self._prove()
        return pulse

    def _prove(self) -> None:
        """Find out now and then whether anything could be cancelled: a token ends while nobody needs it."""
        now_ns = self._monotonic_ns()
        if self._proved_ns is not None and now_ns - self._proved_ns < PROVE_S * SECOND_NS:
            return
        self._proved_ns, was = now_ns, self.trouble
        self.trouble = self._account.problem()
        if self.trouble and not was:
            self._tell(f"the broker would do nothing now, so nothing could be cancelled: {self.trouble}")
        elif was and not self.trouble:
            self._tell("the broker takes our token again")

    def _act(self, beat: Beat | None) -> None:
        if not self._halt.is_engaged():
            silent_s = self._listener.silent_s(self._monotonic_ns())
            try:
                self._halt.engage(HaltNote(reason=f"no heartbeat for {silent_s:.0f} s", person=PERSON))
                self._tell(f"the kill switch is on: {self._halt.where()}")
            except OSError as fault:  # its orders are cancelled all the same
                self._tell(f"the kill switch cannot be put on: {fault.strerror}")
        if self._policy == "cancel":
            self._cancel_all(beat)
            self._guard(beat)

    def _cancel_all(self, beat: Beat | None) -> None:
        is_ours = self._is_ours = self._is_ours or self._find_ours()
        try:
            found = [each for each in self._account.open_orders() if is_ours(each.client_order_id)]
        except AccountError as fault:
            self._tell(f"the open orders cannot be read, and are asked for again: {fault}")
            return
        for each in found:
            if self._heart.read() != beat:
                self._tell("it lives again: the rest is its own")
                return
            try:
                self._account.cancel(each.broker_order_id)
            except AccountError as fault:
                self._tell(f"order {each.client_order_id} is not cancelled yet: {fault}")
            else:
                self.cancelled += 1
                was = purpose(each.client_order_id)
                without = f": it {was}, and what it was to close is held without it" if was else ""
                self._tell(f"order {each.client_order_id} is cancelled ({each.broker_order_id}){without}")

    def _guard(self, beat: Beat | None) -> None:
        """Have the broker look at the loss of the day, since nobody else does now; once for each death."""
        if not self._loss_rupees or self._is_guarded or self._heart.read() != beat:
            return
        try:
            at = self._account.set_loss_exit(self._loss_rupees)
        except AccountError as fault:
            if self._not_guarded != str(fault):
                self._not_guarded = str(fault)
                self._tell(f"the broker does not close all at a loss of {self._loss_rupees:.2f} rupees yet: {fault}")
        else:
            self._is_guarded = True
            self._tell(f"the broker closes all of the account at a loss of {at:.2f} rupees today")


_WORDS: Final[dict[Pulse, str]] = {
    "absent": "no system has run there: waiting for its first heartbeat",
    "alive": "the system lives",
    "ended": "the system has ended in order: its orders stay as they are",
    "dead": "the system is dead or stuck: its heartbeat stands still",
}
