"""What a trade costs besides its price: brokerage, taxes and fees of the Indian exchanges, by the day of the trade.

Rates are dated data: a later change is a new entry, and old trades keep their costs. A trade before the first entry is
charged as on the first day (`known_since`): whoever shows such charges says so. Sources, by their own names:
securities transaction tax: Finance Acts 2004, 2024 (No. 2; from 1 October 2024) and 2026 (from 1 April 2026). Exchange
transaction charges: NSE circulars of 1 April 2023 and of 1 October 2024 ("uniform across members"). SEBI turnover fee:
SEBI (Stock Brokers) Regulations, 10 rupees a crore. Investor protection fund: NSE circular of 24 March 2023, from 1
April 2023 on 10 rupees a crore, of an option's premium 50. Stamp duty: Indian Stamp Act as amended from 1 July 2020.
GST: 18 % on brokerage, exchange charges, SEBI fee and that fund. Brokerage and depository charge: Dhan's published
tariff. Not in it: clearing members' fees, interest.

Commodities: commodities transaction tax, 0.01 % of a future and 0.05 % of an option's premium, the seller's (Finance
Acts 2013 and 2018; those of 2026 are not known to change it); transaction charges of MCX, 2.10 and 41.80 rupees a lakh
from 1 October 2024 on (MCX circular of 24 September 2024), before that those of its dearest slab, 2.60 and 50. What is
not known of them is taken as it costs most: fees of NSE as MCX's, the fund as NSE's, SEBI's fee of farm products as of
all others.

Only the sale of delivered shares has been compared with a broker's record (the tests have it); compare the others with
a contract note before real money depends on them.

Every amount is exact and rounded once, to the paisa, halves up, as contract notes are.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, Literal, TypeAlias

import msgspec

from ..messages.orders import Side
from .money import exact_value

Product: TypeAlias = Literal[
    "DELIVERY", "INTRADAY", "FUTURE", "OPTION", "COMMODITY_FUTURE", "UNTAXED_FUTURE", "COMMODITY_OPTION"
]
"""FUTURE and OPTION are of shares and indices; UNTAXED_FUTURE is of a farm product that the tax leaves out."""

UNTAXED: Final = frozenset(
    {"CARDAMOM", "CASTOR", "CASTORSEED", "COTTON", "COTTONCNDY", "GUARSEED", "KAPAS", "PEPPER", "WHEAT"}
)
"""Farm products without commodities transaction tax; what is made of them, such as oil, pays it."""

PAISA: Final = Decimal("0.01")
GST: Final = Decimal("0.18")
SEBI_FEE: Final = Decimal("0.000001")
"""Of turnover: 10 rupees a crore."""

_PERCENT: Final = Decimal("0.01")


class Rates(msgspec.Struct, frozen=True, kw_only=True):
    """The rates of one product from a day on, as fractions of turnover; an option's turnover is its premium."""

    since: date
    tax_buying: Decimal
    """Securities transaction tax, of commodities commodities transaction tax."""

    tax_selling: Decimal
    exchange: Decimal
    """Transaction charge of the NSE, of commodities of MCX, both sides."""

    investor_fund: Decimal
    """Investor protection fund of the NSE, both sides."""

    stamp_buying: Decimal
    """Stamp duty; only the buyer pays it."""

    brokerage: Decimal
    brokerage_max: Decimal
    """Rupees an order: upper bound of `brokerage` times turnover."""

    depository: Decimal
    """Rupees for each symbol and day on which shares leave the account."""


class Charges(msgspec.Struct, frozen=True, kw_only=True):
    """Rupees, each to the paisa."""

    brokerage: Decimal
    transaction_tax: Decimal
    exchange: Decimal
    sebi_fee: Decimal
    stamp_duty: Decimal
    gst: Decimal
    depository: Decimal
    investor_fund: Decimal

    @property
    def total(self) -> Decimal:
        """Sum of all charges: rupees."""
        return sum(msgspec.structs.astuple(self), Decimal(0))


def _rates(since: date, *percent: str, brokerage: str, brokerage_max: str, depository: str = "0") -> Rates:
    buying, selling, exchange, fund, stamp = (Decimal(each) * _PERCENT for each in percent)
    return Rates(
        since=since,
        tax_buying=buying,
        tax_selling=selling,
        exchange=exchange,
        investor_fund=fund,
        stamp_buying=stamp,
        brokerage=Decimal(brokerage) * _PERCENT,
        brokerage_max=Decimal(brokerage_max),
        depository=Decimal(depository),
    )


_2023, _2024, _2026 = date(2023, 4, 1), date(2024, 10, 1), date(2026, 4, 1)

RATES: Final[dict[Product, tuple[Rates, ...]]] = {
    "DELIVERY": (
        _rates(_2023, "0.1", "0.1", "0.00325", "0.0001", "0.015", brokerage="0", brokerage_max="0", depository="12.5"),
        _rates(_2024, "0.1", "0.1", "0.00297", "0.0001", "0.015", brokerage="0", brokerage_max="0", depository="12.5"),
    ),
    "INTRADAY": (
        _rates(_2023, "0", "0.025", "0.00325", "0.0001", "0.003", brokerage="0.03", brokerage_max="20"),
        _rates(_2024, "0", "0.025", "0.00297", "0.0001", "0.003", brokerage="0.03", brokerage_max="20"),
    ),
    "FUTURE": (
        _rates(_2023, "0", "0.0125", "0.0019", "0.0001", "0.002", brokerage="0.03", brokerage_max="20"),
        _rates(_2024, "0", "0.02", "0.00173", "0.0001", "0.002", brokerage="0.03", brokerage_max="20"),
        _rates(_2026, "0", "0.05", "0.00173", "0.0001", "0.002", brokerage="0.03", brokerage_max="20"),
    ),
    "OPTION": (
        _rates(_2023, "0", "0.0625", "0.05", "0.0005", "0.003", brokerage="100", brokerage_max="20"),
        _rates(_2024, "0", "0.1", "0.03503", "0.0005", "0.003", brokerage="100", brokerage_max="20"),
        _rates(_2026, "0", "0.15", "0.03503", "0.0005", "0.003", brokerage="100", brokerage_max="20"),
    ),
    "COMMODITY_FUTURE": (
        _rates(_2023, "0", "0.01", "0.0026", "0.0001", "0.002", brokerage="0.03", brokerage_max="20"),
        _rates(_2024, "0", "0.01", "0.0021", "0.0001", "0.002", brokerage="0.03", brokerage_max="20"),
    ),
    "UNTAXED_FUTURE": (
        _rates(_2023, "0", "0", "0.0026", "0.0001", "0.002", brokerage="0.03", brokerage_max="20"),
        _rates(_2024, "0", "0", "0.0021", "0.0001", "0.002", brokerage="0.03", brokerage_max="20"),
    ),
    "COMMODITY_OPTION": (
        _rates(_2023, "0", "0.05", "0.05", "0.0005", "0.003", brokerage="100", brokerage_max="20"),
        _rates(_2024, "0", "0.05", "0.0418", "0.0005", "0.003", brokerage="100", brokerage_max="20"),
    ),
}
"""By product, oldest first. The brokerage of an option order is 20 rupees, or its premium turnover if that is less."""

KNOWN_SINCE: Final = max(rates[0].since for rates in RATES.values())
"""From this day on the rates of every product are known."""


def commodity_product(underlying: str, *, is_option: bool) -> Product:
    """Return the tariff of a contract on a commodity."""
    if is_option:
        return "COMMODITY_OPTION"
    return "UNTAXED_FUTURE" if underlying.upper() in UNTAXED else "COMMODITY_FUTURE"


def rates_on(product: Product, day: date) -> Rates:
    """Return the rates of a day; for a day before `known_since` the first known ones."""
    for rates in reversed(RATES[product]):
        if rates.since <= day:
            return rates
    return RATES[product][0]


def known_since(product: Product) -> date:
    """Return the first day whose rates are known."""
    return RATES[product][0].since


def charges(  # noqa: PLR0913  what a trade is, and its day
    product: Product,
    side: Side,
    quantity: int,
    price: float,
    day: date,
    *,
    takes_shares_out: bool = True,
    traded_rupees: Decimal = Decimal(0),
) -> Charges:
    """Return the charges of an order that is filled in full at one price, or of one of its trades.

    Args:
        product: what is traded, and how.
        side: the seller pays the transaction tax, the buyer the stamp duty; delivery pays the tax on both sides.
        quantity: shares or contract units, at least 1.
        price: rupees a share (of an option its premium); 0 of a contract that has expired worthless.
        day: of the trade, in India.
        traded_rupees: turnover of the same order before this trade: the brokerage is of the order, not of each trade.
        takes_shares_out: of a sale, whether it is the day's first of the symbol, for which the depository charges.

    Raises:
        ValueError: quantity or price out of range.
    """
    turnover = exact_value(price, quantity) if quantity >= 1 and price >= 0 else Decimal("NaN")
    if not turnover.is_finite():
        raise ValueError(f"at least 1 share at a price from 0 wanted, found {quantity} at {price}")
    rates = rates_on(product, day)
    buys = side == "BUY"
    brokerage = min((traded_rupees + turnover) * rates.brokerage, rates.brokerage_max)
    if traded_rupees:
        brokerage = _shown(brokerage) - _shown(min(traded_rupees * rates.brokerage, rates.brokerage_max))
    exchange, sebi_fee, fund = turnover * rates.exchange, turnover * SEBI_FEE, turnover * rates.investor_fund
    depository = rates.depository if not buys and takes_shares_out else Decimal(0)
    return Charges(
        brokerage=_shown(brokerage),
        transaction_tax=_shown(turnover * (rates.tax_buying if buys else rates.tax_selling)),
        exchange=_shown(exchange),
        sebi_fee=_shown(sebi_fee),
        stamp_duty=_shown(turnover * rates.stamp_buying if buys else Decimal(0)),
        gst=_shown((brokerage + exchange + sebi_fee + fund + depository) * GST),
        depository=_shown(depository),
        investor_fund=_shown(fund),
    )


def _shown(amount: Decimal) -> Decimal:
    return amount.quantize(PAISA, ROUND_HALF_UP)
