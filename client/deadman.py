"""The dead-man's switch: watches a running system from a process of its own, and cancels its orders when it is dead.

It shares nothing with the system but the data directory: no interpreter, no connection, no token in memory. What it
does is decided by the heartbeat alone (`domain/pulse.py`), and each step asks for it anew:

    the number stands still for `after_s`   it puts the kill switch on, cancels the open orders of the system but stops
                                            that only make smaller what is held (`domain/protection.py`), and has the
                                            broker close all at a loss of the day, where that is wanted
    it goes on, or a new epoch has begun    it lets go at once, even between two cancellations
    the system ended in order               nothing: what is open then was left open on purpose

A system that comes back is not fought: the kill switch has it halted, so it cancels the same orders itself, and a
cancellation that comes twice does nothing twice. No order is ever sent from here: what is held stays, until the broker
closes it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, Literal, Protocol, TypeAlias

import msgspec

from ..config.halt_file import HaltNote
from ..domain.brackets.legs import purpose
from ..domain.protection import RestingStop, that_stay
from ..domain.pulse import Listener, Pulse
from ..domain.time import SECOND_NS

if TYPE_CHECKING:
    from ..config.halt_file import HaltFile
    from ..config.heartbeat import Heartbeat
    from ..domain.orders import Order
    from ..domain.pulse import Beat
    from ..messages.orders import Side

Policy: TypeAlias = Literal["cancel", "halt", "watch"]
"""`cancel`: halt, cancel the system's open orders, have the broker look at the loss of the day. `halt`: put the kill
switch on. `watch`: tell."""

PERSON: Final = "deadman"
PROVE_S: Final = 60.0
"""From one look whether the broker would do anything for us, while nothing has to be done, to the next."""


class AccountError(Exception):
    """The broker did not do it, or did not say that it has; it is tried again."""


Position: TypeAlias = tuple[str, str]
"""An instrument, and the product that it is held as; both as the broker names them."""


class OrderThere(msgspec.Struct, frozen=True, kw_only=True):
    """An order of the day at the broker."""

    broker_order_id: str
    client_order_id: str
    """Empty: it was placed by other means."""

    is_open: bool
    is_resting_stop: bool
    """Whether it is a stop, and known to rest there."""

    side: Side
    position: Position
    """That it makes greater or smaller."""

    filled: int
    """Shares."""

    leaves: int
    """Shares that it may still trade."""


class Book(Protocol):
    """What the system's journal says."""

    def __contains__(self, client_order_id: str) -> bool:
        """Whether an order of this id is the system's."""

    def order(self, client_order_id: str) -> Order | None:
        """Return it as it was when the system died."""

    def strategy_shares(self, strategy: str, symbol: str) -> int:
        """Return the signed shares that a strategy held then."""


class Account(Protocol):
    """The account, over a connection of one's own."""

    def orders(self) -> Iterable[OrderThere]:
        """List the orders of the day, or raise AccountError."""

    def held(self) -> Mapping[Position, int]:
        """Return the signed shares of each position, or raise AccountError."""

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
        find_book: Callable[[], Book | None],
        monotonic_ns: Callable[[], int],
        after_s: float,
        policy: Policy = "cancel",
        keeps_stops: bool = True,
        loss_rupees: float = 0.0,
        tell: Callable[[str], object] = lambda _: None,
    ) -> None:
        """Begin to listen.

        Args:
            heart: of the system that is watched.
            halt: its kill switch.
            account: the broker's.
            find_book: returns the system's book, None where it cannot be read: then every order with an id of a client
                is taken for the system's; asked at each death.
            monotonic_ns: the clock of this process.
            after_s: seconds without a beat after which the system is dead.
            policy: what to do then.
            keeps_stops: whether stops that only make smaller what is held stay.
            loss_rupees: of the day, at which the broker is to close all of the account then; 0: it is not asked to.
            tell: hears each thing that happens, in words.
        """
        self._heart: Final = heart
        self._halt: Final = halt
        self._account: Final = account
        self._find_book: Final = find_book
        self._book: Book | None = None
        self._has_read = False
        self._keeps_stops: Final = keeps_stops
        self._told_of: set[str] = set()
        """Client order ids of stops that were reported to stay."""

        self._monotonic_ns: Final = monotonic_ns
        self._listener: Final = Listener(after_s)
        self._policy: Final = policy
        self._loss_rupees: Final = loss_rupees
        self._is_guarded = False
        self._not_guarded = ""
        """Why the broker does not guard the loss yet, as last reported."""

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
            self._pulse, self._book, self._has_read = pulse, None, False
            self._told_of.clear()
            self._is_guarded, self._not_guarded = False, ""
            self._tell(_WORDS[pulse])
        if pulse == "dead" and self._policy != "watch":
            self._act(beat)
        elif self._policy == "cancel":
            self._prove()
        return pulse

    def _prove(self) -> None:
        """Check from time to time that orders could be cancelled: a token may end while it is not needed."""
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
                problem = self._halt.engage(HaltNote(reason=f"no heartbeat for {silent_s:.0f} s", person=PERSON))
                self._tell(f"the kill switch is on: {problem or self._halt.where()}")
            except OSError as fault:  # its orders are cancelled all the same
                self._tell(f"the kill switch cannot be put on: {fault.strerror}")
        if self._policy == "cancel":
            self._cancel_all(beat)
            self._guard(beat)

    def _cancel_all(self, beat: Beat | None) -> None:
        if not self._has_read:
            self._book, self._has_read = self._find_book(), True
        held = self._held()  # before the orders: what trades in between is then still held, and asked for again
        try:
            ours = [each for each in self._account.orders() if self._is_ours(each.client_order_id)]
        except AccountError as fault:
            self._tell(f"the open orders cannot be read, and are asked for again: {fault}")
            return
        staying = self._staying(ours, held)
        for each in ours:
            if not each.is_open or each.broker_order_id in staying:
                continue
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

    def _is_ours(self, client_order_id: str) -> bool:
        return bool(client_order_id) if self._book is None else client_order_id in self._book

    def _held(self) -> Mapping[Position, int] | None:
        """Return what is held; None: that cannot be read now."""
        if not self._keeps_stops:
            return {}
        try:
            return self._account.held()
        except AccountError as fault:
            self._tell(f"what is held cannot be read, so that stops stay, and it is asked for again: {fault}")
            return None

    def _staying(self, ours: list[OrderThere], held: Mapping[Position, int] | None) -> frozenset[str]:
        """Return the broker's numbers of the stops that stay, and tell of each once."""
        stops = [each for each in ours if each.is_open and each.is_resting_stop]
        if held is None:
            return frozenset(each.broker_order_id for each in stops)
        stops.sort(key=self._intended_ns, reverse=True)  # as `stops_that_stay` of orders
        resting = [
            RestingStop(
                order_id=each.broker_order_id,
                side=each.side,
                shares=each.leaves,
                draws_on=(each.position, *self._positions_of(each)),
            )
            for each in stops
        ]
        staying = that_stay(resting, {**dict(held.items()), **self._held_by_book(ours)})
        for each in stops:
            if each.broker_order_id in staying and each.client_order_id not in self._told_of:
                self._told_of.add(each.client_order_id)
                self._tell(f"order {each.client_order_id} stays: it closes {each.leaves} that are held, and opens none")
        return staying

    def _held_by_book(self, ours: list[OrderThere]) -> dict[Hashable, int]:
        """Return what strategies hold by the system's book, and by what its orders have traded since."""
        held: dict[Hashable, int] = {}
        if self._book is None:
            return held
        for each in ours:
            order = self._book.order(each.client_order_id)
            if order is None:
                continue
            of = order.strategy, order.symbol
            shares = held.setdefault(("book", *of), self._book.strategy_shares(*of))
            since = each.filled - order.filled
            held["book", *of] = shares + (since if order.side == "BUY" else -since)
        return held

    def _order_of(self, there: OrderThere) -> Order | None:
        """Return the order as the system's book has it; None: it has none, or cannot be read."""
        return None if self._book is None else self._book.order(there.client_order_id)

    def _intended_ns(self, there: OrderThere) -> int:
        order = self._order_of(there)
        return 0 if order is None else order.intended_ns

    def _positions_of(self, there: OrderThere) -> tuple[Hashable, ...]:
        """Return whose holding of the system's book an order makes smaller, where that book can be read."""
        order = self._order_of(there)
        return () if order is None else (("book", order.strategy, order.symbol),)

    def _guard(self, beat: Beat | None) -> None:
        """Have the broker guard the loss of the day, since the system no longer does; once for each death."""
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
