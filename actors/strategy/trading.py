"""What a strategy does with orders: submits, changes and cancels them, squares off, and knows what it holds.

Owns    its position, by its own fills, the handles of its orders, and the last price of every symbol.
Hears   nothing: `StrategyActor` hears the facts, and has it take them.
Sends   SubmitOrder, ModifyOrder, CancelOrder and SquaringOffEnded to orders.
Fails   when the user's code orders what no order can be, orders without end while the market stands still, or orders as
        a consequence of a replayed event.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

from ...domain.client_order_ids import OrderIds, is_own
from ...domain.instruments import without_noise
from ...messages.addresses import ORDERS
from ...messages.holdings import HoldingsRead
from ...messages.orders import (
    CancelOrder,
    ModifyOrder,
    OrderType,
    Product,
    Side,
    SquaringOffEnded,
    SubmitOrder,
    Validity,
)
from ...messages.replays import is_replay
from . import arguments
from .closing import Closing
from .errors import OrdersWithoutMarketError, ReplayedError
from .given import Given
from .held import HeldPosition
from .holdings import Holdings
from .order_handle import OrderHandle, OwnOrders
from .timing import Timing

if TYPE_CHECKING:
    from types import ModuleType

    from ...messages.market import Tick

_TYPES: Final[dict[tuple[bool, bool], OrderType]] = {
    (False, False): "MARKET",
    (True, False): "LIMIT",
    (False, True): "STOP",
    (True, True): "STOP_LIMIT",
}
"""By whether there is a limit, and a stop."""

VALIDITIES: Final[tuple[Validity, ...]] = get_args(Validity)
PRODUCTS: Final[tuple[Product, ...]] = get_args(Product)

ORDERS_A_MOMENT_MAX: Final = 10_000
"""Orders at one and the same time. The gate refuses them long before (`orders.orders_a_moment_max`), but a strategy
that orders again at each refusal would never end."""


class _Prices(NamedTuple):
    """The prices of an order in rupees, each without the noise of the float it came as."""

    limit: float | None
    stop: float | None
    target: float | None
    stop_loss: float | None

    @classmethod
    def of(cls, *, limit: Any, stop: Any, target: Any = None, stop_loss: Any = None) -> _Prices:
        named = {"limit": limit, "stop": stop, "target": target, "stop_loss": stop_loss}
        checked = (arguments.price(found, what) for what, found in named.items())
        return cls(*(None if price is None else without_noise(price) for price in checked))


class Trading(Timing):
    """The part of `StrategyActor` that is about orders and positions."""

    name = Given()

    # For the user to call.

    def buy(  # noqa: PLR0913  each is a field of an order
        self,
        symbol: str,
        quantity: int,
        limit: float | None = None,
        *,
        stop: float | None = None,
        target: float | None = None,
        stop_loss: float | None = None,
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
            target: rupees; what is filled is closed by a limit order at this price, ...
            stop_loss: ... or by a stop order at this one, whichever trades first: the other is cancelled. Both exits
                are orders of this strategy (`handle.target`, `handle.stop_loss`), are in the market as soon as
                something is filled, and outlive a restart. `close(symbol)` cancels them, and so does a sale that leaves
                nothing to close, be it yours or a person's; one of a part makes them no smaller.
            valid: `DAY`, or `IOC`: what does not trade at once is cancelled.
            product: `INTRADAY`, `CNC` (delivery) or `MARGIN`; None: that of what is held, if the order closes it, else
                as the settings of the broker say. The exchange of a replay knows no products.

        Raises:
            TypeError: the symbol is no text, the quantity no whole number, or a price no number.
            ValueError: the quantity is below 1 share, a price not above 0 rupees, the limit of a stop order before its
                stop, an exit on the wrong side of a price, or the validity or the product unknown.
            ForeignThreadError: the caller is a thread of the user's.
        """
        prices = _Prices.of(limit=limit, stop=stop, target=target, stop_loss=stop_loss)
        return self._submit("BUY", symbol, quantity, prices, valid=valid, product=product)

    def sell(  # noqa: PLR0913  each is a field of an order
        self,
        symbol: str,
        quantity: int,
        limit: float | None = None,
        *,
        stop: float | None = None,
        target: float | None = None,
        stop_loss: float | None = None,
        valid: Validity = "DAY",
        product: Product | None = None,
    ) -> OrderHandle:
        """Submit an order to sell `quantity` shares; otherwise as `buy`."""
        prices = _Prices.of(limit=limit, stop=stop, target=target, stop_loss=stop_loss)
        return self._submit("SELL", symbol, quantity, prices, valid=valid, product=product)

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
        prices = _Prices.of(limit=limit, stop=stop)
        request = ModifyOrder(
            client_order_id=client_order_id,
            quantity=None if quantity is None else arguments.quantity(quantity),
            limit_price=prices.limit,
            trigger_price=prices.stop,
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
        (`position.not_closed`), when an open order is not cancelled, or the closing order refused, rejected or
        cancelled, or its day is over before it has traded; what had exits of a bracket is then closed by orders of that
        bracket at the market, and so is it after a restart, which forgets the rest. In HALTED nothing is cancelled for
        it, since nothing could close it.
        """
        self._closing.begin(arguments.text(symbol, "symbol"))

    def flatten(self) -> None:
        """Square off every symbol with shares or open orders, as `close` does."""
        held = (symbol for symbol in self._holdings.symbols if self._holdings.shares(symbol))
        for symbol in dict.fromkeys((*held, *(order.symbol for order in self._orders.open()))):
            self.close(symbol)

    def position(self, symbol: str) -> HeldPosition:
        """Return the shares that this strategy holds, whoever traded them: a number, above 0 long, below 0 short.

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

    def order_of(self, client_order_id: str) -> OrderHandle | None:
        """Return the handle of an order of this strategy; None of one that it does not know, or any more."""
        return self._orders.handle(client_order_id)

    def last_price(self, symbol: str) -> float | None:
        """Return the last price in rupees; None before the first tick."""
        newest = self._newest.get(symbol if symbol.__class__ is str else arguments.text(symbol, "symbol"))
        return None if newest is None else newest.price

    # Life.

    def on_start(self) -> None:
        """Hold nothing yet, and know no price."""
        super().on_start()
        self._newest: dict[str, Tick] = {}
        self._newest_ns = 0
        """Of all symbols: nanoseconds since 1970-01-01 UTC."""

        self._positions: dict[str, HeldPosition] = {}
        self._orders = OwnOrders(self)
        self._ids: OrderIds | None = None
        self._ordered = 0
        self._moment_ns = self._ordered_now = 0

    def _hold(self, known: HoldingsRead) -> None:
        """Take over what the book of record has."""
        self._holdings = Holdings(known)
        for order in known.open_orders:
            self._orders.found(order)
        self._closing = Closing(
            shares=self._holdings.shares,
            open_orders=self._orders.open,
            order=lambda symbol, shares: (self.buy if shares > 0 else self.sell)(symbol, abs(shares)),
            cancel=self._cancel_to_square_off,
            ended=self._squared_off,
        )
        self._ids = OrderIds(self.name, life=known.life)

    def _submit(  # noqa: PLR0913  each is a field of an order
        self,
        side: Side,
        symbol: str,
        quantity: int,
        prices: _Prices,
        *,
        valid: Validity,
        product: Product | None,
    ) -> OrderHandle:
        assert self._ids is not None, "orders are submitted only from `on_begin` on"
        self._expect_own_thread("an order")
        self._expect_present()
        now_ns = self.clock.now_ns()
        self._ordered_now = self._ordered_now + 1 if now_ns == self._moment_ns else 1
        self._moment_ns = now_ns
        if self._ordered_now > ORDERS_A_MOMENT_MAX:
            raise OrdersWithoutMarketError(f"at most {ORDERS_A_MOMENT_MAX} orders wanted while the market stands still")
        symbol = arguments.text(symbol, "symbol")
        quantity = arguments.quantity(quantity)
        newest = self._newest.get(symbol)
        order = SubmitOrder(
            client_order_id=self._ids.upcoming,
            strategy=self.name,
            symbol=symbol,
            side=side,
            quantity=quantity,
            order_type=_TYPES[prices.limit is not None, prices.stop is not None],
            limit_price=prices.limit,
            submitted_ns=now_ns,
            reference_price=0.0 if newest is None else newest.price,
            reference_ns=0 if newest is None else newest.received_ns or newest.exchange_ns,
            trigger_price=prices.stop,
            validity=arguments.one_of(VALIDITIES, valid, "valid"),
            product=None if product is None else arguments.one_of(PRODUCTS, product, "product"),
            target_price=prices.target,
            stop_loss_price=prices.stop_loss,
        )
        self._ids.next()  # only now: an order refused by its own class uses no id
        self._ordered += 1
        handle = self._orders.submitted(order)
        self._send_of(order.client_order_id, order)
        return handle

    def _cancel_to_square_off(self, order: OrderHandle) -> None:
        self._send_of(order, CancelOrder(client_order_id=str(order), squares_off=True))

    def _squared_off(self, symbol: str, why_not: str) -> None:
        if why_not:
            self.log("position.not_closed", level="warning", symbol=symbol, reason=why_not)
        self.send(ORDERS, SquaringOffEnded(strategy=self.name, symbol=symbol, reason=why_not))

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
        cause, signal = self.trace, self.correlation_id
        self.join_trace(client_order_id)
        self.log("order.requested", level="debug", request=type(request).__name__, signal=signal)
        self.send(ORDERS, request)
        self.trace = cause
