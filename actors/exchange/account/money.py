"""Margin and funds: what a position and an order need, and what is left. No profit counts before it is settled."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from ....domain.charges import Product, charges, commodity_product
from ....domain.commodity_sessions import COMMODITIES
from ....domain.money import exact, rounded
from ....domain.venues import underlying_of
from .listings import Listing
from .refusals import expect_quantity
from .state import INTRADAY, SUPER
from .views import Funds, Margin

if TYPE_CHECKING:
    from datetime import date

    from ....domain.charges import Charges
    from ....messages.exchange import AccountOrder, ProductType
    from ....messages.orders import Side
    from .core import Core
    from .requests import MarginTicket, MarginTogether

_PERCENT: Final = Decimal("0.01")
_ONE: Final = Decimal(1)
_NONE: Final = Decimal(0)
_SPAN_SHARE: Final = Decimal("0.8")
"""Of a derivative's margin; the rest is exposure margin. Only shown: the sum decides."""


class Money:
    """The money of an account: margin, funds, charges."""

    def __init__(self, core: Core) -> None:
        settings = core.settings
        self._core = core
        self._intraday = _ONE / exact(settings.intraday_leverage)
        self._derivative = exact(settings.derivative_margin_percent) * _PERCENT
        self._margins: dict[tuple[tuple[str, str], str], tuple[int, Decimal, Decimal]] = {}
        self._used = self._lost = _NONE

    def margin_each(self, listing: Listing, product: ProductType, side: Side, price: float) -> Decimal:
        """Return the margin of opening one share or unit at a price: rupees."""
        if listing.kind in {"FUTURE", "OPTION"}:
            if listing.kind == "FUTURE":
                return exact(price) * self._derivative
            return exact(price) if side == "BUY" else exact(listing.strike_rupees or price) * self._derivative
        if product in INTRADAY:
            return exact(price) * self._intraday
        if side == "SELL":
            return _NONE  # only owned shares are sold
        return exact(price)  # of MTF, too: nothing is lent here

    def with_margin(self, row: AccountOrder, listing: Listing) -> AccountOrder:
        """Return the order with the margin it needs: shares that close what earlier orders leave need none."""
        state, last_price = self._core.state, self._core.last_price(row.symbol)
        price = row.limit_price or row.trigger_price or last_price
        if row.side == "SELL":
            price = max(price, last_price)
        net = state.net(row.instrument, row.product)
        against = max(0, net) if row.side == "SELL" else max(0, -net)
        known = state.open.get(row.order_id)
        closing = state.leaves_like(row) - (known.remaining_quantity if known is not None else 0)
        if against and closing:
            closing -= state.leaves_behind(row)
        return replace(
            row,
            opening_quantity=0 if row.source == SUPER else max(0, row.remaining_quantity - max(0, against - closing)),
            margin_each_rupees=self.margin_each(listing, row.product, row.side, price),
        )

    def shortfall(self, row: AccountOrder, *, held: Decimal) -> str:
        """Return the text of a lack of funds for an order; empty if they suffice, or if the order is not the client's.

        Args:
            row: with the margin it needs.
            held: what is blocked for the same order already: rupees.
        """
        needed, available = row.blocked_rupees, self.available() + held
        if needed <= available or row.source:
            return ""
        return f"RMS:{row.order_id}: Insufficient funds: {needed:.2f} rupees needed, found {available:.2f}"

    def funds(self) -> Funds:
        """Return the money as it stands."""
        state = self._core.state
        used, lost, receivable = self._of_positions()
        utilized = _to_paisa(used + lost + state.blocked_rupees + state.charges_rupees)
        available = state.cash_rupees - utilized
        return Funds(
            available_rupees=available,
            start_of_day_rupees=state.cash_rupees,
            utilized_rupees=utilized,
            receivable_rupees=_to_paisa(receivable),
            withdrawable_rupees=max(_NONE, min(available, state.cash_rupees)),
        )

    def available(self) -> Decimal:
        """Return what may be used for a new order: rupees."""
        state = self._core.state
        return state.cash_rupees - self._used - self._lost - state.blocked_rupees - state.charges_rupees

    def refresh(self, instrument: tuple[str, str], product: ProductType) -> None:
        """Compute the margin of a position anew, after a trade of it."""
        key = instrument, product
        _, used, lost = self._margins.pop(key, (0, _NONE, _NONE))
        self._used -= used
        self._lost -= lost
        traded = self._core.state.position(instrument, product)
        if traded is None:
            return
        used = _fraction(traded.cost) if traded.net else _NONE
        listing = self._core.listings.find(instrument)
        if used and listing is not None:
            used = self.margin_each(listing, product, "BUY" if used > 0 else "SELL", 1.0) * abs(used)
            if listing.kind == "OPTION" and traded.net < 0:
                used = self.margin_each(listing, product, "SELL", 0.0) * -traded.net
        realized = traded.realized
        lost = -_fraction(realized) if realized < 0 else _NONE
        self._margins[key] = traded.net, used, lost
        self._used += used
        self._lost += lost

    def refresh_all(self) -> None:
        """Compute all margins anew: after a replay, or a new day."""
        self._margins.clear()
        self._used = self._lost = _NONE
        for instrument, product in self._core.state.positions:
            self.refresh(instrument, product)

    def margin_of(self, ticket: MarginTicket, day: date) -> Margin:
        """Return what an order would need; at the last price where it names none."""
        listing = self._core.listing(ticket.instrument)
        expect_quantity(ticket.quantity)
        price = ticket.price or self._core.last_price(listing.symbol)
        total = _to_paisa(self.margin_each(listing, ticket.product, ticket.side, price) * ticket.quantity)
        value = _to_paisa(exact(price) * ticket.quantity)
        span = _to_paisa(total * _SPAN_SHARE) if listing.kind in {"FUTURE", "OPTION"} and total < value else _NONE
        available = _to_paisa(self.available())
        brokerage = _NONE
        if price > 0:
            brokerage = charges(
                charged_as(listing, ticket.product), ticket.side, ticket.quantity, price, day, takes_shares_out=False
            ).brokerage
        return Margin(
            total_rupees=total,
            span_rupees=span,
            exposure_rupees=total - span if span else _NONE,
            variable_rupees=_NONE if span else total,
            available_rupees=available,
            insufficient_rupees=max(_NONE, total - available),
            brokerage_rupees=brokerage,
            leverage=round(float(value / total), 2) if total else 1.0,
        )

    def margin_together(self, asked: MarginTogether, day: date) -> Margin:
        """Return what orders would need together, without offsets between them."""
        parts = [self.margin_of(ticket, day) for ticket in asked.tickets]
        held = (self._used if asked.with_positions else _NONE) + (
            self._core.state.blocked_rupees if asked.with_orders else _NONE
        )
        total = sum((part.total_rupees for part in parts), _to_paisa(held))
        available = _to_paisa(self.available())
        return Margin(
            total_rupees=total,
            span_rupees=sum((part.span_rupees for part in parts), _NONE),
            exposure_rupees=sum((part.exposure_rupees for part in parts), _NONE),
            variable_rupees=sum((part.variable_rupees for part in parts), _NONE),
            available_rupees=available,
            insufficient_rupees=max(_NONE, total - available),
            brokerage_rupees=sum((part.brokerage_rupees for part in parts), _NONE),
            leverage=1.0,
        )

    def charges_of(self, listing: Listing, order: AccountOrder, quantity: int, price: float, day: date) -> Charges:
        """Return the charges of a trade of an order, which is as it was before."""
        product = charged_as(listing, order.product)
        first_sale = product == "DELIVERY" and order.side == "SELL" and not self._sold_today(order)
        return charges(
            product,
            order.side,
            quantity,
            price,
            day,
            takes_shares_out=first_sale,
            traded_rupees=order.traded_rupees,
        )

    def _sold_today(self, order: AccountOrder) -> bool:
        traded = self._core.state.position(order.instrument, order.product)
        return traded is not None and traded.sell_quantity > 0

    def _of_positions(self) -> tuple[Decimal, Decimal, Decimal]:
        receivable = Fraction(0)
        for (_, product), traded in self._core.state.positions.items():
            receivable += max(Fraction(0), traded.realized)
            if product in {"CNC", "MTF"} and traded.net < 0:
                receivable -= traded.cost
        return self._used, self._lost, _fraction(receivable)


def charged_as(listing: Listing, product: ProductType) -> Product:
    """Return the tariff of a trade."""
    if listing.venue.market in COMMODITIES:
        return commodity_product(underlying_of(listing.symbol), is_option=listing.kind == "OPTION")
    if listing.kind in {"FUTURE", "OPTION"}:
        return "FUTURE" if listing.kind == "FUTURE" else "OPTION"
    return "INTRADAY" if product in INTRADAY else "DELIVERY"


def _fraction(amount: Fraction) -> Decimal:
    return rounded(amount.numerator, amount.denominator, 6)


def _to_paisa(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"))
