"""What the trades of a backtest cost: charge models by name, over the rules of `domain/charges.py` (pure)."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from ...domain.charges import Product, charges, commodity_product, known_since
from ...domain.commodity_sessions import COMMODITIES
from ...domain.instruments import is_contract, is_option
from ...domain.money import exact_value
from ...domain.time import date_of
from ...domain.venues import underlying_of, venue_of_symbol
from ...messages.orders import Product as HeldAs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ...messages.orders import OrderFilled

NO_CHARGES: Final = "none"
NO_PRODUCTS: Final[Mapping[str, HeldAs]] = MappingProxyType({})

MODELS: Final[dict[str, Product | None]] = {
    "dhan-equity-intraday": "INTRADAY",
    "dhan-equity-delivery": "DELIVERY",
    "dhan-futures": "FUTURE",
    "dhan-options": "OPTION",
    "dhan-commodity-futures": "COMMODITY_FUTURE",
    "dhan-commodity-options": "COMMODITY_OPTION",
    NO_CHARGES: None,
}
"""The tariff of symbols that do not tell theirs, by name of the model; None: trades cost nothing but their price."""

_OF_COMMODITIES: Final = frozenset({"COMMODITY_FUTURE", "COMMODITY_OPTION"})
_OF_SHARES: Final[dict[HeldAs | None, Product]] = {"INTRADAY": "INTRADAY", "CNC": "DELIVERY"}


def tariff_of(symbol: str, model: str, held_as: HeldAs | None = None) -> Product | None:
    """Return the tariff of a symbol: its own where its name tells what it is, else the model's; None: no charges.

    An option in an account of shares is charged as an option, whatever the model is. Commodities are those of the
    venue in the symbol, `MCX:GOLD-04Dec2026-FUT`, and without any those of a model of commodities.

    Args:
        symbol: that is traded.
        model: a name of `MODELS`.
        held_as: the product that the order names, which says whether shares are delivered; None: it names none.
    """
    product = MODELS[model]
    if product is None:
        return None
    contract = is_contract(symbol)
    if product in _OF_COMMODITIES or venue_of_symbol(symbol).market in COMMODITIES:
        is_one = is_option(symbol) if contract else product == "COMMODITY_OPTION"
        return commodity_product(underlying_of(symbol), is_option=is_one)
    if contract:
        return "OPTION" if is_option(symbol) else "FUTURE"
    return _OF_SHARES.get(held_as, product) if product in _OF_SHARES.values() else product


def first_day(tariffs: Iterable[Product | None]) -> date | None:
    """Return the first day on which the rates of all are known, by which earlier trades are charged; None: no rates."""
    return max((known_since(tariff) for tariff in tariffs if tariff is not None), default=None)


def charged(fills: Sequence[OrderFilled], model: str, products: Mapping[str, HeldAs] = NO_PRODUCTS) -> list[Decimal]:
    """Return the charges of each trade, in rupees to the paisa; the trades are in the order of time.

    Brokerage is of an order, not of each of its trades; the depository charges once a symbol and day of selling.

    Args:
        fills: in the order of time.
        model: a name of `MODELS`.
        products: by client order id, of the orders that named one.
    """
    traded: dict[str, Decimal] = {}
    sold: set[tuple[str, date]] = set()
    found = []
    for fill in fills:
        tariff = tariff_of(fill.symbol, model, products.get(fill.client_order_id))
        if tariff is None:
            found.append(Decimal(0))
            continue
        day = date_of(fill.occurred_ns)
        before = traded.get(fill.client_order_id, Decimal(0))
        costs = charges(
            tariff,
            fill.side,
            fill.quantity,
            fill.price,
            day,
            takes_shares_out=(fill.symbol, day) not in sold,
            traded_rupees=before,
        )
        traded[fill.client_order_id] = before + exact_value(fill.price, fill.quantity)
        if fill.side == "SELL" and tariff == "DELIVERY":
            sold.add((fill.symbol, day))
        found.append(costs.total)
    return found
