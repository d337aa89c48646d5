"""How far the journal is read back, and what is learnt of it besides the book (plain, without actors)."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final, get_args

import msgspec

from ....domain.client_order_ids import life_of
from ....domain.time import DAY_NS
from ....messages.accounts import AccountFact
from ....messages.control import OperationAsked
from ....messages.orders import CancellationIntended, ModificationIntended, OrderCancelled, OrderFact, OrderIntended
from ....messages.risk import LimitsChanged
from ....messages.risk_state import RiskStateChanged
from ....messages.strategy_state import StrategyStateSaved
from ..errors import FactWithoutIntentError
from ..limits_in_force import Held, noted
from .presence import Sign, sign_of

if TYPE_CHECKING:
    from ....messages.journal import JournalRecord
    from .ledger import Ledger

SENT_MAX: Final = 20_000
"""Newest requests of earlier processes that the broker session is told of: more than any broker allows in a day."""


_OF_THE_BOOK: Final = frozenset({*get_args(OrderFact), RiskStateChanged})
_SENT: Final = frozenset({OrderIntended, ModificationIntended, CancellationIntended})
"""Facts of a request that left."""

TYPES: Final = tuple(
    sorted(
        each.__name__
        for each in (*_OF_THE_BOOK, *get_args(AccountFact), LimitsChanged, StrategyStateSaved, OperationAsked)
    )
)
"""Names of the facts that are taken in; of the others nothing is learnt."""


class KeptReading(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """What is learnt besides the book, as it is kept in a file."""

    sequence: int
    limits: dict[str, str]
    sent_ns: tuple[int, ...]
    held: dict[str, Held]
    sign: Sign | None


class ReadBack:
    """The sequences of the journal that are read and known, and the requests that left before."""

    def __init__(self) -> None:
        self.sequence = 0
        """Of the newest record that was read."""

        self.newest_life = 0
        """The number from which the newest `life` of a strategy was made."""

        self.limits: dict[str, str] = {}
        """The limits in force, in JSON by name, as far as they are written down."""

        self.held: dict[str, Held] = {}
        """Those of them that a person changed while the system ran."""

        self.sign: Sign | None = None
        """The last sign of life of a person; None: the journal has none."""

        self.newest_sequence = 0
        """Of the newest record that is known."""

        self._sent_ns: deque[int] = deque(maxlen=SENT_MAX)

    def kept(self) -> KeptReading:
        """Return it, to be kept; before `take_sent_ns`."""
        return KeptReading(
            sequence=self.sequence,
            limits=self.limits,
            sent_ns=tuple(self._sent_ns),
            held=self.held,
            sign=self.sign,
        )

    def go_on(self, kept: KeptReading) -> None:
        """Go on where something was kept."""
        self.sequence = kept.sequence
        self.note(kept.sequence)
        self.limits, self.held, self.sign = kept.limits, kept.held, kept.sign
        self._sent_ns.extend(kept.sent_ns)

    def read_to(self, sequence: int) -> None:
        """Note that nothing up to this sequence is left to be read."""
        self.sequence = max(self.sequence, sequence)
        self.note(sequence)

    def take_in(self, record: JournalRecord, ledger: Ledger) -> None:
        """Apply one record to the ledger.

        Raises:
            FactWithoutIntentError: an order's fact came before its intent.
        """
        sequence, fact = record.sequence, record.fact
        self.sequence = sequence
        self.newest_sequence = max(self.newest_sequence, sequence)
        kind = type(fact)  # looked up, since a restart takes in every fact that there ever was
        if kind not in _OF_THE_BOOK:
            self._take_other(fact, ledger)
            return
        if kind in _SENT or (kind is OrderCancelled and not _was_asked_for(fact, ledger)):
            self._sent_ns.append(record.recorded_ns)
        try:
            ledger.book.apply(fact)  # type: ignore[arg-type]  # by its type
        except FactWithoutIntentError as fault:
            raise FactWithoutIntentError(f"record {sequence} of the journal: {fault}") from fault

    def _take_other(self, fact: object, ledger: Ledger) -> None:
        if isinstance(fact, AccountFact):
            ledger.enter(fact)
        elif isinstance(fact, LimitsChanged):
            self.take_limits(fact)
        elif isinstance(fact, StrategyStateSaved):
            ledger.states.apply(fact)
        elif isinstance(fact, OperationAsked):
            self.sign = sign_of(fact) or self.sign

    def take_limits(self, fact: LimitsChanged) -> None:
        """Note limits that are in force from now on."""
        self.limits |= {each.name: each.after for each in fact.changes}
        noted(self.held, fact)
        self.sign = sign_of(fact)

    def note(self, sequence: int) -> None:
        """Note that the journal has a record of this sequence."""
        self.newest_sequence = max(self.newest_sequence, sequence)

    def next_life(self, *, draw: int) -> int:
        """Return a number for the start of a strategy, from which it builds its client order ids.

        It is unique: it is made of a number above every sequence of the journal and above every number used before, and
        of `draw`, a random number below `DRAWS`, by which it differs from those of other journals of the account.
        """
        self.newest_life = max(self.newest_life, self.newest_sequence) + 1
        return life_of(self.newest_life, draw=draw)

    def take_sent_ns(self, now_ns: int) -> tuple[int, ...]:
        """Return once when the requests of the last day left: nanoseconds since 1970-01-01 UTC."""
        times_ns = tuple(time_ns for time_ns in self._sent_ns if time_ns > now_ns - DAY_NS)
        self._sent_ns.clear()
        return times_ns


def _was_asked_for(fact: Any, ledger: Ledger) -> bool:
    """Say whether the journal has the request; earlier releases wrote none, and of theirs each may have been one."""
    order = ledger.book.order(fact.client_order_id)
    return order is not None and order.cancellations > 0
