"""The reconciliation actor: compares the account at the broker with the book of record, whoever ordered.

Owns    which differences last (`domain/differences.py`), and the facts of them that are not durable yet.
Hears   the answers to what it asks: AccountBookRead and AccountBookNotRead of the broker session, OrdersRead,
        PositionsRead, RiskRead and TradingHalted of orders, Appended and AppendRefused of the journal.
Sends   once an interval ReadOrders and ReadPositions to orders, ReadAccountBook to the broker session, then both to
        orders once more, ReadRisk, FundsTold, FreezeQuantitiesTold, BandsTold, and PositionsDiffer; to the journal
        Append of each difference that begins or ends; to orders ReduceOnly while one lasts that nobody can explain,
        HaltTrading where another natya trades on the account. It never touches an order.
Fails   not by a broker or a journal that does not answer: it looks again after the interval, and after three such
        looks it says so in the tree. Restarted, it knows what it has told (hand-over); in a new process it tells what
        lasts anew.

It has started when a look has shown the same on both sides, or two of them a difference that lasts: no strategy runs
before. Where that takes longer than START_S, it has started all the same, and only orders pass that close.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec

from ...domain.client_order_ids import is_formed_as_ours
from ...domain.differences import Books, Differences
from ...domain.freshness import Moment, elapsed_ns
from ...domain.time import SECOND_NS
from ...messages.addresses import BROKER, JOURNAL, ORDERS
from ...messages.journal import Append, Appended
from ...messages.kill_switch import HaltTrading, TradingHalted
from ...messages.order_listing import LISTED_MAX, OrderListed, OrdersRead, PositionsRead, ReadOrders, ReadPositions
from ...messages.orders import Product
from ...messages.reconciliation import (
    AccountBookRead,
    DifferenceEnded,
    OrderAdopted,
    OrderAtBroker,
    PositionsDiffer,
    ReadAccountBook,
    ReconciliationFact,
    ReconciliationStatistics,
)
from ...messages.risk import BandsTold, FreezeQuantitiesTold, FundsTold, ReadRisk, RiskRead
from ...messages.risk_state import ReduceOnly
from ..runtime import RuntimeActor, handles
from .settings import ReconciliationSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..runtime import ActorAddress, Outcome

ANSWER_S: Final = 5.0
BROKER_ANSWER_S: Final = 60.0
"""The broker's books are several answers, each of which may wait for its limits, and is asked for again."""

FAILURES_TOLD: Final = 3
"""So many looks in a row that compared nothing are told."""

START_S: Final = 10.0
"""How long a start waits for books that agree."""

SOON_S: Final = 0.5
"""Between two looks of a start."""

BY_OTHERS_S: Final = 5.0
"""Between a look that shows a position changed by orders of others, and the one that is to show it alike: exits of
brackets wait for that. What is of our orders may be on its way longer, until these are looked at."""

BAND_LIMIT: Final = "price_band_age_max_s"
"""The limit of orders by which it goes by price bands."""

BANDS_S: Final = 20.0
"""Between two questions for price bands: a broker answers few (Dhan: one request for quotes a second)."""

OPENS: Final = "the broker's books differ: "
"""How the cause begins by which only orders pass that close; what begins otherwise is not ours to take back."""

Handover: TypeAlias = tuple[Differences, tuple[ReconciliationFact, ...], str]


class LookDue(msgspec.Struct, frozen=True, gc=False):
    """To itself: time to look."""


class StartOver(msgspec.Struct, frozen=True, gc=False):
    """To itself: a start has waited long enough."""


class Ours(msgspec.Struct, frozen=True):
    """What orders has."""

    orders: tuple[OrderListed, ...]
    positions: dict[str, int]
    products: dict[str, dict[Product, int]]


class ReconciliationActor(RuntimeActor):
    """Looks once an interval, and soon again where others have traded; one look at a time."""

    background = True
    ready_when_told = True
    system_time = True  # the broker answers in real time, and a market begins behind this start

    settings: ReconciliationSettings

    def on_start(self) -> None:
        """Look at once: what happened while nobody looked must not be traded on."""
        self._differences = Differences()
        self._unwritten: tuple[ReconciliationFact, ...] = ()
        self._halt_cause = ""
        """Of a halt that orders has not confirmed; empty: there is none."""

        self._rounds = self._failures = self._failures_in_a_row = 0
        self._compared: Moment | None = None
        self._told: Counter[str] = Counter()
        self._wants_bands = True
        """Whether orders goes by price bands; until it has told."""

        self._bands_told: Moment | None = None
        self._banded: frozenset[str] = frozenset()
        """Whose were asked for then."""

        self._is_starting = True
        self._why_not_compared = "no answer yet"
        self.after(START_S, StartOver())
        self.after(0.0, LookDue())

    def snapshot(self) -> Handover:
        """Hand over what was told, and what is still to be done."""
        return self._differences, self._unwritten, self._halt_cause

    def restore(self, state: Handover) -> None:
        """Go on with it."""
        self._differences, self._unwritten, self._halt_cause = state

    @handles(LookDue)
    def look(self, _message: LookDue, _sender: ActorAddress) -> None:
        """Ask first which symbols are ours."""
        self._read_ours(self._read_theirs)

    @handles(StartOver)
    def end_start(self, _message: StartOver, _sender: ActorAddress) -> None:
        """Start although nothing is sure, but let nothing be opened."""
        if self._is_starting:
            self.send(ORDERS, ReduceOnly(reason=f"{OPENS}{self._why_not_compared}"))
            self._started()

    def _started(self) -> None:
        self._is_starting = False
        self.ready()

    def statistics(self) -> ReconciliationStatistics:
        """Return the counts."""
        now = Moment(self.clock.now_ns(), self.clock.monotonic_ns())
        return ReconciliationStatistics(
            rounds=self._rounds,
            failures=self._failures,
            differences=len(self._differences.lasting),
            compared_ns=0 if self._compared is None else self._compared.wall_ns,
            age_s=None if self._compared is None else elapsed_ns(self._compared, now) / SECOND_NS,
            told=dict(self._told),
        )

    # Reading: theirs before ours, since an order of ours is in our book before it leaves.

    def _read_ours(self, then: Callable[[Ours], None], listed: tuple[OrderAtBroker, ...] = ()) -> None:
        """Read the orders, and then the positions: a fill between them shows as a position that has changed.

        Of those that the broker lists whatever their day is: it may list yesterday's after midnight.
        """
        theirs = [each.client_order_id for each in listed if is_formed_as_ours(each.client_order_id)]
        found: dict[str, OrderListed] = {}

        def read(beyond: str = "") -> None:
            besides = tuple(each for each in theirs if each not in found)[:LISTED_MAX]
            wanted = ReadOrders(orders_max=LISTED_MAX, beyond=beyond, besides=besides)
            self.ask(ORDERS, wanted, timeout_s=ANSWER_S, then=hear_orders)

        def hear_orders(outcome: Outcome) -> None:
            page = outcome.value
            if not isinstance(page, OrdersRead):
                self._fail(ORDERS, outcome)
                return
            found.update((each.client_order_id, each) for each in page.orders)
            if page.is_complete:
                self.ask(ORDERS, ReadPositions(needs_prices=False), timeout_s=ANSWER_S, then=hear_positions)
            else:
                read(page.orders[-1].client_order_id)

        def hear_positions(outcome: Outcome) -> None:
            if isinstance(outcome.value, PositionsRead):
                quantities = {each.symbol: each.quantity for each in outcome.value.positions}
                then(Ours(tuple(found.values()), quantities, outcome.value.products))
            else:
                self._fail(ORDERS, outcome)

        read()

    def _read_theirs(self, before: Ours) -> None:
        symbols = {*before.positions, *(each.symbol for each in before.orders)}
        bands_of = self._bands_due({*symbols, *self.settings.symbols})
        asked_ns = self.fact_clock.now_ns()

        def hear(outcome: Outcome) -> None:
            theirs = outcome.value
            if isinstance(theirs, AccountBookRead):
                if theirs.available_rupees is not None:
                    self.send(ORDERS, FundsTold(available_rupees=theirs.available_rupees, as_of_ns=asked_ns))
                if theirs.freeze_quantities:
                    self.send(ORDERS, FreezeQuantitiesTold(of=theirs.freeze_quantities))
                if bands_of:
                    self._tell_bands(theirs, bands_of, asked_ns)

                def compare(ours: Ours) -> None:
                    self._read_risk(_books(before, ours, theirs, self.fact_clock.now_ns()))

                self._read_ours(compare, theirs.orders)
            else:
                self._fail(BROKER, outcome)

        wanted = ReadAccountBook(symbols=tuple(sorted(symbols)), bands_of=bands_of)
        self.ask(BROKER, wanted, timeout_s=BROKER_ANSWER_S, then=hear)

    def _bands_due(self, symbols: set[str]) -> tuple[str, ...]:
        """Return whose price bands to ask for now: of all, once they are old, or there is one more."""
        now = Moment(self.clock.now_ns(), self.clock.monotonic_ns())
        if not self._wants_bands:
            return ()
        is_old = self._bands_told is None or elapsed_ns(self._bands_told, now) >= BANDS_S * SECOND_NS
        return tuple(sorted(symbols)) if is_old or not symbols <= self._banded else ()

    def _tell_bands(self, theirs: AccountBookRead, bands_of: tuple[str, ...], asked_ns: int) -> None:
        if not theirs.bands_problem:
            self._bands_told = Moment(self.clock.now_ns(), self.clock.monotonic_ns())
            self._banded = frozenset(bands_of)
        self.send(ORDERS, BandsTold(bands=theirs.bands, as_of_ns=asked_ns, problem=theirs.bands_problem))

    def _read_risk(self, books: Books) -> None:
        def hear(outcome: Outcome) -> None:
            risk = outcome.value
            if isinstance(risk, RiskRead):
                self._wants_bands = any(each.limit_name == BAND_LIMIT and each.limit for each in risk.figures)
            if isinstance(risk, RiskRead) and risk.risk_state not in {"STARTING", "RECONCILING"}:
                self._compare(books, risk)
            else:  # its book may not be read back yet
                self._fail(ORDERS, outcome)

        self.ask(ORDERS, ReadRisk(), timeout_s=ANSWER_S, then=hear)

    def _fail(self, asked: str, outcome: Outcome) -> None:
        self._failures += 1
        self._failures_in_a_row += 1
        answer = outcome.value if outcome.error is None else outcome.error
        reason = getattr(answer, "reason", "") or getattr(answer, "risk_state", "") or type(answer).__name__
        self.log("reconciliation.failed", level="warning", actor_asked=asked, reason=str(reason))
        self._why_not_compared = f"not compared since the start: {asked}: {reason}"
        if self._failures_in_a_row >= FAILURES_TOLD:
            self.trouble = f"the account was not compared: {asked}: {reason}"
        self._look_later()

    # Acting.

    def _compare(self, books: Books, risk: RiskRead) -> None:
        told = self._differences.look(books)
        self._rounds += 1
        self._failures_in_a_row = 0
        self._compared = Moment(self.clock.now_ns(), self.clock.monotonic_ns())
        self._told.update(type(fact).__name__ for fact in told if not isinstance(fact, DifferenceEnded))
        for fact in told:
            self.log("reconciliation.told", level="error", fact=type(fact).__name__, told=_fields(fact))
            if isinstance(fact, OrderAdopted) and fact.is_of_another_natya:
                self._halt_cause = f"another natya trades on this account: order {fact.told_id}"
        self._unwritten += told
        lasting = len(self._differences.lasting)
        self.trouble = f"{lasting} differences between the broker's books and ours" if lasting else ""
        differences = self._differences
        self.send(
            ORDERS,
            PositionsDiffer(
                positions=differences.positions(),
                orders=differences.orders(),
                is_in_doubt=differences.has_new_positions,
                squared_off=differences.squared_off,
            ),
        )
        self._limit(risk)
        if self._halt_cause:
            self.ask(
                ORDERS, HaltTrading(cause=self._halt_cause, person=self.name), timeout_s=ANSWER_S, then=self._halted
            )
        if self._is_starting:
            doubt = self._differences.in_doubt()
            self._why_not_compared = f"not sure since the start: {doubt}"
            if not doubt or self._differences.unexplained():
                self._started()
        if self._unwritten:
            self.ask(JOURNAL, Append(facts=self._unwritten), timeout_s=ANSWER_S, then=self._written)
        else:
            self._look_later()

    def _limit(self, risk: RiskRead) -> None:
        """Have only orders pass that close while a difference lasts that nobody can explain.

        Said again where orders does not tell it, as after a restart; what others limit for holds beside it.
        """
        reason = self._differences.unexplained()
        wanted = f"{OPENS}{reason}" if reason else ""
        if wanted not in risk.risk_cause or (not wanted and OPENS in risk.risk_cause):
            self.send(ORDERS, ReduceOnly(reason=wanted))

    def _halted(self, outcome: Outcome) -> None:
        if isinstance(outcome.value, TradingHalted):
            self._halt_cause = ""

    def _written(self, outcome: Outcome) -> None:
        if isinstance(outcome.value, Appended):
            self._unwritten = ()
        else:
            self.log("reconciliation.not_written", level="error", facts=len(self._unwritten))
        self._look_later()

    def _look_later(self) -> None:
        wait_s = SOON_S if self._is_starting else BY_OTHERS_S
        is_soon = self._is_starting or self._differences.has_new_by_others
        self.after(min(wait_s, self.settings.interval_s) if is_soon else self.settings.interval_s, LookDue())


def _books(before: Ours, ours: Ours, theirs: AccountBookRead, now_ns: int) -> Books:
    """Put both sides together; nothing is said of positions that have changed meanwhile."""
    moved = (
        symbol
        for symbol, quantity in ours.positions.items()
        if (quantity, ours.products.get(symbol)) != (before.positions.get(symbol, 0), before.products.get(symbol))
    )
    return Books(
        orders=ours.orders,
        positions=ours.positions,
        products=ours.products,
        orders_at_broker=theirs.orders,
        positions_at_broker=theirs.positions,
        unresolved=(*theirs.unresolved, *moved),
        now_ns=now_ns,
    )


def _fields(fact: ReconciliationFact) -> dict[str, Any]:
    return msgspec.structs.asdict(fact)
