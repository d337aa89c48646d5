"""What acts on the account as a whole: exit all, conversion, the kill switch, the exit at a profit or a loss."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ....domain.money import exact, rounded
from ....messages.exchange import MoneyMoved, PositionConverted
from .checks import PRODUCTS, unsold
from .closing import lacks_for_exits, restated
from .refusals import MARKET_CLOSED, Refused, wrong
from .state import DELIVERED, INTRADAY

if TYPE_CHECKING:
    from ....messages.exchange import AccountOrder, SwitchesSet
    from ....messages.orders import Side
    from .core import Core
    from .day import Day
    from .money import Money
    from .orders import Orders
    from .requests import Conversion, PnlExit
    from .shown import Shown

EXIT_ALL: Final = "EXIT_ALL"
PNL_EXIT: Final = "PNL_EXIT"
PRODUCTS_OF: Final = {"INTRADAY": INTRADAY, "DELIVERY": frozenset({"CNC", "MTF", "MARGIN"})}
ALL_PRODUCTS: Final = frozenset().union(*PRODUCTS_OF.values())
PRICE_PLACES: Final = 8


class Controls:
    """The verbs that are no single order's."""

    def __init__(self, core: Core, money: Money, orders: Orders, day: Day, shown: Shown) -> None:
        self._core = core
        self._money = money
        self._orders = orders
        self._day = day
        self._shown = shown

    def exit_all(self) -> None:
        """Cancel all open orders and close all positions at the market.

        Raises:
            Refused: the market of a position is closed; nothing has changed.
        """
        for (instrument, _), traded in self._core.state.positions.items():
            listing = self._core.listings.find(instrument)
            if traded.net and listing is not None and not self._core.takes_orders(listing):
                raise Refused("order", MARKET_CLOSED)
        self._exit(ALL_PRODUCTS, source=EXIT_ALL)

    def convert(self, asked: Conversion) -> None:
        """Move shares of an open position to another product.

        Raises:
            Refused: nothing has changed.
        """
        core = self._core
        listing = core.listing(asked.instrument)
        traded = core.state.position(asked.instrument, asked.source)
        net = traded.net if traded is not None else 0
        if asked.source == asked.target:
            raise wrong("toProductType", f"another product than {asked.source}", asked.target)
        if traded is None or not net or (net > 0) != asked.is_long:
            raise Refused("order", f"No {'long' if asked.is_long else 'short'} position of {asked.source} to convert")
        if not 1 <= asked.quantity <= abs(net):
            raise wrong("convertQty", f"1 to {abs(net)}", asked.quantity)
        if asked.target not in PRODUCTS[listing.kind == "EQUITY"] or (asked.target in DELIVERED and not asked.is_long):
            raise Refused("order", f"This position cannot become {asked.target}")
        cost = traded.cost / net
        price = float(rounded(cost.numerator, cost.denominator, PRICE_PLACES))
        side: Side = "BUY" if asked.is_long else "SELL"
        more = self._money.margin_each(listing, asked.target, side, price)
        less = self._money.margin_each(listing, asked.source, side, price)
        signed = asked.quantity if asked.is_long else -asked.quantity
        orders = self._orders_after(asked, signed)
        held = sum((row.blocked_rupees - core.state.open[row.order_id].blocked_rupees for row in orders), Decimal(0))
        needed, available = (more - less) * asked.quantity + held, self._money.available()
        if needed > available:
            raise Refused("order", f"Insufficient funds: {needed:.2f} rupees needed, found {available:.2f}")
        core.do(
            PositionConverted(
                instrument=asked.instrument,
                symbol=listing.symbol,
                quantity=signed,
                source=asked.source,
                target=asked.target,
                price=price,
                occurred_ns=core.now_ns,
            )
        )
        for row in orders:
            core.do(replace(row, updated_ns=core.now_ns))
        for product in (asked.source, asked.target):
            self._money.refresh(asked.instrument, product)

    def set_kill_switch(self, *, is_active: bool) -> None:
        """Stop trading for the rest of the day, or allow it again.

        Raises:
            Refused: a position or an order is open.
        """
        state = self._core.state
        if is_active and (state.open or any(traded.net for traded in state.positions.values())):
            raise Refused("order", "Kill switch needs no open position and no pending order")
        self._set(replace(state.switches, kill_switch=is_active))

    def set_pnl_exit(self, asked: PnlExit) -> None:
        """Close positions when the day's profit or loss reaches a threshold; at once if it has.

        Raises:
            Refused: nothing has changed.
        """
        if not asked.profit_rupees and not asked.loss_rupees:
            raise wrong("profitValue", "a profit or a loss above 0", "neither")
        unknown = set(asked.products) - set(PRODUCTS_OF)
        if unknown or not asked.products:
            raise wrong("productType", "INTRADAY or DELIVERY", sorted(unknown) or "none")
        self._set(
            replace(
                self._core.state.switches,
                exit_profit_rupees=asked.profit_rupees,
                exit_loss_rupees=asked.loss_rupees,
                exit_products=asked.products,
                exit_is_active=True,
                exit_kills=asked.kills,
            )
        )
        self.move()

    def cancel_pnl_exit(self) -> None:
        """Take the thresholds away."""
        self._set(replace(self._core.state.switches, exit_is_active=False))

    def move(self) -> None:
        """Exit if a threshold is reached."""
        switches = self._core.state.switches
        if not switches.exit_is_active:
            return
        products = frozenset().union(*(PRODUCTS_OF[each] for each in switches.exit_products))
        profit = self._shown.profit(products)
        gained = switches.exit_profit_rupees and profit >= exact(switches.exit_profit_rupees)
        lost = switches.exit_loss_rupees and profit <= -exact(switches.exit_loss_rupees)
        if gained or lost:
            self._set(replace(switches, exit_is_active=False, kill_switch=switches.kill_switch or switches.exit_kills))
            self._exit(products, source=PNL_EXIT)

    def add_funds(self, rupees: float) -> None:
        """Put money into the account.

        Raises:
            Refused: the amount is not above 0.
        """
        if not rupees > 0:
            raise wrong("amount", "one above 0", rupees)
        core, amount = self._core, exact(rupees)
        core.do(
            MoneyMoved(
                voucher=core.new_voucher(),
                narration="FUNDS ADDED",
                description="RCPT",
                amount_rupees=amount,
                balance_rupees=core.state.cash_rupees + amount,
                occurred_ns=core.now_ns,
            )
        )

    def _orders_after(self, asked: Conversion, signed: int) -> list[AccountOrder]:
        """Return the open orders whose margin a conversion changes, with their new one.

        Raises:
            Refused: shares are converted that an order is to deliver, or the exit of a super order to close.
        """
        core, instrument = self._core, asked.instrument
        leaves_delivery = asked.source in DELIVERED and asked.target not in DELIVERED
        if leaves_delivery and asked.quantity > (most := unsold(core, instrument)):
            raise wrong("convertQty", f"at most {max(0, most)} that no open order is to sell", asked.quantity)
        changed = []
        for product, moved in ((asked.source, -signed), (asked.target, signed)):
            net = core.state.net(instrument, product)
            lacked = lacks_for_exits(core.state, instrument, product, net=net)
            lacking = lacks_for_exits(core.state, instrument, product, net=net + moved)
            if lacking > lacked:
                raise Refused("order", f"{lacking - lacked} of these shares are for exits of super orders: cancel them")
            changed += restated(core.state, instrument, product, net=net + moved)
        return changed

    def _exit(self, products: frozenset[str], *, source: str) -> None:
        core = self._core
        for row in list(core.state.open.values()):
            if row.product in products and self._orders.may_withdraw(row):
                self._orders.end(row, "CANCELLED", f"Cancelled by {source}")
        for (instrument, product), traded in list(core.state.positions.items()):
            if product in products:
                self._day.close_position(instrument, product, traded.net, source=source)

    def _set(self, switches: SwitchesSet) -> None:
        self._core.do(replace(switches, occurred_ns=self._core.now_ns))
