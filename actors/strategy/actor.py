"""The base class of strategies: receives market data, submits orders, and receives their fills and other facts.

Owns    what `Trading` and `Keeping` own, and messages that came before it has begun.
Hears   Tick and Candle, and the facts of orders (it uses those of its own orders), from the events router, each in its
        JournalRecord; HoldingsRead from orders, and refusals that are in no journal.
Sends   Subscribe to events; ReadHoldings at every start, SubmitOrder, ModifyOrder, CancelOrder and
        SquaringOffEnded to orders.
Fails   when the user's code raises, or orders does not answer what it holds. At every start and restart its position is
        taken from the book of record; the user's own attributes are lost, all but `state`, and `on_begin` runs again.
        Messages that come before that wait, up to `EARLY_MAX`; beyond it market data is dropped and counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias, cast, get_args

from ...config.sections.strategy import StrategySettings
from ...domain.freshness import is_late
from ...messages.addresses import ORDERS
from ...messages.database import Abandon, CheckDatabase, Query, QueryToFile, ReadHistory, SaveMarketData
from ...messages.events import Subscribe, Unsubscribe
from ...messages.holdings import HoldingsRead, ReadHoldings
from ...messages.journal import JournalRecord, ReadJournal
from ...messages.market import AwaitMarketEnd, Candle, Tick
from ...messages.orders import (
    CancellationIntended,
    CancellationRefused,
    CancellationUncertain,
    CancelOrder,
    ModificationIntended,
    ModificationRefused,
    ModifyOrder,
    OrderAccepted,
    OrderCancelled,
    OrderExpired,
    OrderFact,
    OrderFilled,
    OrderIntended,
    OrderModified,
    OrderRefused,
    OrderRejected,
    OrderTriggered,
    OrderUncertain,
    SquaringOffEnded,
    SubmitOrder,
)
from ...messages.strategy_state import ReadState, SaveState
from ...messages.supervision import DeadLetter, DescribeTree, Failed, Unavailable
from ...messages.system import Ping, Pong, StrategyStatistics
from ...messages.trace import ReadTrace, TraceRead
from ..runtime import handles
from .errors import HoldingsUnknownError
from .given import Given
from .holdings import is_trade_of
from .inspection import HOOKS, SETTABLE
from .keeping import Keeping, declared
from .latency import LatencySample
from .parameters import parameters_of

if TYPE_CHECKING:
    from msgspec import Struct

    from ..runtime import ActorAddress, Outcome
    from .history import History


OtherFact: TypeAlias = (
    OrderIntended
    | OrderRefused
    | OrderAccepted
    | OrderTriggered
    | OrderRejected
    | OrderUncertain
    | OrderCancelled
    | OrderExpired
    | ModificationIntended
    | OrderModified
    | ModificationRefused
    | CancellationIntended
    | CancellationUncertain
    | CancellationRefused
)
"""Every fact of an order except its fills."""

Message: TypeAlias = Tick | Candle | OrderFact | JournalRecord
Handover: TypeAlias = tuple[int, tuple[JournalRecord, ...], int, tuple[Message, ...], int, "History | None"]
"""The number of orders submitted; the newest fills, which the book may not have yet; messages not handled yet; the
session whose opening was told, by its time; the candles that are kept."""

MAY_SAY: Final[frozenset[type]] = frozenset({
    AwaitMarketEnd, CancelOrder, CheckDatabase, DescribeTree, ModifyOrder, Ping, Query, QueryToFile, ReadHistory,
    ReadHoldings, ReadJournal, ReadTrace, SaveMarketData, SquaringOffEnded, SubmitOrder, Subscribe, Unsubscribe,
    Abandon, DeadLetter, Failed, Pong, ReadState, SaveState, TraceRead, Unavailable,
})  # fmt: skip
"""Types that a strategy may send to natya's own actors: requests and answers, but no facts and no internal messages."""

HOLDINGS_TIMEOUT_S: Final = 10.0
"""Seconds that orders may take to answer what the strategy holds."""

MAY_CHANGE: Final = SETTABLE | {"_moment_ns", "_ordered", "_ordered_now", "_outbox", "state"}
"""Attributes of this class that may change in `on_begin`: what a strategy may set, and what its orders change."""

EARLY_MAX: Final = 100_000
"""Messages that may wait until the strategy has begun."""

FACTS_HANDED_OVER: Final = 100
"""The router may deliver a fact before orders knows that it is durable; at most so many are in that state."""

SAID_APART: Final = (OrderRefused, ModificationRefused, CancellationRefused)
"""Facts that orders tells a strategy itself, where they could not be journaled, or nothing has happened to an order."""

LATENCY_EVERY: Final = 16
"""One in so many ticks is timed; a power of two."""


class StrategyActor(Keeping):
    """Subclass this, and define what you need of `on_begin`, `on_tick`, `on_candle`, `on_fill` and so on.

        class BuyTheDip(StrategyActor):
            def on_tick(self, tick):
                if tick.price < self.parameters["dip"] and not self.position(tick.symbol) and not self.open_orders:
                    self.buy(tick.symbol, 10)

    Set attributes in `on_begin`, never in `__init__`. `buy` and `sell` only submit an order: `on_order` and `on_fill`
    tell whether it was placed and filled, and `position` changes with fills only.
    """

    ready_when_told = True
    conflates = True
    says = MAY_SAY
    candles: ClassVar[tuple[str, ...]] = ()
    """Lengths of the candles that `on_candle` is called with, such as `("1m", "15m")`, unless the settings say others:
    each once, when it is closed; from the recording where it has them, else made of ticks. Empty: those of the
    recording, of whatever length."""

    cancel_on_failure: ClassVar[bool] = False
    """Whether its open orders are cancelled when it has failed for good; else they stay, stops too. What is held stays
    either way."""

    cancel_on_stop: ClassVar[bool] = False
    """Whether its open orders are cancelled when a person stops it, or the system stops; not when it is swapped."""

    Parameters: ClassVar[type[Struct] | None] = None
    """A Struct of msgspec whose fields are what may be set, each with its type and mostly a default; None: anything."""

    ORDER_FACTS: ClassVar[tuple[str, ...]] = tuple(fact.__name__ for fact in get_args(OrderFact))
    TOPICS: ClassVar[tuple[str, ...]] = ("Tick", "Candle", *ORDER_FACTS)

    settings: StrategySettings = Given()  # type: ignore[assignment]  # reads as a plain attribute
    directory = Given()

    # For the user to define.

    def on_begin(self) -> None:
        """Prepare: `position` is known, and no message has been handled yet. Called again after a restart."""

    def on_tick(self, tick: Tick) -> None:
        """React to a price; what it has filled is told behind it, so `position` and `open_orders` are of before."""

    def on_candle(self, candle: Candle) -> None:
        """React to a closed candle; see `candles`."""

    def on_fill(self, fill: OrderFilled) -> None:
        """React to a trade of one of its orders; `position` includes it already. Each trade comes once.

        Those by which a person has its shares closed (`natya flatten`) are none of its orders: `position` alone tells.
        """

    def on_order(self, fact: OtherFact) -> None:
        """React to any other fact of one of its orders."""

    # For the user to call.

    @property
    def symbols(self) -> tuple[str, ...]:
        """What it hears, as its table of the settings or `--symbol` says; empty: all that the feed tells."""
        symbols: tuple[str, ...] = self.settings.symbols
        return symbols

    @property
    def parameters(self) -> Any:
        """Its parameters in the settings: as its `Parameters`, if the class declares that, else by name."""
        return self._parameters

    # Life.

    def on_start(self) -> None:
        """Subscribe, and ask orders for the holdings: nothing is handled before they are known."""
        super().on_start()
        self._parameters = parameters_of(type(self), self.settings.parameters, name=self.name)
        self._begun = self._only_remembers_ticks = False
        self._early: deque[Message] = deque()
        self._early_dropped = 0
        self._told_sequence = 0
        self._newest_facts: deque[JournalRecord] = deque(maxlen=FACTS_HANDED_OVER)
        self._latency = LatencySample(self.random)
        self._ticks = self._fills = 0
        request = Subscribe(
            subscriber=self.name,
            topics=self.TOPICS,
            symbols=self.settings.symbols,
            intervals_ns=self._intervals_ns(),
            sequenced=True,
        )
        self._subscribe(request, lambda: self._read_history(lambda: self._read_state(self._ask_holdings)))

    def _candles_wanted(self) -> tuple[str, ...]:
        return self.settings.candles or self.candles

    def _ask_holdings(self) -> None:
        request = ReadHoldings(strategy=self.name, keeps_state=self._keeper is not None)
        self.ask(ORDERS, request, timeout_s=HOLDINGS_TIMEOUT_S, then=self._begin)

    def snapshot(self) -> Handover:
        """Hand over what neither orders nor the market will send again."""
        return (
            self._ordered,
            tuple(self._newest_facts),
            self._told_sequence,
            tuple(self._early),
            self._told_open_ns,
            self._history,
        )

    def restore(self, state: Handover) -> None:
        """Take it over; the position comes from the book of record, which is newer."""
        self._ordered, facts, self._told_sequence, early, self._told_open_ns, self._history = state
        self._newest_facts.extend(facts)
        self._early.extend(early)

    def _begin(self, outcome: Outcome) -> None:
        """Take the holdings of the book of record, and begin when the facts that the state lacks are there."""
        answer = outcome.value
        if not isinstance(answer, HoldingsRead):
            raise HoldingsUnknownError(f"HoldingsRead of orders wanted, found {answer}") from outcome.error
        self._read_missed(lambda: self._begin_with(answer))

    def _begin_with(self, known: HoldingsRead) -> None:
        """Call `on_begin`, then handle the facts that the state lacks, and the messages that waited."""
        self._hold(known)
        for record in self._newest_facts:
            self._note(cast("OrderFact", record.fact), record.sequence)
        ours = dict(vars(self))
        self.on_begin()
        self._check_names(ours)
        self._watch_sessions()
        self._hand_missed()
        self._begun = True
        does_nothing = getattr(self.on_tick, "__func__", None) is StrategyActor.on_tick
        self._only_remembers_ticks = does_nothing and declared(self.handler_table[Tick]) is StrategyActor.hear_tick
        self.ready()
        if self._early_dropped:
            self.log("market_data.dropped", level="warning", count=self._early_dropped)
        while self._early:
            message = self._early.popleft()
            self.handler_table[type(message)](self, message, self.myAddress)

    def _check_names(self, before: Mapping[str, Any]) -> None:
        """Check that `on_begin` has not set an attribute that this class uses, as `self.position = 0` would.

        Raises:
            AttributeError: it has; choose another name.
        """
        now = vars(self)
        taken = [name for name in before if now.get(name) is not before[name]]
        taken += [name for name in now if name not in before and name not in HOOKS and hasattr(StrategyActor, name)]
        if taken := [name for name in taken if name not in MAY_CHANGE]:
            raise AttributeError(
                f"{', '.join(taken)}: StrategyActor has that name already, choose another for your own"
            )

    def _begins(self) -> bool:
        return self._begun

    def _wait(self, message: Message) -> None:
        if len(self._early) < EARLY_MAX or not isinstance(message, Tick | Candle):
            self._early.append(message)
        else:
            self._early_dropped += 1

    @handles(Tick)
    def hear_tick(self, tick: Tick, _sender: ActorAddress) -> None:
        """Keep the price, unless it is late; then call `on_tick`.

        Only some are timed: reading a clock costs more than the rest.
        """
        if not self._begun:
            self._wait(tick)
            return
        if (time_ns := tick.exchange_ns) >= self._edge_ns:
            self._pass_edge()
        if time_ns >= self._newest_ns:  # no tick of any symbol was newer
            self._newest_ns, self._newest[tick.symbol] = time_ns, tick
        else:
            self._keep_unless_late(tick)
        self._ticks = ticks = self._ticks + 1
        if not ticks & (LATENCY_EVERY - 1) and (latency_ns := self._since_release_ns(tick)) is not None:
            self._latency.add(latency_ns)
        self.on_tick(tick)

    def _keep_unless_late(self, tick: Tick) -> None:
        known = self._newest.get(tick.symbol)
        if known is None or not is_late(tick.exchange_ns, known.exchange_ns, tick.received_ns):
            self._newest[tick.symbol] = tick

    def _since_release_ns(self, tick: Tick) -> int | None:
        """Return the real time since the market released a tick, or, where it comes by itself, since the tick came."""
        released_ns = self.since_release_ns()
        if released_ns is None and tick.received_ns:
            return self.clock.now_ns() - tick.received_ns
        return released_ns

    def newest_is_enough(self, tick: Tick) -> bool:
        """Tell whether ticks up to this one would only be remembered: it has no `on_tick`, and no session begins."""
        return self._only_remembers_ticks and tick.exchange_ns < self._edge_ns

    @handles(Candle)
    def hear_candle(self, candle: Candle, _sender: ActorAddress) -> None:
        """Keep it, then call `on_candle`."""
        if not self._begun:
            self._wait(candle)
            return
        if self._history is not None:
            self._history.add(candle)
            if self._told_ns and candle.interval_ns not in self._told_ns:
                return
        self.on_candle(candle)

    @handles(JournalRecord)
    def hear_record(self, record: JournalRecord, _sender: ActorAddress) -> None:
        """Handle a fact of this strategy's orders, once, and look after the state when that is done."""
        if not self._begun:
            self._wait(record)
            return
        keeper, sequence = self._keeper, record.sequence
        if keeper is None:
            if sequence > self._told_sequence:
                self._told_sequence = sequence
                self._take(record)
        elif sequence > keeper.covers:
            if self._take(record):
                keeper.handed(sequence)
                self._settle()
            keeper.covers = sequence

    def _take(self, record: JournalRecord) -> bool:
        """Take a fact that the journal has; False if it is of an order of somebody else."""
        fact = cast("OrderFact", record.fact)  # subscribed to by their types
        if not self._is_of_own(fact):
            if is_trade_of(self.name, fact):
                self._note(fact, record.sequence)  # its position has changed by an order of somebody else
            return False
        self._newest_facts.append(record)
        is_news = self._note(fact, record.sequence)
        if not isinstance(fact, OrderFilled):
            self._tell(fact)
        elif is_news or not self._holdings.is_news(record.sequence):
            self._fills += 1
            self.on_fill(fact)
            self._closing.go_on(fact.symbol)
        return True

    @handles(*SAID_APART)
    def hear_apart(self, fact: OrderRefused | ModificationRefused | CancellationRefused, _sender: ActorAddress) -> None:
        """Take a fact of this strategy's orders that is in no journal."""
        if not self._is_of_own(fact):
            return
        if not self._begun:
            self._wait(fact)
        else:
            self._orders.hear(fact)
            self._tell(fact)

    def _tell(self, fact: OtherFact) -> None:
        self.on_order(fact)
        if isinstance(fact, CancellationRefused):
            self._closing.not_cancelled(fact.client_order_id, f"{fact.rule}: {fact.reason}")
        for symbol in self._closing.symbols:
            self._closing.go_on(symbol)

    def statistics(self) -> StrategyStatistics:
        """Return the counts, and the latency of a sample of ticks."""
        return StrategyStatistics(
            strategy=self.name,
            ticks=self._ticks,
            orders=self._ordered,
            fills=self._fills,
            tick_to_strategy_us_p50=self._latency.percentile_us(0.50),
            tick_to_strategy_us_p99=self._latency.percentile_us(0.99),
        )
