"""Positions, holdings and past trades, as an account shows them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from ....domain.money import PAISA_PLACES, exact, rounded
from .state import DELIVERED
from .views import AccountHolding, AccountPosition

if TYPE_CHECKING:
    from ....messages.exchange import AccountTrade, Instrument, ProductType
    from .core import Core
    from .money import Money
    from .positions import Traded


class Shown:
    """The views that need arithmetic."""

    def __init__(self, core: Core, money: Money) -> None:
        self._core = core
        self._money = money

    def positions(self) -> tuple[AccountPosition, ...]:
        """Return the positions of the day, the closed ones among them."""
        return tuple(
            self._position(instrument, product, traded)
            for (instrument, product), traded in self._core.state.positions.items()
        )

    def holdings(self) -> tuple[AccountHolding, ...]:
        """Return what is owned."""
        state, found = self._core.state, []
        for instrument, owned in state.holdings.items():
            sold = sum(max(0, -state.net(instrument, product)) for product in ("CNC", "MTF"))
            found.append(
                AccountHolding(
                    instrument=instrument,
                    symbol=owned.symbol,
                    quantity=owned.quantity,
                    unsettled_quantity=owned.unsettled,
                    available_quantity=max(0, owned.quantity - sold),
                    average_cost_rupees=_average(owned.cost, owned.quantity),
                    last_price=self._core.last_price(owned.symbol),
                )
            )
        return tuple(found)

    def past_trades(self, since_ns: int, until_ns: int) -> tuple[AccountTrade, ...]:
        """Return the trades of a time, oldest first; of those orders that are shown."""
        state = self._core.state
        trades = (trade for trade in (*state.past_trades, *state.trades) if trade.order_id not in state.paid_out)
        return tuple(trade for trade in trades if since_ns <= trade.occurred_ns < until_ns)

    def profit(self, products: frozenset[str]) -> Decimal:
        """Return the day's profit of some products, realised and not: rupees, before charges."""
        total = Fraction(0)
        for (_, product), traded in self._core.state.positions.items():
            if product in products:
                total += traded.realized + self._unrealized(traded)
        return _rupees(total)

    def _position(self, instrument: Instrument, product: ProductType, traded: Traded) -> AccountPosition:
        carried = traded.carried_quantity
        bought, sold = max(0, carried), max(0, -carried)
        carried_cost = _rupees(abs(traded.carried_cost))
        bought_rupees, sold_rupees = (carried_cost if bought else Decimal(0)), (carried_cost if sold else Decimal(0))
        return AccountPosition(
            instrument=instrument,
            symbol=traded.symbol,
            product=product,
            buy_quantity=traded.buy_quantity + bought,
            sell_quantity=traded.sell_quantity + sold,
            buy_average=_average(Fraction(traded.buy_rupees + bought_rupees), traded.buy_quantity + bought),
            sell_average=_average(Fraction(traded.sell_rupees + sold_rupees), traded.sell_quantity + sold),
            net_quantity=traded.net,
            cost_price=_average(traded.cost, traded.net),
            realized_rupees=_rupees(traded.realized),
            unrealized_rupees=_rupees(self._unrealized(traded)),
            last_price=self._core.last_price(traded.symbol),
            day_buy_quantity=traded.buy_quantity,
            day_sell_quantity=traded.sell_quantity,
            day_buy_rupees=traded.buy_rupees,
            day_sell_rupees=traded.sell_rupees,
            carried_buy_quantity=bought,
            carried_sell_quantity=sold,
            carried_buy_rupees=bought_rupees,
            carried_sell_rupees=sold_rupees,
        )

    def _unrealized(self, traded: Traded) -> Fraction:
        last_price = self._core.last_price(traded.symbol)
        return Fraction(exact(last_price)) * traded.net - traded.cost if traded.net and last_price else Fraction(0)


def is_delivered(product: str) -> bool:
    """Tell whether an open position of a product becomes a holding."""
    return product in DELIVERED


def _average(cost: Fraction, quantity: int) -> float:
    return float(rounded(abs(cost.numerator), cost.denominator * abs(quantity), 4)) if quantity else 0.0


def _rupees(amount: Fraction) -> Decimal:
    return rounded(amount.numerator, amount.denominator, PAISA_PLACES)
