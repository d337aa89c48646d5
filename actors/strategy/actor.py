"""The base class of strategies: receives market data, submits orders, and receives their fills and other facts.

Owns    its position, by its own fills, and the last price of every symbol.
Hears   Tick and Candle, and the facts of orders (it uses those of its own orders), from the events router;
        HoldingsRead from orders, and OrderRefused where that could not be journaled.
Sends   Subscribe to events; ReadHoldings at every start, SubmitOrder, ModifyOrder and CancelOrder to orders.
Fails   when the user's code raises, or orders does not answer what it holds. At every start and restart its position is
        taken from the book of record; the user's own attributes are lost, and `on_begin` runs again. Messages that come
        before that wait, up to `EARLY_MAX`; beyond it market data is dropped and counted.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias, get_args

from ...config.sections.strategy import StrategySettings
from ...domain.candles import interval_of
from ...domain.instruments import without_noise
from ...messages.addresses import EVENTS, ORDERS
from ...messages.database import Abandon, CheckDatabase, Query, QueryToFile, SaveMarketData
from ...messages.events import Subscribe, Subscribed, Unsubscribe
from ...messages.journal import ReadJournal
from ...messages.market import AwaitMarketEnd, Candle, Tick
from ...messages.orders import (
    CancelOrder,
    HoldingsRead,
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
    OrderType,
    OrderUncertain,
    Product,
    ReadHoldings,
    Side,
    SubmitOrder,
    Validity,
)
from ...messages.replays import is_replay
from ...messages.supervision import DeadLetter, DescribeTree, Failed, Unavailable
from ...messages.system import Ping, Pong, StrategyStatistics
from ...messages.trace import ReadTrace, TraceRead
from ..runtime import handles
from . import arguments
from .closing import Closing
from .errors import HoldingsUnknownError, OrdersWithoutMarketError, ReplayedError
from .given import Given
from .held import HeldPosition
from .holdings import Holdings
from .inspection import HOOKS
from .latency import LatencySample
from .order_handle import OrderHandle, OwnOrders
from .order_ids import OrderIds, is_own
from .parameters import parameters_of
from .timing import Timing

if TYPE_CHECKING:
    from types import ModuleType

    from msgspec import Struct

    from ..runtime import ActorAddress, Outcome


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
)
"""Every fact of an order except its fills."""

_TYPES: Final[dict[tuple[bool, bool], OrderType]] = {
    (False, False): "MARKET",
    (True, False): "LIMIT",
    (False, True): "STOP",
    (True, True): "STOP_LIMIT",
}
"""By whether there is a limit, and a stop."""

VALIDITIES: Final[tuple[Validity, ...]] = get_args(Validity)
PRODUCTS: Final[tuple[Product, ...]] = get_args(Product)

Message: TypeAlias = Tick | Candle | OrderFact
Handover: TypeAlias = tuple[int, tuple[OrderFilled, ...], tuple[Message, ...], int]
"""The number of orders submitted; the newest fills, which the book may not have yet; messages not handled yet; the
session whose opening was told, by its time."""

MAY_SAY: Final[frozenset[type]] = frozenset({
    AwaitMarketEnd, CancelOrder, CheckDatabase, DescribeTree, ModifyOrder, Ping, Query, QueryToFile, ReadHoldings,
    ReadJournal, ReadTrace, SaveMarketData, SubmitOrder, Subscribe, Unsubscribe,
    Abandon, DeadLetter, Failed, Pong, TraceRead, Unavailable,
})  # fmt: skip
"""Types that a strategy may send to natya's own actors: requests and answers, but no facts and no internal messages."""

HOLDINGS_TIMEOUT_S: Final = 10.0
"""Seconds that orders may take to answer what the strategy holds."""

ORDERS_A_MOMENT_MAX: Final = 10_000
"""Orders at one and the same time. The gate refuses them long before (`orders.orders_a_moment_max`), but a strategy
that orders again at each refusal would never end."""

COUNTED: Final = frozenset({"_moment_ns", "_ordered", "_ordered_now", "random", "trouble"})
"""Attributes of this class that may change while `on_begin` runs."""

EARLY_MAX: Final = 100_000
"""Messages that may wait until the strategy has begun."""

FILLS_HANDED_OVER: Final = 100
"""The router may deliver a fill before orders knows that it is durable; at most so many are in that state."""

LATENCY_EVERY: Final = 16
"""One in so many ticks is timed; a power of two."""


class StrategyActor(Timing):
    """Subclass this, and define what you need of `on_begin`, `on_tick`, `on_candle`, `on_fill` and so on.

        class BuyTheDip(StrategyActor):
            def on_tick(self, tick):
                if tick.price < self.parameters["dip"] and not self.position(tick.symbol):
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

    Parameters: ClassVar[type[Struct] | None] = None
    """A Struct of msgspec whose fields are what may be set, each with its type and mostly a default; None: anything."""

    TOPICS: ClassVar[tuple[str, ...]] = ("Tick", "Candle", *(fact.__name__ for fact in get_args(OrderFact)))

    name = Given()
    settings: StrategySettings = Given()  # type: ignore[assignment]  # reads as a plain attribute
    directory = Given()

    # For the user to define.

    def on_begin(self) -> None:
        """Prepare: `position` is known, and no message has been handled yet. Called again after a restart."""

    def on_tick(self, tick: Tick) -> None:
        """React to a price."""

    def on_candle(self, candle: Candle) -> None:
        """React to a closed candle; see `candles`."""

    def on_fill(self, fill: OrderFilled) -> None:
        """React to a trade of one of its orders; `position` includes it already. Each trade comes once."""

    def on_order(self, fact: OtherFact) -> None:
        """React to any other fact of one of its orders."""

    # For the user to call.

    @property
    def parameters(self) -> Any:
        """Its parameters in the settings: as its `Parameters`, if the class declares that, else by name."""
        return self._parameters

    def buy(  # noqa: PLR0913  each is a field of an order
        self,
        symbol: str,
        quantity: int,
        limit: float | None = None,
        *,
        stop: float | None = None,
        valid: Validity = "DAY",
        product: Product | None = None,
    ) -> OrderHandle:
        """Submit an order to buy `quantity` shares; return its handle. Numbers of numpy are accepted.

        The handle is the client order id, as a text, and has `state`, `filled`, `average`, `reason` and `cancel()`.

        Args:
            symbol: what to buy.
            quantity: shares or contract units.
            limit: rupees at most a share; None: at the market's price.
            stop: rupees; the order is in the market only once the last price is at it or above (a sale: or below).
            valid: `DAY`, or `IOC`: what does not trade at once is cancelled.
            product: `INTRADAY`, `CNC` (delivery) or `MARGIN`; None: as the settings of the broker say. The exchange of
                a replay knows no products.

        Raises:
            TypeError: the symbol is no text, the quantity no whole number, or a price no number.
            ValueError: the quantity is below 1 share, a price not above 0 rupees, the limit of a stop order before its
                stop, or the validity or the product unknown.
        """
        return self._submit("BUY", symbol, quantity, limit=limit, stop=stop, valid=valid, product=product)

    def sell(  # noqa: PLR0913  each is a field of an order
        self,
        symbol: str,
        quantity: int,
        limit: float | None = None,
        *,
        stop: float | None = None,
        valid: Validity = "DAY",
        product: Product | None = None,
    ) -> OrderHandle:
        """Submit an order to sell `quantity` shares; otherwise as `buy`."""
        return self._submit("SELL", symbol, quantity, limit=limit, stop=stop, valid=valid, product=product)

    def modify(
        self,
        client_order_id: str,
        *,
        quantity: int | None = None,
        limit: float | None = None,
        stop: float | None = None,
    ) -> None:
        """Change an open order; what is not given stays. `on_order` tells whether it was done.

        One change at a time: another is refused until `OrderModified` or `ModificationRefused` has told of the first.

        Args:
            client_order_id: of an order of this strategy that the broker has.
            quantity: shares, all of it: what is filled included.
            limit: rupees, of an order that has a limit.
            stop: rupees, of an order that has a stop.

        Raises:
            TypeError: the id is no text, the quantity no whole number, or a price no number.
            ValueError: the order is not of this strategy, nothing is to change, or a number is out of range.
        """
        client_order_id = self._own(client_order_id)
        newest = self._newest.get(self._orders.symbol(client_order_id))
        limit, stop = arguments.price(limit, "limit"), arguments.price(stop, "stop")
        request = ModifyOrder(
            client_order_id=client_order_id,
            quantity=None if quantity is None else arguments.quantity(quantity),
            limit_price=None if limit is None else without_noise(limit),
            trigger_price=None if stop is None else without_noise(stop),
            reference_price=0.0 if newest is None else newest.price,
            reference_ns=0 if newest is None else newest.received_ns or newest.exchange_ns,
        )
        self._send_of(client_order_id, request)

    def cancel(self, client_order_id: str) -> None:
        """Request the cancellation of an order's open quantity; fills may come before it.

        Raises:
            TypeError: the id is no text.
            ValueError: it is not the id of an order of this strategy.
        """
        client_order_id = self._own(client_order_id)
        self._send_of(client_order_id, CancelOrder(client_order_id=client_order_id))

    def close(self, symbol: str) -> None:
        """Square off a symbol: cancel its open orders, and when they have ended close what is held, at the market.

        Further calls change nothing until that is done. It is given up, with a warning in the log
        (`position.not_closed`), when the closing order is refused, rejected or cancelled. A restart forgets it.
        """
        self._closing.begin(arguments.text(symbol, "symbol"))

    def flatten(self) -> None:
        """Square off every symbol with shares or open orders, as `close` does."""
        held = (symbol for symbol in self._holdings.symbols if self._holdings.shares(symbol))
        for symbol in dict.fromkeys((*held, *(order.symbol for order in self._orders.open()))):
            self.close(symbol)

    def position(self, symbol: str) -> HeldPosition:
        """Return the shares that this strategy holds by its own fills: a number, above 0 long, below 0 short.

        It has `average` (rupees paid or received a share), `realized`, `unrealized` and `pnl`, before charges.
        """
        known = self._positions.get(symbol) if symbol.__class__ is str else None
        if known is None:
            symbol = arguments.text(symbol, "symbol")
            known = self._positions[symbol] = self._holdings.position(symbol, self._newest)
        return known

    @property
    def pnl(self) -> float | None:
        """Rupees of profit of all symbols in this account, open positions at their last prices; before charges.

        None while one of them is not known: an open position whose symbol has had no price since the (re)start.
        """
        profits = [self.position(symbol).pnl for symbol in self._holdings.symbols]
        return None if None in profits else math.fsum(profit for profit in profits if profit is not None)

    @property
    def open_orders(self) -> tuple[OrderHandle, ...]:
        """Its orders that may still be filled, the oldest first; also those from before a restart."""
        return self._orders.open()

    @property
    def indicators(self) -> ModuleType:
        """Functions over columns of prices, and a window of the newest (see `natya.domain.indicators`)."""
        from ...domain import indicators  # noqa: PLC0415  numpy is loaded where it is used

        return indicators

    def last_price(self, symbol: str) -> float | None:
        """Return the last price in rupees; None before the first tick."""
        newest = self._newest.get(symbol if symbol.__class__ is str else arguments.text(symbol, "symbol"))
        return None if newest is None else newest.price

    # Life.

    def on_start(self) -> None:
        """Subscribe, and ask orders for the holdings: nothing is handled before they are known."""
        super().on_start()
        self._parameters = parameters_of(type(self), self.settings.parameters, name=self.name)
        self._begun = False
        self._early: deque[Message] = deque()
        self._early_dropped = 0
        self._newest_fills: deque[OrderFilled] = deque(maxlen=FILLS_HANDED_OVER)
        self._newest: dict[str, Tick] = {}
        self._positions: dict[str, HeldPosition] = {}
        self._orders = OwnOrders(self)
        self._ids: OrderIds | None = None
        self._ordered = 0
        self._moment_ns = self._ordered_now = 0
        self._latency = LatencySample(self.random)
        self._ticks = self._fills = 0
        self.send(
            EVENTS,
            Subscribe(
                subscriber=self.name,
                topics=self.TOPICS,
                symbols=self.settings.symbols,
                intervals_ns=tuple(map(interval_of, self.settings.candles or self.candles)),
            ),
        )
        self.ask(ORDERS, ReadHoldings(strategy=self.name), timeout_s=HOLDINGS_TIMEOUT_S, then=self._begin)

    def snapshot(self) -> Handover:
        """Hand over what neither the book nor the market will send again."""
        return self._ordered, tuple(self._newest_fills), tuple(self._early), self._told_open_ns

    def restore(self, state: Handover) -> None:
        """Take it over; the position comes from the book of record, which is newer."""
        self._ordered, fills, early, self._told_open_ns = state
        self._newest_fills.extend(fills)
        self._early.extend(early)

    def _begin(self, outcome: Outcome) -> None:
        """Begin with the holdings of the book of record, call `on_begin`, then handle the messages that waited."""
        answer = outcome.value
        if not isinstance(answer, HoldingsRead):
            raise HoldingsUnknownError(f"HoldingsRead of orders wanted, found {answer}") from outcome.error
        self._holdings = Holdings(answer.shares, answer.filled, answer.positions)
        for order in answer.open_orders:
            self._orders.found(order)
        self._closing = Closing(
            shares=self._holdings.shares,
            open_orders=self._orders.open,
            order=lambda symbol, shares: (self.buy if shares > 0 else self.sell)(symbol, abs(shares)),
            give_up=lambda symbol, why: self.log("position.not_closed", level="warning", symbol=symbol, reason=why),
        )
        self._ids = OrderIds(self.name, life=answer.life)
        for fill in self._newest_fills:
            if self._holdings.add(fill):
                self._orders.hear(fill)
        ours = dict(vars(self))
        self.on_begin()
        self._check_names(ours)
        self._watch_sessions()
        self._begun = True
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
        taken = [name for name in before if name not in COUNTED and now.get(name) is not before[name]]
        taken += [name for name in now if name not in before and name not in HOOKS and hasattr(StrategyActor, name)]
        if taken:
            raise AttributeError(
                f"{', '.join(taken)}: StrategyActor has that name already, choose another for your own"
            )

    def _wait(self, message: Message) -> None:
        if len(self._early) < EARLY_MAX or not isinstance(message, Tick | Candle):
            self._early.append(message)
        else:
            self._early_dropped += 1

    @handles(Tick)
    def hear_tick(self, tick: Tick, _sender: ActorAddress) -> None:
        """Keep the price, then call `on_tick`. Only some are timed: reading a clock costs more than the rest."""
        if not self._begun:
            self._wait(tick)
            return
        if tick.exchange_ns >= self._edge_ns:
            self._pass_edge()
        self._newest[tick.symbol] = tick
        self._ticks = ticks = self._ticks + 1
        if not ticks & (LATENCY_EVERY - 1) and (latency_ns := self.since_release_ns()) is not None:
            self._latency.add(latency_ns)
        self.on_tick(tick)

    def newest_is_enough(self, tick: Tick) -> bool:
        """Tell whether ticks up to this one would only be remembered: it has no `on_tick`, and no session begins."""
        kind = type(self)
        return (
            kind.on_tick is StrategyActor.on_tick
            and kind.handler_table[Tick] is StrategyActor.hear_tick
            and self._begun
            and tick.exchange_ns < self._edge_ns
        )

    @handles(Candle)
    def hear_candle(self, candle: Candle, _sender: ActorAddress) -> None:
        """Call `on_candle`."""
        if self._begun:
            self.on_candle(candle)
        else:
            self._wait(candle)

    @handles(OrderFilled)
    def hear_fill(self, fill: OrderFilled, _sender: ActorAddress) -> None:
        """Count a fill of this strategy once, then call `on_fill`."""
        if fill.strategy != self.name:
            return
        if not self._begun:
            self._wait(fill)
        elif self._holdings.add(fill):
            self._fills += 1
            self._newest_fills.append(fill)
            self._positions.pop(fill.symbol, None)
            self._orders.hear(fill)
            self.on_fill(fill)
            self._closing.go_on(fill.symbol)

    @handles(*get_args(OtherFact))
    def hear_fact(self, fact: OtherFact, _sender: ActorAddress) -> None:
        """Call `on_order` for facts of this strategy's orders."""
        if not is_own(self.name, fact.client_order_id):
            return
        if self._begun and isinstance(fact, OrderRefused | OrderRejected | OrderCancelled | OrderExpired):
            self._holdings.end(fact.client_order_id)
        if self._begun:
            self._orders.hear(fact)
            self.on_order(fact)
            for symbol in self._closing.symbols:
                self._closing.go_on(symbol)
        else:
            self._wait(fact)

    @handles(Subscribed)
    def hear_subscribed(self, _answer: Subscribed, _sender: ActorAddress) -> None:
        """Do nothing: the subscription needs no confirmation."""

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

    def _submit(  # noqa: PLR0913  each is a field of an order
        self,
        side: Side,
        symbol: str,
        quantity: int,
        *,
        limit: float | None,
        stop: float | None,
        valid: Validity,
        product: Product | None,
    ) -> OrderHandle:
        assert self._ids is not None, "orders are submitted only from `on_begin` on"
        self._expect_present()
        now_ns = self.clock.now_ns()
        self._ordered_now = self._ordered_now + 1 if now_ns == self._moment_ns else 1
        self._moment_ns = now_ns
        if self._ordered_now > ORDERS_A_MOMENT_MAX:
            raise OrdersWithoutMarketError(f"at most {ORDERS_A_MOMENT_MAX} orders wanted while the market stands still")
        symbol = arguments.text(symbol, "symbol")
        quantity, limit, stop = (
            arguments.quantity(quantity),
            arguments.price(limit, "limit"),
            arguments.price(stop, "stop"),
        )
        newest = self._newest.get(symbol)
        order = SubmitOrder(
            client_order_id=self._ids.upcoming,
            strategy=self.name,
            symbol=symbol,
            side=side,
            quantity=quantity,
            order_type=_TYPES[limit is not None, stop is not None],
            limit_price=None if limit is None else without_noise(limit),
            submitted_ns=now_ns,
            reference_price=0.0 if newest is None else newest.price,
            reference_ns=0 if newest is None else newest.received_ns or newest.exchange_ns,
            trigger_price=None if stop is None else without_noise(stop),
            validity=arguments.one_of(VALIDITIES, valid, "valid"),
            product=None if product is None else arguments.one_of(PRODUCTS, product, "product"),
        )
        self._ids.next()  # only now: an order refused by its own class uses no id
        self._ordered += 1
        self._holdings.expect(order.client_order_id, quantity)
        handle = self._orders.submitted(order)
        self._send_of(order.client_order_id, order)
        return handle

    def _expect_present(self) -> None:
        """Refuse to order while events of the past are handled again."""
        if is_replay(self.correlation_id):
            raise ReplayedError("no order may leave as a consequence of a replayed event; its handler wanted one")

    def _own(self, client_order_id: str) -> str:
        self._expect_present()
        client_order_id = arguments.text(client_order_id, "client_order_id")
        if not is_own(self.name, client_order_id):
            raise ValueError(f"client_order_id of an own order wanted, found {client_order_id!r}")
        return client_order_id

    def _send_of(self, client_order_id: str, request: SubmitOrder | ModifyOrder | CancelOrder) -> None:
        """Send what is asked of an order as a part of its conversation."""
        cause = self.trace
        self.join_trace(client_order_id)
        self.send(ORDERS, request)
        self.trace = cause
