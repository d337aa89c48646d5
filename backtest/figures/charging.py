"""What the trades of a backtest cost: charge models by name, over the rules of `domain/charges.py` (pure)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from ...domain.charges import Product, charges, commodity_product, known_since
from ...domain.money import exact_value
from ...domain.time import day_of
from ...domain.venues import underlying_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...messages.orders import OrderFilled

NO_CHARGES: Final = "none"

MODELS: Final[dict[str, Product | None]] = {
    "dhan-equity-intraday": "INTRADAY",
    "dhan-equity-delivery": "DELIVERY",
    "dhan-futures": "FUTURE",
    "dhan-options": "OPTION",
    "dhan-commodity-futures": "COMMODITY_FUTURE",
    "dhan-commodity-options": "COMMODITY_OPTION",
    NO_CHARGES: None,
}
"""The tariff by the name of the model; None: trades cost nothing besides their price."""

_EPOCH: Final = date(1970, 1, 1)


def first_day(model: str) -> date | None:
    """Return the first day whose rates are known, by which earlier trades are charged; None: there are no rates."""
    product = MODELS[model]
    return None if product is None else known_since(product)


def charged(fills: Sequence[OrderFilled], model: str) -> list[Decimal]:
    """Return the charges of each trade, in rupees to the paisa; the trades are in the order of time.

    Brokerage is of an order, not of each of its trades; the depository charges once a symbol and day of selling.
    """
    product = MODELS[model]
    if product is None:
        return [Decimal(0)] * len(fills)
    traded: dict[str, Decimal] = {}
    sold: set[tuple[str, date]] = set()
    found = []
    for fill in fills:
        day = _EPOCH + timedelta(days=day_of(fill.occurred_ns))
        before = traded.get(fill.client_order_id, Decimal(0))
        sells = fill.side == "SELL"
        costs = charges(
            _charged_as(product, fill.symbol),
            fill.side,
            fill.quantity,
            fill.price,
            day,
            takes_shares_out=sells and (fill.symbol, day) not in sold,
            traded_rupees=before,
        )
        traded[fill.client_order_id] = before + exact_value(fill.price, fill.quantity)
        if sells:
            sold.add((fill.symbol, day))
        found.append(costs.total)
    return found


def _charged_as(product: Product, symbol: str) -> Product:
    """Return the tariff of a symbol: some farm products are free of tax."""
    return commodity_product(underlying_of(symbol), is_option=False) if product == "COMMODITY_FUTURE" else product
